"""The commands of an inspector: jump, replay, dispatch and the smaller ones.

They run on the consumer's own event loop and under its render lock, so no tick or push comes
between. An event goes through djust's normal path (coerced, awaited, permission-checked); only the
browser's message budget is not charged.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import Any, AsyncIterator, Awaitable, Callable

from . import configuration, guard, history, hub, limits, sessions, sync, ticks, turns
from .hidden import MARK
from .hub import HUB, Inspector
from .redact import redact_json, redact_text
from .restore import Report, compare, differs, restore
from .sessions import Session
from .streams import hidden_names
from .turns import CURRENT, Turn, safe_dumps

#: Seconds that a command may wait for a page that is busy.
LOCK_SECS = 10.0
#: Seconds after which a command that still runs is answered with ``timeout``; it is not cancelled.
RUN_SECS = 60.0


class Refused(Exception):
    """A command that was not carried out, with the protocol's error code."""

    def __init__(self, code: str, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint


def answer(inspector: Inspector, number: Any, result: Any) -> None:
    """Queue the answer: a result (an object, or JSON text of one), or a `Refused`."""
    if isinstance(result, Refused):
        error = {"code": result.code, "message": redact_text(result.message), "hint": result.hint}
        text = '{"t":"answer","id":%s,"ok":false,"error":%s}' % (safe_dumps(number), safe_dumps(error))
    else:
        body = result if type(result) is str else safe_dumps(result)
        text = '{"t":"answer","id":%s,"ok":true,"result":%s}' % (safe_dumps(number), body)
    with HUB.lock:
        inspector.put_always(text)


async def run(inspector: Inspector, command: dict[str, Any]) -> None:
    """Carry one command out and answer it. Never raises."""
    number = command.get("id")
    try:
        do = command.get("do")
        if type(do) is not str:
            raise Refused("bad_request", "`do` must be the name of a command")
        if do == "sync":
            answer(inspector, number, {})
            guard.guarded(configuration.refresh)()
            with HUB.lock:
                sync.begin(inspector, history=False)
        elif do == "config":
            answer(inspector, number, {})
            guard.guarded(configuration.refresh)()
            text = configuration.latest()
            with HUB.lock:
                if text is not None:
                    inspector.put_always(HUB.frame("config", text))
        elif do in _COMMANDS:
            answer(inspector, number, await _on_session(do, command))
        else:
            raise Refused("unsupported", f"this agent knows no command {do!r}")
    except Refused as refused:
        answer(inspector, number, refused)
    except asyncio.CancelledError:
        raise
    except Exception as error:
        guard.report(f"command {do}")
        answer(inspector, number, Refused("raised", f"{type(error).__name__}: {error}"))


async def _on_session(do: str, command: dict[str, Any]) -> Any:
    """Run a session's command on that session's loop, one at a time, within its time."""
    function = _COMMANDS[do]
    if do == "lift_cooldown" and command.get("session") is None:
        return await function(None, command)
    identity = command.get("session")
    session = sessions.SESSIONS.get(identity) if type(identity) is str else None
    if session is None or not session.wanted():
        raise Refused("no_session", "this page is not connected any more", "Reload the page in the browser")
    if session.transport != "websocket" and do in _OVER_THE_SOCKET:
        why = f"this page has no WebSocket, its events come over {session.transport}: what changes it from here cannot be sent to it"
        raise Refused("unsupported", why, "Find out why the browser could not open a WebSocket")
    loop = asyncio.get_running_loop()
    if session.loop is None or session.loop is loop:
        work: Any = asyncio.ensure_future(_serial(session, function, command))
    else:
        work = asyncio.wrap_future(asyncio.run_coroutine_threadsafe(_serial(session, function, command), session.loop))
    try:
        return await asyncio.wait_for(asyncio.shield(work), RUN_SECS)
    except asyncio.TimeoutError:
        raise Refused("timeout", f"not finished after {RUN_SECS:.0f} s; it still runs") from None


async def _serial(session: Session, function: Callable[..., Awaitable[Any]], command: dict[str, Any]) -> Any:
    """One command at a time. Whatever it answers is without the secrets of the page."""
    lock = session.__dict__.setdefault("command_lock", asyncio.Lock())
    async with lock:
        try:
            result = await function(session, command)
        except Refused as refused:
            raise Refused(refused.code, session.known.hide(refused.message), refused.hint) from None
        except Exception as error:
            guard.report(f"command {command.get('do')}")
            raise Refused("raised", session.known.hide(f"{type(error).__name__}: {error}")) from None
        if type(result) is dict and result.get("error") is not None:
            result["error"] = session.known.hide_all(result["error"])
        return result


# -- what the commands need


class _Held:
    """The consumer's render lock while a command holds it: its own task passes, all others wait."""

    def __init__(self, lock: asyncio.Lock) -> None:
        self._lock = lock
        self._task = asyncio.current_task()

    async def acquire(self) -> bool:
        if asyncio.current_task() is self._task:
            return True
        return await self._lock.acquire()

    def release(self) -> None:
        if asyncio.current_task() is not self._task:
            self._lock.release()

    def locked(self) -> bool:
        return self._lock.locked()

    async def __aenter__(self) -> None:
        await self.acquire()

    async def __aexit__(self, *_: Any) -> None:
        self.release()


@contextlib.asynccontextmanager
async def held(session: Session) -> AsyncIterator[None]:
    """The page's render lock, held over a restore and the event after it."""
    consumer = session.consumer
    lock = getattr(consumer, "_render_lock", None)
    if lock is None:
        raise Refused("unsupported", "this djust has no render lock")
    try:
        await asyncio.wait_for(lock.acquire(), LOCK_SECS)
    except asyncio.TimeoutError:
        raise Refused("busy", f"the page was busy for {LOCK_SECS:.0f} s") from None
    before = getattr(consumer, "_processing_user_event", False)
    consumer._render_lock = _Held(lock)
    consumer._processing_user_event = True  # ticks and pushes give way, as to a click
    try:
        yield
    finally:
        consumer._processing_user_event = before
        consumer._render_lock = lock
        lock.release()


def view_of(session: Session, identity: Any) -> tuple[str | None, Any]:
    """A view of the session by its id."""
    views = session.views()
    if not views:
        raise Refused("no_view", "no view is mounted on this page")
    if identity is not None and type(identity) is not str:
        raise Refused("bad_request", "`view` must be the id of a view, or null for the page's own")
    if identity not in views:
        raise Refused("no_view", f"this page has no view {identity!r} now")
    return identity, views[identity]


def _open(session: Session) -> None:
    if session.phase == "closed" or getattr(session.consumer, "_ws_close_sent", False):
        raise Refused("no_session", "the browser has closed this page", "Open the page again")


async def _render(session: Session, view_id: str | None, view: Any) -> None:
    """Make the page show the view's state: as djust's own time-travel jump does."""
    from asgiref.sync import sync_to_async

    consumer = session.consumer
    if view_id is None:
        html, patches, _ = await sync_to_async(view.render_with_diff)()
        version = consumer._next_version_armed(html)
        if patches is not None:
            if isinstance(patches, (str, bytes)):
                patches = json.loads(patches) if patches else []
            await consumer._send_update(patches=patches, version=version, event_name="__time_travel_jump__")
        else:
            html = await sync_to_async(
                lambda: view._extract_liveview_content(view._strip_comments_and_whitespace(html))
            )()
            await consumer._send_update(html=html, version=version, event_name="__time_travel_jump__")
    else:
        html = await sync_to_async(consumer._render_embedded_child)(view)
        await consumer.send_json(
            {"type": "embedded_update", "view_id": view_id, "html": html, "event_name": "__time_travel_jump__"}
        )


def _wanted(session: Session, command: dict[str, Any]) -> tuple[str | None, Any, dict[str, Any]]:
    """The view that a command wants to put back, and its assigns."""
    view_id, view = view_of(session, command.get("view"))
    wanted = command.get("set")
    if type(wanted) is not dict:
        raise Refused("bad_request", "`set` must be an object of assigns")
    if sessions.class_attribute(view, "use_actors") is True and getattr(session.consumer, "actor_handle", None):
        raise Refused("unsupported", "this view keeps its state in an actor (use_actors), which cannot be put back")
    return view_id, view, wanted


def _put_back(
    session: Session, view: Any, wanted: dict[str, Any], component: str | None, command: dict[str, Any], dry: bool
) -> Report:
    """Put `wanted` back, or say only what would come of it."""
    report = Report(session.known, dry, untyped=command.get("untyped") is True)
    unsent = command.get("unsent")
    names = frozenset(n for n in unsent if type(n) is str) if type(unsent) is list else None
    restore(view, wanted, component, report, names)
    return report


async def _restore(session: Session, command: dict[str, Any], event: str | None) -> tuple[Turn, Report]:
    """The ``jump`` step of a command. Call with the lock held."""
    from asgiref.sync import sync_to_async

    view_id, view, wanted = _wanted(session, command)
    component = command.get("component") if event is None else None
    turn = Turn(session, "jump", "jump" if event is None else f"jump before {event}")
    turn.component = component if type(component) is str else None
    turn.cause = {"target": command.get("target")}
    token = CURRENT.set(turn)
    error: BaseException | None = None
    report = Report()
    try:
        turn.look_before(view)
        report = await sync_to_async(_put_back)(session, view, wanted, turn.component, command, False)
        turn.look_after(view)
        compare(view, wanted, turn.component, report)
        await _render(session, view_id, view)
    except Refused as refused:
        error = refused
        raise
    except Exception as raised:
        error = raised
        turn.raised(raised, "failed")
        raise Refused(
            "raised",
            f"the state was put back, but rendering it raised {type(raised).__name__}: {raised}",
            "The step's error has the traceback",
        ) from raised
    finally:
        CURRENT.reset(token)
        turns.finish(turn, error)
    _open(session)
    return turn, report


async def _event(session: Session, command: dict[str, Any], kind: str, view_id: Any, cause: dict[str, Any]) -> Turn:
    """Send an event through djust's own path as a step of `kind`. Call with the lock held."""
    name = command.get("event")
    params = command.get("params")
    if type(name) is not str or not name:
        raise Refused("bad_request", "`event` must be the name of a handler")
    if params is None:
        params = {}
    if type(params) is not dict:
        raise Refused("bad_request", "`params` must be an object")
    text = json.dumps(params)
    if '"$t": "redacted"' in text or MARK.search(text):
        raise Refused("bad_request", "the parameters hold a redacted value", "Put a value in its place, then replay")
    view_id, view = view_of(session, view_id)
    component = command.get("component")
    data = dict(params)
    data.pop("view_id", None)
    data.pop("component_id", None)
    data.pop("_cacheRequestId", None)
    if view_id is not None:
        data["view_id"] = view_id
    if type(component) is str:
        data["component_id"] = component
    turn = Turn(session, kind, name)
    turn.view_id = view_id
    turn.component = component if type(component) is str else None
    turn.raw = json.dumps(redact_json(params, hidden_names(view), session.known), ensure_ascii=False)
    turn.params = turns.typed_params(
        {k: v for k, v in params.items() if k not in ("_args", "view_id", "component_id")},
        turn.hidden(view),
        turn.known,
    )
    turn.cause = cause
    token = CURRENT.set(turn)
    error: BaseException | None = None
    try:
        turn.look_before(view)
        await session.consumer.handle_event({"type": "event", "event": name, "params": data})
    except Exception as raised:
        error = raised
        turn.raised(raised, "failed")
    finally:
        CURRENT.reset(token)
        turns.finish(turn, error)
    return turn


# -- the commands


async def _jump(session: Session, command: dict[str, Any]) -> dict[str, Any]:
    _open(session)
    async with held(session):
        turn, report = await _restore(session, command, None)
    return {"step": turn.key, "not_restored": report.lost, "restored": report.restored}


async def _preview(session: Session, command: dict[str, Any]) -> dict[str, Any]:
    """What a jump would report. Nothing is changed, and the page is not waited for."""
    _open(session)
    _, view, wanted = _wanted(session, command)
    component = command.get("component")
    report = _put_back(session, view, wanted, component if type(component) is str else None, command, True)
    return {"not_restored": report.lost, "restored": report.restored}


async def _replay(session: Session, command: dict[str, Any]) -> dict[str, Any]:
    _open(session)
    report = Report()
    handler_view = command.get("handler_view", command.get("view"))
    async with held(session):
        wanted = command.get("set")
        if wanted is not None and (type(wanted) is not dict or differs(view_of(session, command.get("view"))[1], wanted, session.known)):
            _, report = await _restore(session, command, str(command.get("event")))
        turn = await _event(session, command, "replay", handler_view, {"target": command.get("target")})
    status, error = turn.result()
    return {
        "step": turn.key,
        "not_restored": report.lost,
        "restored": report.restored,
        "status": status,
        "error": error,
    }


async def _dispatch(session: Session, command: dict[str, Any]) -> dict[str, Any]:
    _open(session)
    async with held(session):
        turn = await _event(session, command, "event", command.get("view"), {"dispatched": True})
    status, error = turn.result()
    return {"step": turn.key, "status": status, "error": error}


async def _ring(session: Session, command: dict[str, Any]) -> str:
    _, view = view_of(session, command.get("view"))
    if not history.entries(view)[1]:
        raise Refused(
            "unsupported", "this view keeps no time-travel ring", "Set time_travel_enabled = True on the view"
        )
    return history.ring(session, view)


async def _ticks(session: Session, command: dict[str, Any]) -> dict[str, Any]:
    paused = command.get("paused")
    if type(paused) is not bool:
        raise Refused("bad_request", "`paused` must be true or false")
    _, view = view_of(session, command.get("view"))
    if not sessions.class_attribute(view, "tick_interval"):
        raise Refused("unsupported", "this view does not tick: it has no tick_interval")
    if paused:
        ticks.pause(session)
    else:
        ticks.resume(session)
    return {"paused": paused}


async def _lift_cooldown(session: Session | None, command: dict[str, Any]) -> dict[str, Any]:
    address = command.get("ip")
    if session is None and type(address) is not str:
        raise Refused("bad_request", "`session` or `ip` must say whose cooldown is meant")
    if type(address) is not str and session is not None:
        address = getattr(session.consumer, "_client_ip", None)
    lifted = limits.lift(address, session)
    if session is not None and hub.ACTIVE:
        turns.send_rate(session)
    return {"lifted": lifted}


#: Commands that send something to the page, or say what would come of that.
_OVER_THE_SOCKET = frozenset(["jump", "preview", "replay", "dispatch", "ticks"])

_COMMANDS: dict[str, Callable[..., Awaitable[Any]]] = {
    "jump": _jump,
    "preview": _preview,
    "replay": _replay,
    "dispatch": _dispatch,
    "ring": _ring,
    "ticks": _ticks,
    "lift_cooldown": _lift_cooldown,
}
