"""Holding back a page's periodic ticks, and following them in a djust that has them in one loop."""

from __future__ import annotations

import asyncio
from typing import Any

from . import sessions, turns
from .sessions import Session


def pause(session: Session) -> None:
    """Hold the ticks of a page back. Call on the consumer's loop."""
    session.ticks_paused = True
    consumer = session.consumer
    if not hasattr(consumer, "_tick_once"):
        task = getattr(consumer, "_tick_task", None)
        if task is not None:
            task.cancel()
            consumer._tick_task = None
    sessions.publish(session)


def resume(session: Session) -> None:
    """Let a page tick again. Call on the consumer's loop."""
    if not session.ticks_paused:
        return
    session.ticks_paused = False
    consumer = session.consumer
    view = session.root
    if not hasattr(consumer, "_tick_once") and view is not None and _is_over(getattr(consumer, "_tick_task", None)):
        interval = sessions.class_attribute(view, "tick_interval")
        if interval:
            consumer._tick_task = asyncio.ensure_future(consumer._run_tick(interval))
    sessions.publish(session)


def _is_over(task: Any) -> bool:
    return task is None or task.done()


def release(session: Session) -> None:
    """`resume` from any thread."""
    if session.loop is not None and session.loop.is_running():
        session.loop.call_soon_threadsafe(resume, session)


async def finish_when_unlocked(turn: Any, session: Session) -> None:
    """Finish the tick that holds the render lock now (djust before 1.1 has no function per tick)."""
    lock = session.consumer._render_lock
    async with lock:
        turns.finish(turn)
