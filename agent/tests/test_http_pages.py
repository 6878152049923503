"""Pages without a WebSocket: Server-Sent Events, and djust's HTTP fallback."""

import asyncio
import contextlib
import json
import uuid

import djust
import pytest
from django.test import Client
from djust_inspector import guard, hooks_http, hub
from djust_inspector.hub import HUB
from djust_inspector.sessions import SESSIONS
from harness import Inspector, application, attached, run

VERSION = tuple(int(part) for part in djust.__version__.split(".")[:2])
COUNTER = "lab.views.counter.CounterView"


class Request:
    """One HTTP request to the project's ASGI application; the body arrives in `chunks`."""

    def __init__(self, method, path, body=b"", cookies="", **headers):
        path, _, query = path.partition("?")
        pairs = {"host": "localhost:8000", "user-agent": "test page", **headers}
        if cookies:
            pairs["cookie"] = cookies
        if body:
            pairs |= {"content-type": "application/json", "content-length": str(len(body))}
        self.scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": "http",
            "path": path, "raw_path": path.encode(), "query_string": query.encode(), "root_path": "",
            "headers": [(k.replace("_", "-").encode(), v.encode()) for k, v in pairs.items()],
            "client": ("127.0.0.1", 40001), "server": ("localhost", 8000),
        }
        self.body = body
        self.to_app = asyncio.Queue()
        self.chunks = []
        self.status = None
        self.headers = []
        self.changed = asyncio.Condition()

    async def start(self):
        await self.to_app.put({"type": "http.request", "body": self.body, "more_body": False})
        self.task = asyncio.ensure_future(application(self.scope, self.to_app.get, self._send))
        return self

    async def _send(self, message):
        async with self.changed:
            if message["type"] == "http.response.start":
                self.status, self.headers = message["status"], message["headers"]
            else:
                self.chunks.append(message.get("body", b""))
            self.changed.notify_all()

    async def whole(self):
        await self.start()
        await asyncio.wait_for(self.task, 15)
        return json.loads(b"".join(self.chunks))

    def frames(self, kind):
        lines = b"".join(self.chunks).decode().split("\n\n")
        found = [json.loads(line[6:]) for line in lines if line.startswith("data: ")]
        return [frame for frame in found if frame["type"] == kind]

    def cookies(self):
        found = [v.decode().split(";")[0] for k, v in self.headers if k.lower() == b"set-cookie"]
        return "; ".join(found)

    async def until(self, condition, what):
        async with self.changed:
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self.changed.wait_for(condition), 15)
        assert condition(), f"{what} did not come: {self.status} {b''.join(self.chunks)[:500]}"

    async def leave(self):
        await self.to_app.put({"type": "http.disconnect"})


class Stream:
    """An SSE page."""

    def __init__(self, view, path):
        self.id = str(uuid.uuid4())
        self.request = Request("GET", f"/djust/sse/{self.id}/?view={view}", referer=f"http://localhost:8000{path}")

    async def open(self):
        await self.request.start()
        await self.request.until(lambda: self.request.frames("mount") or self.request.frames("error"), "the mount")
        self.cookies = self.request.cookies()
        return self

    async def send(self, message, what="message"):
        body = json.dumps(message).encode()
        answer = await Request("POST", f"/djust/sse/{self.id}/{what}/", body, self.cookies).whole()
        assert answer == {"ok": True}, answer

    async def close(self):
        await self.request.leave()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.wait_for(self.request.task, 20)


@pytest.fixture(autouse=True)
def short_linger(monkeypatch):
    """djust waits five seconds after a stream has ended."""
    from djust import sse

    monkeypatch.setattr(sse, "_SESSION_LINGER_S", 0.01)
    yield
    sse._sse_sessions.clear()


# Before djust 1.1 a page that was mounted by its stream gets events by the older of the two addresses only.
@pytest.mark.parametrize("way", ["message", "event"] if VERSION >= (1, 1) else ["event"])
def test_sse_page_has_its_session_its_steps_and_its_end(way):
    async def check():
        async with attached() as inspector:
            page = await Stream(COUNTER, "/counter/").open()
            mount = await inspector.step(kind="mount", session=page.id)
            assert mount["status"] == "ok" and inspector.states(page.id)[mount["key"]][1]["count"] == 0
            described = [f for f in inspector.frames("session") if f["session"] == page.id][-1]
            assert described["transport"] == "sse" and described["path"] == "/counter/"
            assert described["view"]["class"] == COUNTER and described["user_agent"] == "test page"
            event = {"type": "event", "event": "add", "params": {"n": 4}, "ref": 1}
            await page.send(event, way)
            step = await inspector.step(kind="event", name="add", session=page.id)
            before, after = inspector.states(page.id)[step["key"]]
            assert (before["count"], after["count"]) == (0, 4)
            assert step["params"] == {"n": 4} and step["timing"]["handler"] > 0 and ">4<" in step["html"]["text"]
            assert [f["dir"] for f in step["frames"]][0] == "in" and "patch" in step["frames"][-1]["text"]
            await page.send({"type": "event", "event": "boom", "params": {}}, way)
            step = await inspector.step(name="boom", session=page.id)
            assert step["status"] == "raised" and step["error"]["type"] == "ValueError"
            await page.send({"type": "event", "event": "no_such_handler", "params": {}}, way)
            step = await inspector.step(name="no_such_handler", session=page.id)
            assert step["status"] == "refused" and step["error"]["type"] == "no_handler"
            await page.send({"type": "event", "event": "add", "params": {"n": "many"}}, way)
            step = await inspector.step(2, name="add", session=page.id)
            assert step["status"] == "invalid"
            answer = await inspector.command("jump", session=page.id, view=None, set={"count": 1})
            assert answer["ok"] is False and answer["error"]["code"] == "unsupported" and "sse" in answer["error"]["message"]
            await page.close()
            closed = await inspector.step(kind="close", session=page.id)
            assert "stream" in closed["cause"]["reason"]
            assert [f for f in inspector.frames("session") if f["session"] == page.id][-1]["phase"] == "closed"
            assert page.id not in SESSIONS

    run(check())


def test_sse_page_is_seen_by_an_inspector_that_comes_late_and_its_background_work_is_recorded():
    async def check():
        page = await Stream("lab.views.async_work.AsyncView", "/async/").open()
        assert page.id in SESSIONS
        async with attached() as inspector:
            (described,) = [f for f in inspector.frames("session") if f["session"] == page.id]
            assert described["transport"] == "sse" and described["phase"] == "mounted"
            await page.send({"type": "event", "event": "make_report", "params": {}}, "event")
            await inspector.step(kind="event", name="make_report", session=page.id)
            if VERSION >= (1, 1):  # before, djust does not run named work of such a page
                step = await inspector.step(kind="async", session=page.id)
                assert step["cause"]["started_by"] == "make_report"
            await page.send({"type": "wibble"})
            step = await inspector.step(kind="error", name="wibble", session=page.id)
            assert "wibble" in step["error"]["message"]
            await page.close()
            await inspector.step(kind="close", session=page.id)

    run(check())


def test_refused_sse_mount_is_a_step_and_no_page_stays():
    async def check():
        async with attached() as inspector:
            page = await Stream("os.path", "/").open()
            assert page.request.frames("error")
            step = await inspector.step(kind="mount", session=page.id)
            assert step["status"] == "failed"
            await asyncio.wait_for(page.request.task, 20)
            await inspector.step(kind="close", session=page.id)
            assert page.id not in SESSIONS

    run(check())


def post(client, path, event, **params):
    return client.post(
        path, json.dumps(params), content_type="application/json", headers={"x-djust-event": event, "host": "localhost"}
    )


def test_events_over_http_are_steps_of_one_page():
    from asgiref.sync import sync_to_async

    async def check():
        client = Client()
        async with attached() as inspector:
            await sync_to_async(client.get)("/counter/", headers={"host": "localhost"})
            answer = await sync_to_async(post)(client, "/counter/", "add", n=4)
            assert answer.status_code == 200
            step = await inspector.step(kind="event", name="add")
            page = step["session"]
            described = [f for f in inspector.frames("session") if f["session"] == page][-1]
            assert described["transport"] == "http" and described["path"] == "/counter/" and described["phase"] != "closed"
            assert described["view"]["class"] == COUNTER
            before, after = inspector.states(page)[step["key"]]
            assert (before["count"], after["count"]) == (0, 4)
            assert step["params"] == {"n": 4} and step["timing"]["render"] > 0 and ">4<" in step["html"]["text"]
            assert [f["dir"] for f in step["frames"]] == ["in", "out"] and step["status"] == "ok"
            standard = {"event": "add", "params": {"n": 5}}
            await sync_to_async(client.post)(
                "/counter/", json.dumps(standard), content_type="application/json", headers={"host": "localhost"}
            )
            step = await inspector.step(2, kind="event", name="add")
            before, after = inspector.states(page)[step["key"]]
            assert step["session"] == page and (before["count"], after["count"]) == (4, 9) and "outside" not in step
            for name, status, error in (
                ("boom", "raised", "ValueError"),
                ("get_context_data", "refused", "no_handler"),
                ("_private", "refused", "no_handler"),
            ):
                await sync_to_async(post)(client, "/counter/", name)
                step = await inspector.step(name=name)
                assert (step["status"], step["error"]["type"]) == (status, error), step
            await sync_to_async(post)(client, "/counter/", "add", n="many")
            step = await inspector.step(3, name="add")
            assert step["status"] == "invalid" and "many" in step["error"]["message"]
            await sync_to_async(client.post)("/counter/", "{", content_type="application/json", headers={"host": "localhost"})
            step = await inspector.step(name="message")
            assert step["status"] == "failed"
            assert len([f for f in inspector.frames("session") if f["session"] == page]) >= 1
            assert len(inspector.steps(kind="mount", session=page)) == 1
        assert hooks_http._pages and list(SESSIONS) == [page]
        HUB.stop()
        assert not hooks_http._pages and not SESSIONS

    run(check())


def test_over_http_nothing_is_kept_while_nobody_is_attached():
    client = Client()
    client.get("/counter/", headers={"host": "localhost"})
    assert post(client, "/counter/", "add", n=4).status_code == 200
    assert not hooks_http._pages and not SESSIONS and not hub.ACTIVE


def test_pages_over_http_are_bounded(monkeypatch):
    from asgiref.sync import sync_to_async

    monkeypatch.setattr(hooks_http, "MAX_PAGES", 3)

    async def check():
        async with attached() as inspector:
            for _ in range(6):
                client = Client()
                await sync_to_async(client.get)("/counter/", headers={"host": "localhost"})
                await sync_to_async(post)(client, "/counter/", "add", n=1)
            await inspector.step(6, name="add")
            assert len({s["session"] for s in inspector.steps(name="add")}) == 6
            assert len(hooks_http._pages) == len(SESSIONS) == 3
            await inspector.step(3, kind="close")

    run(check())
    guard.errors.clear()


def test_pages_of_a_real_server_without_a_websocket(tmp_path):
    """uvicorn, with the requests that djust's client sends: a stream, events for it, and events of the HTTP fallback."""
    import http.cookiejar
    import urllib.request

    from test_discovery import DEADLINE as LONG
    from test_discovery import answers, commands, free_port, read, serve, wait_for
    from websockets.sync.client import connect

    with serve(commands(free_port())["uvicorn"], tmp_path / "runtime") as process:
        found = wait_for(lambda: read(tmp_path / "runtime"), "discovery file")
        wait_for(lambda: answers(found["url"]), "an answer")
        jar = http.cookiejar.CookieJar()
        browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))

        def request(path, body=None, **headers):
            data = None if body is None else json.dumps(body).encode()
            token = next((c.value for c in jar if c.name == "csrftoken"), "")
            headers |= {"Content-Type": "application/json", "X-CSRFToken": token, "Referer": found["url"] + "/counter/"}
            return browser.open(urllib.request.Request(found["url"] + path, data, headers), timeout=LONG)

        with connect(
            found["url"].replace("http", "ws") + "/ws/live/?djust_inspector=1",
            origin=found["url"],
            additional_headers={"Authorization": f"Bearer {found['token']}"},
            max_size=None,
            proxy=None,
        ) as inspector:
            inspector.send(json.dumps({"t": "hello", "protocol": 1, "inspector": "test", "resume": None}))
            seen = []

            def step(**fields):
                while True:
                    frame = json.loads(inspector.recv(timeout=LONG))
                    seen.append(frame)
                    if frame["t"] == "step" and all(frame[k] == v for k, v in fields.items()):
                        return frame

            # Without a cookie: djust 1.2.6 cannot open a stream for one whose Django session lies in the database.
            identity = str(uuid.uuid4())
            stream = request(f"/djust/sse/{identity}/?view={COUNTER}")
            assert step(kind="mount", session=identity)["status"] == "ok"
            event = {"type": "event", "event": "add", "params": {"n": 4}, "ref": 1}
            request(f"/djust/sse/{identity}/event/", event, Origin=found["url"]).read()
            added = step(name="add", session=identity)
            assert added["status"] == "ok" and added["after"]["set"]["count"] == 4
            stream.close()
            step(kind="close", session=identity)
            request("/counter/").read()  # sets the cookie against forged requests
            answer = json.load(request("/counter/", {"n": 3}, **{"X-Djust-Event": "add"}))
            assert "patches" in answer or "html" in answer
            over_http = step(name="add")
            assert over_http["session"].startswith("http-") and over_http["status"] == "ok" and over_http["params"] == {"n": 3}
            transports = {f["session"]: f["transport"] for f in seen if f["t"] == "session"}
            assert transports == {identity: "sse", over_http["session"]: "http"}
        assert process.poll() is None
