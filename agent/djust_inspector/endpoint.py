"""The debug WebSocket: ``LiveViewConsumer``'s own route with ``?djust_inspector=1`` and a bearer token.

The check comes before anything of djust runs. A handshake that fails it is closed before it is
accepted, without a word.
"""

from __future__ import annotations

import asyncio
import hmac
import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

from . import PROTOCOL, __version__, discovery, farewell, guard, sync
from .hub import HUB, Inspector
from .turns import safe_dumps

#: Seconds for the first frame of an inspector.
HELLO_SECS = 5.0
#: Commands of one inspector that may run at once.
MAX_COMMANDS = 32


def make_call(original: Any) -> Any:
    """The hook of ``LiveViewConsumer.__call__``."""

    async def __call__(self: Any, scope: Any, receive: Any, send: Any) -> Any:
        if _meant_for_us(scope):
            if _admitted(scope):
                return await _serve(scope, receive, send)
            await receive()
            await send({"type": "websocket.close", "code": 4404})
            return None
        return await original(self, scope, receive, send)

    return __call__


def _meant_for_us(scope: Any) -> bool:
    try:
        if scope.get("type") != "websocket":
            return False
        discovery.see_scope(scope)
        query = scope.get("query_string") or b""
        if b"djust_inspector" not in query:
            return False
        wanted = parse_qs(query.decode("latin-1")).get("djust_inspector") == ["1"]
        return wanted and discovery.token() is not None
    except Exception:
        guard.report("endpoint")
        return False


def _admitted(scope: Any) -> bool:
    """Whether the handshake carries the token and comes from no foreign page."""
    try:
        expected = discovery.token()
        given = None
        origin = None
        for name, value in scope.get("headers") or []:
            name = bytes(name).lower()
            if name == b"authorization":
                if given is not None:
                    return False
                given = bytes(value)
            elif name == b"origin":
                origin = bytes(value).decode("latin-1")
        if expected is None or given is None or not given[:7].lower() == b"bearer ":
            return False
        if not hmac.compare_digest(given[7:].strip(), expected.encode("utf-8")):
            return False
        return origin is None or _origin_allowed(origin)
    except Exception:
        guard.report("endpoint._admitted")
        return False


def _origin_allowed(origin: str) -> bool:
    try:
        parts = urlsplit(origin)
        host = parts.hostname
    except ValueError:
        return False
    if parts.scheme not in ("http", "https") or not host:
        return False
    return discovery.host_allowed(f"[{host}]" if ":" in host else host)


async def _serve(scope: Any, receive: Any, send: Any) -> None:
    """One attached inspector, from its handshake to its end."""
    message = await receive()
    if message["type"] != "websocket.connect":
        return
    await send({"type": "websocket.accept"})
    try:
        hello = await asyncio.wait_for(_next_text(receive), HELLO_SECS)
    except asyncio.TimeoutError:
        await _refuse(send, "hello", "no hello within five seconds")
        return
    if hello is None:
        return
    parsed = _parse(hello)
    if parsed is None or parsed.get("t") != "hello":
        await _refuse(send, "hello", "the first frame must be hello")
        return
    if parsed.get("protocol") != PROTOCOL:
        await _refuse(send, "protocol", f"this agent ({__version__}) speaks protocol {PROTOCOL} only")
        return
    inspector = Inspector(asyncio.get_running_loop())
    HUB.activate()
    farewell.prepare()
    try:
        _welcome(inspector, parsed)
        writer = asyncio.ensure_future(_write(inspector, send))
        reader = asyncio.ensure_future(_read(inspector, receive))
        try:
            await asyncio.wait({writer, reader}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (writer, reader):
                task.cancel()
            await asyncio.gather(writer, reader, return_exceptions=True)
    finally:
        HUB.detach(inspector)


def _welcome(inspector: Inspector, hello: dict[str, Any]) -> None:
    from . import server

    resume = hello.get("resume")
    resume = resume if type(resume) is dict else {}
    guard.guarded(server.changed)()  # remembers it as sent
    described = safe_dumps(guard.guarded(server.describe)() or {})
    with HUB.lock:
        resumed = HUB.can_resume(resume.get("agent"), resume.get("seq"))
        inspector.put_always(
            '{"t":"welcome","protocol":%d,"agent":"%s","version":"%s","resumed":%s,"seq":%d,"server":%s}'
            % (PROTOCOL, HUB.agent_id, __version__, "true" if resumed else "false", HUB.seq, described)
        )
        if resumed:
            HUB.replay(inspector, resume["seq"])
        else:
            sync.queue(inspector, history=True)
        HUB.attach(inspector)


async def _refuse(send: Any, code: str, message: str) -> None:
    await send({"type": "websocket.send", "text": json.dumps({"t": "refused", "code": code, "message": message})})
    await send({"type": "websocket.close", "code": 4400})


async def _next_text(receive: Any) -> str | None:
    """The next text frame; ``None`` when the inspector has gone."""
    while True:
        message = await receive()
        if message["type"] == "websocket.disconnect":
            return None
        if message.get("text") is not None:
            return message["text"]


def _parse(text: str) -> dict[str, Any] | None:
    try:
        parsed = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return parsed if type(parsed) is dict else None


async def _write(inspector: Inspector, send: Any) -> None:
    """Send what is queued. The only place that waits for the inspector's network."""
    while not inspector.closed:
        await inspector.ready.wait()
        inspector.ready.clear()
        while True:
            with HUB.lock:
                if inspector.dropped:
                    dropped, inspector.dropped = inspector.dropped, 0
                    inspector.queue.clear()
                    inspector.bytes = 0
                    inspector.put_always(HUB.frame("gap", '"dropped":%d,"why":"slow"' % dropped))
                    sync.queue(inspector, history=False)
                if not inspector.queue:
                    break
                text = inspector.queue.popleft()
                inspector.bytes -= len(text)
            await send({"type": "websocket.send", "text": text})


async def _read(inspector: Inspector, receive: Any) -> None:
    """Run the inspector's commands, each as a task of its own."""
    from . import commands

    running: set[asyncio.Task[Any]] = set()
    try:
        while True:
            text = await _next_text(receive)
            if text is None:
                return
            command = _parse(text)
            if command is None or command.get("t") != "command":
                continue
            if len(running) >= MAX_COMMANDS:
                commands.answer(inspector, command.get("id"), commands.Refused("busy", "too many commands at once"))
                continue
            task = asyncio.ensure_future(commands.run(inspector, command))
            running.add(task)
            task.add_done_callback(running.discard)
    finally:
        for task in running:
            task.cancel()


__all__ = ["make_call"]
