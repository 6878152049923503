"""The debug WebSocket: ``LiveViewConsumer``'s own route with ``?djust_inspector=1`` and a bearer token.

The check comes before anything of djust runs. A handshake that fails it is closed before it is
accepted, without a word.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from typing import Any
from urllib.parse import parse_qs

from . import PROTOCOL, __version__, access, configuration, crossing, discovery, farewell, forks, guard, options, pressure, serving, sync
from .access import Denied, Grant
from .hub import HUB, Inspector
from .lockout import address_of
from .relay import RELAY, shared_layer
from .turns import safe_dumps

#: Workers that an inspector may say it knows.
MAX_WORKERS = 256
#: Seconds for the first frame of an inspector.
HELLO_SECS = 5.0
#: Characters of the first frame.
MAX_HELLO = 64 * 1024
#: Inspectors that may be attached, or about to be, at once.
MAX_INSPECTORS = 16
#: Bytes that may wait in a server that does not hold its senders back.
MAX_WAITING = 1024 * 1024

_attached = 0


@forks.in_child
def _forked() -> None:
    global _attached
    _attached = 0


def make_call(original: Any) -> Any:
    """The hook of ``LiveViewConsumer.__call__``."""

    async def __call__(*args: Any, **kwargs: Any) -> Any:
        scope = guard.argument(args, kwargs, 1, "scope")
        if _meant_for_us(scope):
            receive, send = guard.argument(args, kwargs, 2, "receive"), guard.argument(args, kwargs, 3, "send")
            verdict = guard.guarded(access.admit)(scope)
            if isinstance(verdict, Grant):
                return await _count(_serve, scope, receive, send, verdict)
            await receive()
            if isinstance(verdict, Denied) and verdict.told is not None:
                return await _count(_tell, send, verdict.told)
            await send({"type": "websocket.close", "code": 4404})
            return None
        return await original(*args, **kwargs)

    return __call__


def _meant_for_us(scope: Any) -> bool:
    try:
        if scope.get("type") != "websocket":
            return False
        discovery.see_scope(scope)
        guard.guarded(RELAY.start)()
        query = scope.get("query_string") or b""
        if b"djust_inspector" not in query:
            return False
        wanted = parse_qs(query.decode("latin-1")).get("djust_inspector") == ["1"]
        return wanted and access.exists()
    except Exception:
        guard.report("endpoint")
        return False


async def _tell(send: Any, why: str) -> None:
    await send({"type": "websocket.accept"})
    await _refuse(send, "token_in_address", why)


async def _count(serve: Any, *args: Any) -> None:
    global _attached
    _attached += 1
    try:
        await serve(*args)
    finally:
        _attached -= 1


async def _serve(scope: Any, receive: Any, send: Any, grant: Grant) -> None:
    """One attached inspector, from its handshake to its end."""
    address = address_of(scope, options.current().trusted_proxies)
    message = await receive()
    if message["type"] != "websocket.connect":
        return
    await send({"type": "websocket.accept"})
    if _attached > MAX_INSPECTORS:
        access.log.warning("refused %s from %s: %d inspectors are attached", grant.name, address, _attached - 1)
        await _refuse(send, "busy", f"{MAX_INSPECTORS} inspectors are attached already")
        return
    try:
        hello = await asyncio.wait_for(_next_text(receive, MAX_HELLO), HELLO_SECS)
    except asyncio.TimeoutError:
        await _refuse(send, "hello", "no hello within five seconds")
        return
    except serving.TooMuch as error:
        await _refuse(send, "hello", str(error))
        return
    if hello is None:
        return
    parsed = serving.parse(hello)
    if parsed is None or parsed.get("t") != "hello":
        await _refuse(send, "hello", "the first frame must be hello")
        return
    if parsed.get("protocol") != PROTOCOL:
        await _refuse(send, "protocol", f"this agent ({__version__}) speaks protocol {PROTOCOL} only")
        return
    inspector = Inspector(asyncio.get_running_loop())
    inspector.writes = grant.writes and parsed.get("writes") is True
    how = "may write" if inspector.writes else "read-only"
    access.note("attached: %s from %s, %s", grant.name, address, how)
    HUB.activate()
    farewell.prepare()
    points = _points(parsed.get("resume"))
    others = None
    if parsed.get("workers") is True and shared_layer():
        others = crossing.Others(inspector, grant.name, points)
    ended: serving.End | None = None
    looking = None
    try:
        _welcome(inspector, points, grant)
        if others is not None:
            looking = asyncio.ensure_future(others.run())
        ended = await serving.serve(
            inspector,
            _sender(inspector, send),
            lambda: _next_text(receive),
            lambda: access.fault(grant),
            lambda command: serving.forbidden(inspector, command, grant.name, grant.writes),
            others.forward if others is not None else lambda command: False,
        )
        if ended is not None:
            with contextlib.suppress(Exception):  # it may be gone, or not be reading
                await asyncio.wait_for(_refuse(send, *ended), 2.0)
    finally:
        if looking is not None:
            looking.cancel()
        HUB.detach(inspector)
        access.note("detached: %s from %s%s", grant.name, address, f", {ended[1]}" if ended is not None else "")
        if ended is not None and ended[0] == "off":
            HUB.stop()


def _points(resume: Any) -> dict[str, int]:
    """How far an inspector has come with each worker that it knows."""
    known = resume[:MAX_WORKERS] if type(resume) is list else []
    points = [(p.get("agent"), p.get("seq")) for p in known if type(p) is dict]
    return {agent: seq for agent, seq in points if type(agent) is str and type(seq) is int}


def _sender(inspector: Inspector, send: Any) -> Any:
    """What sends texts over the WebSocket, and waits until there is room for more."""
    waiting = pressure.waiting(send)

    async def deliver(texts: list[str]) -> None:
        for text in texts:
            inspector.sending = time.monotonic()
            await send({"type": "websocket.send", "text": text})
            while waiting is not None and waiting() > MAX_WAITING:
                await asyncio.sleep(0.02)

    return deliver


def _welcome(inspector: Inspector, points: dict[str, int], grant: Grant) -> None:
    from . import server

    guard.guarded(server.changed)()  # remembers it as sent
    guard.guarded(configuration.refresh)()
    described = safe_dumps(guard.guarded(server.describe)() or {})
    allowed = {
        "token": grant.name,
        "writes": inspector.writes,
        "writes_allowed": grant.writes,
        "expires": grant.expires,
    }
    with HUB.lock:
        resumed = HUB.can_resume(HUB.agent_id, points.get(HUB.agent_id))
        if not resumed:
            HUB.skip()
        inspector.put_always(
            '{"t":"welcome","protocol":%d,"agent":"%s","version":"%s","resumed":%s,"seq":%d,"unrecorded":%s,"access":%s,"server":%s}'
            % (
                PROTOCOL,
                HUB.agent_id,
                __version__,
                "true" if resumed else "false",
                HUB.seq,
                json.dumps(HUB.unrecorded(points.get(HUB.agent_id))),
                safe_dumps(allowed),
                described,
            )
        )
        if resumed:
            HUB.replay(inspector, points[HUB.agent_id])
        else:
            sync.begin(inspector, history=True)
        HUB.attach(inspector)


async def _refuse(send: Any, code: str, message: str) -> None:
    await send({"type": "websocket.send", "text": json.dumps({"t": "refused", "code": code, "message": message})})
    await send({"type": "websocket.close", "code": 4400})


async def _next_text(receive: Any, most: int = serving.MAX_FRAME) -> str | None:
    """The next frame, empty for a binary one; ``None`` when the inspector has gone."""
    message = await receive()
    if message["type"] != "websocket.receive":
        return None
    text = message.get("text")
    if len(text if text is not None else message.get("bytes") or b"") > most:
        raise serving.TooMuch(f"a frame of more than {most} characters")
    if text and sum(map(text.count, ",[{")) > serving.MAX_VALUES:
        raise serving.TooMuch(f"a frame of more than {serving.MAX_VALUES} values")
    return text or ""


__all__ = ["make_call"]
