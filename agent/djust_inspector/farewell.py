"""``bye``: telling the inspectors that the server is about to end, where its server lets us know in time."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import sys
import time
from typing import Any

from . import forks, guard
from .hub import HUB
from .relay import RELAY

#: Seconds that the end of the server may be held back for the frame to leave.
WAIT_SECS = 0.25
_prepared = False
_said = False


@forks.in_child
def _forked() -> None:
    global _said
    _said = False


def prepare() -> None:
    """Hook the ends of the servers that are loaded. Called when an inspector attaches, or other workers could; works once."""
    global _prepared
    if _prepared:
        return
    _prepared = True
    guard.guarded(_uvicorn)()
    guard.guarded(_twisted)()
    guard.guarded(_autoreload)()


def say(why: str) -> bool:
    """Queue ``bye`` for every inspector; false when nobody is there or it was said already."""
    global _said
    if _said or not HUB.inspectors:
        return False
    _said = True
    with HUB.lock:
        text = HUB.frame("bye", f'"why":"{why}"')
        for inspector in HUB.inspectors:
            inspector.put_always(text)
    return True


def _sent() -> bool:
    return not any(inspector.queue for inspector in HUB.inspectors)


def _uvicorn() -> None:
    server = getattr(sys.modules.get("uvicorn.server"), "Server", None)
    original = getattr(server, "shutdown", None)
    if original is None:
        return

    @functools.wraps(original)
    async def shutdown(self: Any, *args: Any, **kwargs: Any) -> Any:
        from . import server as description

        why = "reload" if guard.guarded(description.autoreload)() else "shutdown"
        if guard.guarded(say)(why):
            end = time.monotonic() + WAIT_SECS
            while not _sent() and time.monotonic() < end:
                await asyncio.sleep(0.01)
            await asyncio.sleep(0.02)
        with contextlib.suppress(Exception):
            await asyncio.wait_for(RELAY.stop(), WAIT_SECS)
        return await original(self, *args, **kwargs)

    server.shutdown = shutdown


def _twisted() -> None:
    reactor = sys.modules.get("twisted.internet.reactor")
    if reactor is None or not getattr(reactor, "running", False):
        return
    from twisted.internet.task import deferLater

    def ending() -> Any:
        return deferLater(reactor, WAIT_SECS, lambda: None) if guard.guarded(say)("shutdown") else None

    reactor.addSystemEventTrigger("before", "shutdown", ending)  # type: ignore[attr-defined]


def _autoreload() -> None:
    module = sys.modules.get("django.utils.autoreload")
    original = getattr(module, "trigger_reload", None)
    if original is None:
        return

    @functools.wraps(original)
    def trigger_reload(*args: Any, **kwargs: Any) -> Any:
        if guard.guarded(say)("reload"):
            time.sleep(WAIT_SECS)  # in the reloader's own thread; the server's sends meanwhile
        return original(*args, **kwargs)

    module.trigger_reload = trigger_reload  # type: ignore[union-attr]
