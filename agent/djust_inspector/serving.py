"""Serving one inspector: its queue goes out, its commands come in, until it may not go on.

The same for one whose WebSocket is in this process (`endpoint`) and for one that is attached to another worker
(`crossing`): they differ in how texts leave and arrive, and in who decides that it is over.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from typing import Any, Awaitable, Callable

from . import access, sync
from .hub import HUB, Inspector, size_of

#: Characters of a frame of an inspector.
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
#: Seconds between two looks at whether an attachment may go on.
WATCH_SECS = 1.0
#: Seconds for one frame to leave. A peer that takes longer is gone, or may as well be.
SEND_SECS = 60.0

#: Bytes in an inspector's queue with which its sync waits before it goes on.
SYNC_AHEAD = 1024 * 1024
#: Bytes that are sent before pages have a turn.
SLICE = 256 * 1024

#: Why an attachment ends: the protocol's code, and words.
End = tuple[str, str]
_NAME = re.compile(r"[A-Za-z0-9_.:-]{1,64}")


class TooMuch(Exception):
    """The inspector sends more than it may."""


async def serve(
    inspector: Inspector,
    deliver: Callable[[list[str]], Awaitable[None]],
    next_text: Callable[[], Awaitable[str | None]],
    fault: Callable[[], End | None],
    refusal: Callable[[dict[str, Any]], Any],
    forward: Callable[[dict[str, Any]], bool] = lambda command: False,
    batch: int = 0,
) -> End | None:
    """Serve until something ends it; why, unless the inspector went.

    `deliver` sends texts and waits until they have left, up to `batch` characters and one more at a time. `refusal` says
    why a command is not carried out, `forward` takes one that is another worker's.
    """
    work = [
        asyncio.ensure_future(_write(inspector, deliver, batch)),
        asyncio.ensure_future(_read(inspector, next_text, refusal, forward)),
        asyncio.ensure_future(_watch(inspector, fault)),
    ]
    ended: End | None = None
    try:
        await asyncio.wait(work, return_when=asyncio.FIRST_COMPLETED)
        for task in work:
            if task.done() and not task.cancelled() and task.exception() is None and task.result() is not None:
                ended = task.result()
    finally:
        for task in work:
            task.cancel()
        await asyncio.gather(*work, return_exceptions=True)
    return ended


async def _write(inspector: Inspector, deliver: Callable[[list[str]], Awaitable[None]], batch: int) -> None:
    """Send what is queued. The only place that waits for the inspector's network."""
    sent = 0
    while not inspector.closed:
        await inspector.ready.wait()
        inspector.ready.clear()
        while not inspector.closed:
            # A server may take texts without ever waiting: pages have their turn between two pages of a sync, and now and then.
            if inspector.sync is not None and inspector.bytes < SYNC_AHEAD:
                sync.step(inspector)
                sent = SLICE
            if sent >= SLICE:
                await asyncio.sleep(0)
                sent = 0
            with HUB.lock:
                if inspector.dropped:
                    dropped, inspector.dropped = inspector.dropped, 0
                    inspector.queue.clear()
                    inspector.bytes = 0
                    inspector.put_always(HUB.frame("gap", '"dropped":%d,"why":"slow"' % dropped))
                    sync.begin(inspector, history=False)
                texts = _take(inspector, batch)
            relayed = inspector.relayed.popleft() if inspector.relayed else None
            if not texts and relayed is None and inspector.sync is None:
                break
            sent += sum(map(size_of, texts))
            inspector.sending = time.monotonic()
            if texts:
                await deliver(texts)
            if relayed is not None:
                await deliver(relayed[0])
                relayed[1]()
            inspector.sending = None


def _take(inspector: Inspector, batch: int) -> list[str]:
    texts: list[str] = []
    size = 0
    while inspector.queue and size <= batch:
        text = inspector.queue.popleft()
        inspector.bytes -= size_of(text)
        size += len(text) or 1
        texts.append(text)
        if not batch:
            break
    return texts


async def _watch(inspector: Inspector, fault: Callable[[], End | None]) -> End:
    """Look whether the attachment may go on, until it may not."""
    while True:
        await asyncio.sleep(WATCH_SECS)
        wrong = fault()
        if wrong is not None:
            return wrong
        if inspector.sending is not None and time.monotonic() - inspector.sending > SEND_SECS:
            return "slow", f"no frame could be sent for {SEND_SECS:.0f} s"
        if inspector.closed:
            return "slow", "what it asked for is not read"


async def _read(
    inspector: Inspector,
    next_text: Callable[[], Awaitable[str | None]],
    refusal: Callable[[dict[str, Any]], Any],
    forward: Callable[[dict[str, Any]], bool],
) -> End | None:
    """Run the inspector's commands, each as a task of its own. Why it is sent away, if it is."""
    from . import commands

    running: set[asyncio.Task[Any]] = set()
    left, at = float(MAX_BURST), time.monotonic()
    try:
        while True:
            try:
                text = await next_text()
            except TooMuch as error:
                return "flood", str(error)
            if text is None:
                return None
            await asyncio.sleep(0)  # a server has many frames ready at once: pages have their turn between two of them
            now = time.monotonic()
            left, at = min(MAX_BURST, left + (now - at) * MAX_RATE) - 1, now
            if left < 0:
                return "flood", f"more than {MAX_RATE:.0f} frames a second"
            command = parse(text)
            if command is None or command.get("t") != "command":
                continue
            refused = refusal(command)
            if refused is None and len(running) >= MAX_COMMANDS:
                refused = commands.Refused("busy", "too many commands at once")
            if refused is not None:
                commands.answer(inspector, command.get("id"), refused)
                continue
            if forward(command):
                continue
            task = asyncio.ensure_future(commands.run(inspector, command))
            running.add(task)
            task.add_done_callback(running.discard)
    finally:
        for task in running:
            task.cancel()


def parse(text: str) -> dict[str, Any] | None:
    """A frame of an inspector, if it is an object and not nested too deeply for whatever walks it with recursion."""
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


def forbidden(inspector: Inspector, command: dict[str, Any], name: str, writes_allowed: bool) -> Any:
    """Write the command into the server's log; the refusal, if this inspector may not give it."""
    from . import commands

    do, page, event = (_plain(command.get(field)) for field in ("do", "session", "event"))
    about = f"{do}{f' {event}' if event else ''}{f' on page {page}' if page else ''}"
    if inspector.writes or do in access.READING:
        access.note("command of %s: %s", name, about)
        return None
    access.log.warning("refused command of %s, which is read-only: %s", name, about)
    if writes_allowed:
        return commands.Refused("read_only", "this attachment is read-only", "Allow changes for it, then attach again")
    why = f"the token {name} may only read"
    return commands.Refused("read_only", why, "Let it write in the server's settings, and attach again")


def _plain(name: Any) -> str:
    """A name from a command as it may stand in a log."""
    if type(name) is not str or not name:
        return ""
    return name if _NAME.fullmatch(name) else "(odd name)"
