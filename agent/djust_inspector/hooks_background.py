"""Hooks of what happens on a page without its browser: ticks, pushes, background work."""

from __future__ import annotations

import contextvars
import functools
import inspect
import time
from typing import Any

from . import guard, hub, sessions, turns
from .turns import CURRENT, Turn, current


def make_tick_once(original: Any) -> Any:
    async def _tick_once(self: Any, *args: Any, **kwargs: Any) -> Any:
        if not hub.ACTIVE:
            return await original(self, *args, **kwargs)
        session = guard.guarded(sessions.begin)(self)
        if session is None:
            return await original(self, *args, **kwargs)
        if session.ticks_paused:
            return False
        turn = Turn(session, "tick", "tick")
        turn.quiet = True
        return await _run(turn, original(self, *args, **kwargs))

    return _tick_once


async def _run(turn: Turn, awaitable: Any) -> Any:
    """Await something inside of a turn and finish it."""
    token = CURRENT.set(turn)
    error = None
    try:
        return await awaitable
    except BaseException as raised:
        error = raised
        if isinstance(raised, Exception) and turn.kind == "tick":
            guard.guarded(turn.raised)(raised)
        raise
    finally:
        CURRENT.reset(token)
        if turn.session is not None:
            turn.session.running.discard(turn)
        turns.finish(turn, error)


def make_run_tick(original: Any) -> Any:
    """djust before 1.1 has its ticks in one loop: a turn ends, and the next one begins, with each tick."""

    async def _run_tick(self: Any, *args: Any, **kwargs: Any) -> Any:
        _in_tick_loop.set(True)
        return await original(self, *args, **kwargs)

    return _run_tick


_in_tick_loop: "contextvars.ContextVar[bool]" = contextvars.ContextVar("djust_inspector_tick", default=False)


def make_snapshot_assigns(original: Any) -> Any:
    def _snapshot_assigns(view_instance: Any, *args: Any, **kwargs: Any) -> Any:
        if hub.ACTIVE:
            _assigns_read(view_instance)
        return original(view_instance, *args, **kwargs)

    return _snapshot_assigns


@guard.guarded
def _assigns_read(view: Any) -> None:
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


def make_push_turn(original: Any) -> Any:
    async def _run_server_push_turn(self: Any, *events: Any) -> Any:
        turn = _begin_push(self, "server_push", events) if hub.ACTIVE else None
        if turn is None:
            return await original(self, *events)
        return await _run(turn, original(self, *events))

    return _run_server_push_turn


def make_push(original: Any) -> Any:
    name = original.__name__

    async def push(self: Any, event: Any, *args: Any, **kwargs: Any) -> Any:
        turn = _begin_push(self, name, (event,)) if hub.ACTIVE else None
        if turn is None:
            return await original(self, event, *args, **kwargs)
        return await _run(turn, original(self, event, *args, **kwargs))

    return push


@guard.guarded
def _begin_push(consumer: Any, name: str, events: tuple[Any, ...]) -> Turn | None:
    session = sessions.begin(consumer)
    if session is None:
        return None
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


def make_async_work(original: Any) -> Any:
    async def _run_async_work(
        self: Any, task_name: Any, callback: Any, args: Any, kwargs: Any, event_name: Any = None, **more: Any
    ) -> Any:
        if not hub.ACTIVE:
            return await original(self, task_name, callback, args, kwargs, event_name=event_name, **more)
        turn = _begin_async(self, task_name, event_name)
        if turn is None:
            return await original(self, task_name, callback, args, kwargs, event_name=event_name, **more)
        callback = _watched(turn, callback)
        return await _run(turn, original(self, task_name, callback, args, kwargs, event_name=event_name, **more))

    return _run_async_work


def make_async_task(original: Any) -> Any:
    async def _execute_async_task(
        self: Any, task_name: Any, callback: Any, args: Any, kwargs: Any, event_name: Any = None, *more: Any
    ) -> Any:
        consumer = getattr(getattr(self, "transport", None), "_consumer", None) if hub.ACTIVE else None
        turn = _begin_async(consumer, task_name, event_name) if consumer is not None else None
        if turn is None:
            return await original(self, task_name, callback, args, kwargs, event_name, *more)
        callback = _watched(turn, callback)
        return await _run(turn, original(self, task_name, callback, args, kwargs, event_name, *more))

    return _execute_async_task


@guard.guarded
def _begin_async(consumer: Any, task_name: Any, event_name: Any) -> Turn | None:
    session = sessions.begin(consumer)
    if session is None:
        return None
    turn = Turn(session, "async", str(task_name))
    turn.cause = {"started_by": event_name if type(event_name) is str else None}
    turn.view = session.root
    session.running.add(turn)
    return turn


def _watched(turn: Turn, callback: Any) -> Any:
    """The callback of a ``start_async``, with its exception noted: djust shows it nowhere but in the log."""
    try:
        if inspect.iscoroutinefunction(callback):

            async def watched(*args: Any, **kwargs: Any) -> Any:
                start = time.perf_counter()
                try:
                    return await callback(*args, **kwargs)
                except Exception as error:
                    guard.guarded(turn.raised)(error)
                    raise
                finally:
                    turn.handler_ms = (time.perf_counter() - start) * 1000

        else:

            def watched(*args: Any, **kwargs: Any) -> Any:  # type: ignore[misc]
                start = time.perf_counter()
                try:
                    return callback(*args, **kwargs)
                except Exception as error:
                    guard.guarded(turn.raised)(error)
                    raise
                finally:
                    turn.handler_ms = (time.perf_counter() - start) * 1000

        return functools.wraps(callback)(watched)
    except Exception:
        guard.report("watched")
        return callback
