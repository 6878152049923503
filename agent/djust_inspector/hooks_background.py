"""Hooks of what happens on a page without its browser: ticks, pushes, background work."""

from __future__ import annotations

import contextvars
import functools
import inspect
import sys
import time
from typing import Any, Callable

from . import guard, hub, sessions, turns
from .guard import argument
from .turns import CURRENT, Turn, current

# -- ticks


def make_tick_once(original: Any) -> Any:
    async def _tick_once(*args: Any, **kwargs: Any) -> Any:
        if not hub.ACTIVE:
            return await original(*args, **kwargs)
        if _paused(args, kwargs):
            return False
        turn = _begin_tick(args, kwargs)
        if turn is None:
            return await original(*args, **kwargs)
        return await turns.run(turn, original, args, kwargs, _end_tick)

    return _tick_once


@guard.guarded
def _paused(args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    """Whether the page's ticks are held back: that is the inspector's word, whatever the recording leaves out."""
    session = sessions.of(argument(args, kwargs, 0, "self"))
    return session is not None and session.ticks_paused


@turns.begins
def _begin_tick(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Turn | None:
    session = sessions.begin(argument(args, kwargs, 0, "self"))
    if session is None:
        return None
    turn = Turn(session, "tick", "tick")
    turn.quiet = True
    return turn


def _end_tick(turn: Turn, error: BaseException | None) -> None:
    if isinstance(error, Exception):
        turn.raised(error)


def make_run_tick(original: Any) -> Any:
    """djust before 1.1 has its ticks in one loop: a turn ends, and the next one begins, with each tick."""

    async def _run_tick(*args: Any, **kwargs: Any) -> Any:
        if hub.ACTIVE and _paused(args, kwargs):
            return None  # of a page that was mounted anew while its ticks were held back; `ticks.resume` begins it again
        _in_tick_loop.set(True)
        return await original(*args, **kwargs)

    return _run_tick


_in_tick_loop: "contextvars.ContextVar[bool]" = contextvars.ContextVar("djust_inspector_tick", default=False)


def make_snapshot_assigns(original: Any) -> Any:
    def _snapshot_assigns(*args: Any, **kwargs: Any) -> Any:
        if hub.ACTIVE:
            _assigns_read(args, kwargs)
        return original(*args, **kwargs)

    return _snapshot_assigns


@guard.guarded
def _assigns_read(args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    view = argument(args, kwargs, 0, "view_instance")
    turn = current()
    if turn is not None:
        if turn.kind == "tick" and turn.before is None:
            turn.look_before(view)
        return
    if not _in_tick_loop.get():
        return
    for session in list(sessions.SESSIONS.values()):
        if session.root is view and sessions.begin(session.consumer) is not None:
            tick = Turn(session, "tick", "tick")
            tick.quiet = True
            CURRENT.set(tick)
            tick.look_before(view)
            if session.loop is not None:
                from .ticks import finish_when_unlocked

                # Its own empty context: the task is no part of the turn that it waits for.
                contextvars.Context().run(session.loop.create_task, finish_when_unlocked(tick, session))
            return


# -- pushes


def make_push(name: str) -> Callable[[Any], Any]:
    """The hook of a message of the channel layer: all that follows the consumer are messages."""
    return turns.around(lambda args, kwargs: _begin_push(name, args, kwargs))


def _begin_push(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Turn | None:
    session = sessions.begin(argument(args, kwargs, 0, "self"))
    if session is None:
        return None
    events = args[1:] or tuple(kwargs.values())
    turn = Turn(session, "push", name)
    turn.quiet = True
    view = session.root
    plain = [{k: v for k, v in e.items() if k not in ("type", "sender_channel")} for e in events if type(e) is dict]
    for event in plain:
        label = event.get("handler") or event.get("event") or event.get("channel")
        if type(label) is str:
            turn.name = label if name != "db_notify" else f"db_notify {label}"
    turn.params = turns.typed(plain[0] if len(plain) == 1 else plain, turn.hidden(view))
    turn.cause = {"by": name, "pushes": len(events)}
    turn.look_before(view)
    return turn


# -- background work


def make_async_work(original: Any) -> Any:
    """The hook of ``_run_async_work`` and ``_execute_async_task``: (self, task_name, callback, args, kwargs, event_name)."""
    watches = not hasattr(sys.modules.get("djust.mixins.async_work"), "run_async_callback")

    async def background_work(*args: Any, **kwargs: Any) -> Any:
        turn = _begin_async(args, kwargs) if hub.ACTIVE else None
        if turn is None:
            return await original(*args, **kwargs)
        if watches and len(args) > 2:
            args = (*args[:2], _timed(turn, args[2]), *args[3:])
        return await turns.run(turn, original, args, kwargs)

    return background_work


@turns.begins
def _begin_async(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Turn | None:
    from .hooks_http import page_of

    page = page_of(argument(args, kwargs, 0, "self"))
    session = sessions.begin(page) if page is not None else None
    if session is None:
        return None
    event_name = argument(args, kwargs, 5, "event_name")
    turn = Turn(session, "async", str(argument(args, kwargs, 1, "task_name")))
    turn.cause = {"started_by": event_name if type(event_name) is str else None}
    turn.view = session.root
    session.running.add(turn)
    return turn


def make_async_callback(original: Any) -> Any:
    """djust shows the exception of a ``start_async`` nowhere but in its log, and its time nowhere."""

    async def run_async_callback(*args: Any, **kwargs: Any) -> Any:
        turn = current() if hub.ACTIVE else None
        if turn is None or turn.kind != "async":
            return await original(*args, **kwargs)
        start = time.perf_counter()
        try:
            return await original(*args, **kwargs)
        except Exception as error:
            guard.guarded(turn.raised)(error)
            raise
        finally:
            turn.handler_ms = (time.perf_counter() - start) * 1000

    return run_async_callback


def _timed(turn: Turn, callback: Any) -> Any:
    """The callback, timed: djust before 1.1 calls it in the middle of a long function. Its exception is in djust's log."""
    if not callable(callback):
        return callback
    if inspect.iscoroutinefunction(callback):

        async def timed(*args: Any, **kwargs: Any) -> Any:
            start = time.perf_counter()
            try:
                return await callback(*args, **kwargs)
            finally:
                turn.handler_ms = (time.perf_counter() - start) * 1000

    else:

        def timed(*args: Any, **kwargs: Any) -> Any:  # type: ignore[misc]
            start = time.perf_counter()
            try:
                return callback(*args, **kwargs)
            finally:
                turn.handler_ms = (time.perf_counter() - start) * 1000

    return functools.update_wrapper(timed, callback)
