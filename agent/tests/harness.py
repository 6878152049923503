"""A page and an inspector as ASGI clients in this process, and waiting without sleeping."""

import asyncio
import contextlib
import json
import os
import re

from config.asgi import application

TOKEN = os.environ["DJUST_INSPECTOR_TOKEN"]
ORIGIN = b"http://localhost:8000"
DEADLINE = 15.0


def unnamed(text):
    """A text whose hidden values have lost their pseudonyms, which are others in each process."""
    return re.sub(r"\[redacted:[0-9a-f]{10}\]", "[redacted]", text)


def run(coroutine):
    """Run one asynchronous test."""
    return asyncio.run(asyncio.wait_for(coroutine, 60))


class Socket:
    """One WebSocket to the project's ASGI application."""

    def __init__(self, path="/ws/live/", headers=(), app=None):
        path, _, query = path.partition("?")
        self.scope = {
            "type": "websocket",
            "asgi": {"version": "3.0"},
            "scheme": "ws",
            "path": path,
            "raw_path": path.encode(),
            "root_path": "",
            "query_string": query.encode(),
            "headers": list(headers),
            "client": ("127.0.0.1", 40000),
            "server": None,
            "subprotocols": [],
        }
        self.app = app or application
        self.to_app = asyncio.Queue()
        self.got = []
        self.changed = asyncio.Condition()
        self.accepted = None
        self.close_code = None
        #: Set to hold the application back in its next send: a client that does not read.
        self.stalled = None
        #: Set to be given the application's messages instead of keeping them parsed: for one who measures.
        self.sink = None

    async def open(self):
        await self.to_app.put({"type": "websocket.connect"})
        self.task = asyncio.ensure_future(self.app(self.scope, self.to_app.get, self._send))
        await self.until(lambda: self.accepted is not None)
        return self.accepted

    async def _send(self, message):
        if self.stalled is not None:
            await self.stalled.wait()
        if self.sink is not None:
            self.sink(message)
            return
        async with self.changed:
            if message["type"] == "websocket.accept":
                self.accepted = True
            elif message["type"] == "websocket.close":
                self.accepted = bool(self.accepted)
                self.close_code = message.get("code", 1000)
            elif message.get("text") is not None:
                self.got.append(json.loads(message["text"], parse_constant=self.constant))
            self.changed.notify_all()

    @staticmethod
    def constant(name):
        return float(name.replace("Infinity", "inf").replace("NaN", "nan"))

    async def until(self, condition, what="the condition"):
        """Wait until `condition()` holds; its value is returned."""
        loop = asyncio.get_running_loop()
        end = loop.time() + DEADLINE
        async with self.changed:
            while True:
                value = condition()
                if value:
                    return value
                left = end - loop.time()
                if left <= 0:
                    break
                with contextlib.suppress(asyncio.TimeoutError):
                    await asyncio.wait_for(self.changed.wait(), min(left, 0.05))
        seen = [(m.get("t") or m.get("type"), m.get("kind"), m.get("name")) for m in self.got]
        raise AssertionError(f"{what} did not come; seen: {seen}")

    async def send(self, message):
        text = message if isinstance(message, str) else json.dumps(message)
        await self.to_app.put({"type": "websocket.receive", "text": text})

    async def close(self, code=1000):
        await self.to_app.put({"type": "websocket.disconnect", "code": code})
        await asyncio.wait_for(self.task, DEADLINE)


class Page(Socket):
    """A browser page."""

    def __init__(self, app=None, client="127.0.0.1"):
        super().__init__(headers=[(b"origin", ORIGIN), (b"user-agent", b"test page")], app=app)
        self.scope["client"] = (client, 40000)
        self.ref = 0

    async def mount(self, view, path="/"):
        await self.open()
        connect = await self.until(lambda: self.frames("connect"))
        self.id = connect[0]["session_id"]
        await self.send(
            {
                "type": "mount",
                "view": view,
                "params": {},
                "url": path,
                "has_prerendered": False,
                "client_timezone": None,
            }
        )
        await self.until(lambda: self.frames("mount") or self.frames("error") or self.frames("navigate"), "mount")
        return self

    async def event(self, name, /, **params):
        """Click and wait for the answer with the same ref, or for a new error."""
        self.ref += 1
        ref, errors, embedded = self.ref, len(self.frames("error")), len(self.frames("embedded_update"))
        await self.send({"type": "event", "event": name, "params": params, "ref": ref})
        await self.until(
            lambda: (
                any(f.get("ref") == ref for f in self.got)
                or len(self.frames("error")) > errors
                or len(self.frames("embedded_update")) > embedded  # carries no ref before djust 1.1
                or self.close_code is not None
            ),
            f"answer to {name}",
        )

    def frames(self, kind):
        return [f for f in self.got if f.get("type") == kind]


class Inspector(Socket):
    """An attached inspector that keeps the states of all streams."""

    @staticmethod
    def constant(name):
        raise AssertionError(f"{name} is no JSON")

    def __init__(self, token=TOKEN, origin=ORIGIN, app=None, query="?djust_inspector=1"):
        headers = []
        if token is not None:
            headers.append((b"authorization", f"Bearer {token}".encode()))
        if origin is not None:
            headers.append((b"origin", origin))
        super().__init__("/ws/live/" + query, headers, app)
        self.number = 0

    async def attach(self, resume=None, writes=True, workers=False):
        assert await self.open()
        hello = {"t": "hello", "protocol": 1, "inspector": "test", "writes": writes, "workers": workers}
        hello["resume"] = [resume] if type(resume) is dict else resume
        await self.send(hello)
        await self.until(lambda: self.frames("welcome"), "welcome")
        self.welcome = self.frames("welcome")[0]
        if not self.welcome["resumed"]:
            await self.until(lambda: self.frames("synced"), "synced")
        return self

    def frames(self, kind):
        return [f for f in self.got if f["t"] == kind]

    def steps(self, **fields):
        return [f for f in self.frames("step") if all(f[k] == v for k, v in fields.items())]

    async def step(self, count=1, **fields):
        """The `count`-th step with these fields."""
        found = await self.until(lambda: len(self.steps(**fields)) >= count and self.steps(**fields), f"step {fields}")
        return found[count - 1]

    async def command(self, do, **fields):
        self.number += 1
        number = self.number
        await self.send({"t": "command", "id": number, "do": do, **fields})
        found = await self.until(lambda: [f for f in self.frames("answer") if f["id"] == number], f"answer to {do}")
        return found[0]

    def states(self, session):
        """(before, after) of every step of a session by key, from the revisions as they came."""
        held = {}
        out = {}

        def apply(view, state):
            if state is None or "missing" in state:
                return None
            if "set" in state:
                base = {} if state["base"] is None else held[(view, state["base"])]
                value = {**base, **state["set"]}
                for name in state.get("del", ()):
                    value.pop(name)
                held[(view, state["rev"])] = value
            return held[(view, state["rev"])]

        for frame in self.got:
            if frame["t"] == "state" and frame["session"] == session:
                apply(frame["view"], frame["state"])
            elif frame["t"] == "step" and frame["session"] == session:
                before = apply(frame["view"], frame["before"])
                out[frame["key"]] = (before, apply(frame["view"], frame["after"]))
        return out


@contextlib.asynccontextmanager
async def attached(view=None, path="/"):
    """An inspector, and a page with `view` when one is given."""
    inspector = await Inspector().attach()
    page = None
    try:
        if view is not None:
            page = await Page().mount(view, path)
            await inspector.step(kind="mount", session=page.id)
            yield inspector, page
        else:
            yield inspector
    finally:
        if page is not None and not page.task.done():
            await page.close()
        await inspector.close()
