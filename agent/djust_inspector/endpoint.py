"""The debug WebSocket: ``LiveViewConsumer``'s own route with ``?djust_inspector=1`` and a bearer token.

The check comes before anything of djust runs. A handshake that fails it is closed before it is
accepted, without a word.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import time
from typing import Any
from urllib.parse import parse_qs

from . import PROTOCOL, __version__, access, discovery, farewell, guard, options, pressure, sync
from .access import Denied, Grant
from .hub import HUB, Inspector
from .lockout import address_of
from .turns import safe_dumps

#: Seconds for the first frame of an inspector.
HELLO_SECS = 5.0
#: Characters of the first frame, and of any other.
MAX_HELLO = 64 * 1024
MAX_FRAME = 16 * 1024 * 1024
#: Levels of JSON in a frame, as many as the inspector reads; and values and texts' commas in it, of which each may
#: cost fifty times its bytes.
MAX_DEPTH = 128
MAX_VALUES = 1_000_000
#: Commands of one inspector that may run at once.
MAX_COMMANDS = 32
#: Frames that an inspector may send at once, and a second.
MAX_BURST = 400
MAX_RATE = 200.0
#: Inspectors that may be attached, or about to be, at once.
MAX_INSPECTORS = 16
#: Seconds between two looks at whether an attachment may go on.
WATCH_SECS = 1.0
#: Seconds for one frame to leave. A peer that takes longer is gone, or may as well be.
SEND_SECS = 60.0

#: Bytes that may wait in a server that does not hold its senders back.
MAX_WAITING = 1024 * 1024

_attached = 0
_NAME = re.compile(r"[A-Za-z0-9_.:-]{1,64}")


def make_call(original: Any) -> Any:
    """The hook of ``LiveViewConsumer.__call__``."""

    async def __call__(self: Any, scope: Any, receive: Any, send: Any) -> Any:
        if _meant_for_us(scope):
            verdict = guard.guarded(access.admit)(scope)
            if isinstance(verdict, Grant):
                return await _count(_serve, scope, receive, send, verdict)
            await receive()
            if isinstance(verdict, Denied) and verdict.told is not None:
                return await _count(_tell, send, verdict.told)
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
    except _TooMuch as error:
        await _refuse(send, "hello", str(error))
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
    inspector.writes = grant.writes and parsed.get("writes") is True
    how = "may write" if inspector.writes else "read-only"
    access.note("attached: %s from %s, %s", grant.name, address, how)
    HUB.activate()
    farewell.prepare()
    ended: tuple[str, str] | None = None
    try:
        _welcome(inspector, parsed, grant)
        work = [
            asyncio.ensure_future(_write(inspector, send)),
            asyncio.ensure_future(_read(inspector, receive, grant)),
            asyncio.ensure_future(_watch(inspector, grant)),
        ]
        try:
            await asyncio.wait(work, return_when=asyncio.FIRST_COMPLETED)
            for task in work:
                if task.done() and not task.cancelled() and task.exception() is None and task.result() is not None:
                    ended = task.result()
        finally:
            for task in work:
                task.cancel()
            await asyncio.gather(*work, return_exceptions=True)
        if ended is not None:
            with contextlib.suppress(Exception):  # it may be gone, or not be reading
                await asyncio.wait_for(_refuse(send, *ended), 2.0)
    finally:
        HUB.detach(inspector)
        access.note("detached: %s from %s%s", grant.name, address, f", {ended[1]}" if ended is not None else "")
        if ended is not None and ended[0] == "off":
            HUB.stop()


def _welcome(inspector: Inspector, hello: dict[str, Any], grant: Grant) -> None:
    from . import server

    resume = hello.get("resume")
    resume = resume if type(resume) is dict else {}
    guard.guarded(server.changed)()  # remembers it as sent
    described = safe_dumps(guard.guarded(server.describe)() or {})
    allowed = {
        "token": grant.name,
        "writes": inspector.writes,
        "writes_allowed": grant.writes,
        "expires": grant.expires,
    }
    with HUB.lock:
        resumed = HUB.can_resume(resume.get("agent"), resume.get("seq"))
        inspector.put_always(
            '{"t":"welcome","protocol":%d,"agent":"%s","version":"%s","resumed":%s,"seq":%d,"access":%s,"server":%s}'
            % (
                PROTOCOL,
                HUB.agent_id,
                __version__,
                "true" if resumed else "false",
                HUB.seq,
                safe_dumps(allowed),
                described,
            )
        )
        if resumed:
            HUB.replay(inspector, resume["seq"])
        else:
            sync.queue(inspector, history=True)
        HUB.attach(inspector)


async def _refuse(send: Any, code: str, message: str) -> None:
    await send({"type": "websocket.send", "text": json.dumps({"t": "refused", "code": code, "message": message})})
    await send({"type": "websocket.close", "code": 4400})


class _TooMuch(Exception):
    """The inspector sends more than it may."""


async def _next_text(receive: Any, most: int = MAX_FRAME) -> str | None:
    """The next frame, empty for a binary one; ``None`` when the inspector has gone."""
    message = await receive()
    if message["type"] != "websocket.receive":
        return None
    text = message.get("text")
    if len(text if text is not None else message.get("bytes") or b"") > most:
        raise _TooMuch(f"a frame of more than {most} characters")
    if text and sum(map(text.count, ",[{")) > MAX_VALUES:
        raise _TooMuch(f"a frame of more than {MAX_VALUES} values")
    return text or ""


def _parse(text: str) -> dict[str, Any] | None:
    """A frame that is an object, and not nested too deeply for whatever walks it with recursion."""
    try:
        parsed = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return parsed if type(parsed) is dict and not _is_deep(parsed) else None


def _is_deep(value: Any) -> bool:
    level = [value]
    for _ in range(MAX_DEPTH):
        if not level:
            return False
        inner = (each.values() if type(each) is dict else each for each in level)
        level = [item for items in inner for item in items if type(item) in (dict, list)]
    return bool(level)


async def _write(inspector: Inspector, send: Any) -> None:
    """Send what is queued. The only place that waits for the inspector's network."""
    waiting = pressure.waiting(send)
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
            inspector.sending = time.monotonic()
            await send({"type": "websocket.send", "text": text})
            while waiting is not None and waiting() > MAX_WAITING:
                await asyncio.sleep(0.02)
            inspector.sending = None


async def _watch(inspector: Inspector, grant: Grant) -> tuple[str, str]:
    """Look whether the attachment may go on, until it may not: (code, words)."""
    while True:
        await asyncio.sleep(WATCH_SECS)
        wrong = access.fault(grant)
        if wrong is not None:
            return wrong
        if inspector.sending is not None and time.monotonic() - inspector.sending > SEND_SECS:
            return "slow", f"no frame could be sent for {SEND_SECS:.0f} s"
        if inspector.closed:
            return "slow", "what it asked for is not read"


async def _read(inspector: Inspector, receive: Any, grant: Grant) -> tuple[str, str] | None:
    """Run the inspector's commands, each as a task of its own. Why it is sent away, if it is."""
    from . import commands

    running: set[asyncio.Task[Any]] = set()
    left, at = float(MAX_BURST), time.monotonic()
    try:
        while True:
            try:
                text = await _next_text(receive)
            except _TooMuch as error:
                return "flood", str(error)
            if text is None:
                return None
            now = time.monotonic()
            left, at = min(MAX_BURST, left + (now - at) * MAX_RATE) - 1, now
            if left < 0:
                return "flood", f"more than {MAX_RATE:.0f} frames a second"
            command = _parse(text)
            if command is None or command.get("t") != "command":
                continue
            refused = _forbidden(inspector, command, grant)
            if refused is None and len(running) >= MAX_COMMANDS:
                refused = commands.Refused("busy", "too many commands at once")
            if refused is not None:
                commands.answer(inspector, command.get("id"), refused)
                continue
            task = asyncio.ensure_future(commands.run(inspector, command))
            running.add(task)
            task.add_done_callback(running.discard)
    finally:
        for task in running:
            task.cancel()


def _forbidden(inspector: Inspector, command: dict[str, Any], grant: Grant) -> Any:
    """Write the command into the server's log; the refusal, if this inspector may not give it."""
    from . import commands

    do, page, event = (_plain(command.get(name)) for name in ("do", "session", "event"))
    about = f"{do}{f' {event}' if event else ''}{f' on page {page}' if page else ''}"
    if inspector.writes or do in access.READING:
        access.note("command of %s: %s", grant.name, about)
        return None
    access.log.warning("refused command of %s, which is read-only: %s", grant.name, about)
    if grant.writes:
        return commands.Refused("read_only", "this attachment is read-only", "Allow changes for it, then attach again")
    why = f"the token {grant.name} may only read"
    return commands.Refused("read_only", why, "Let it write in the server's settings, and attach again")


def _plain(name: Any) -> str:
    """A name from a command as it may stand in a log."""
    if type(name) is not str or not name:
        return ""
    return name if _NAME.fullmatch(name) else "(odd name)"


__all__ = ["make_call"]
