"""What is hooked in djust, and what each hook notes.

Every hook first tests ``hub.ACTIVE`` (true while an inspector is attached or may come back), and
every note is guarded: whatever goes wrong here, djust's own call is made and its result returned.
A hook whose target this djust lacks is listed in `missing` and nothing else happens.
"""

from __future__ import annotations

import contextvars
import functools
import inspect
import json
import sys
import time
from typing import Any, Callable

from . import guard, hub, redact, sessions, turns
from .turns import CURRENT, Turn, current

#: Hooks that this djust does not offer: {"hook", "why"}.
missing: list[dict[str, str]] = []

#: Keys of the latest file changes: by reload id, and by path with the time.
_reloads: dict[str, tuple[str, float]] = {}


def hook(owner: Any, path: str, make: Callable[[Any], Any], why: str = "this djust does not have it") -> bool:
    """Replace the attribute `path`'s last part on `owner` by `make(original)`."""
    name = path.rsplit(".", 1)[1]
    original = getattr(owner, name, None) if owner is not None else None
    if original is None:
        missing.append({"hook": path, "why": why})
        return False
    if getattr(original, "_djust_inspector", False):
        return True
    try:
        wrapper = make(original)
        functools.update_wrapper(wrapper, getattr(original, "__func__", original))
        wrapper._djust_inspector = True
        if inspect.ismethod(original) and inspect.isclass(original.__self__):
            wrapper = classmethod(wrapper)
        setattr(owner, name, wrapper)
        return True
    except Exception as error:
        missing.append({"hook": path, "why": f"{type(error).__name__}: {error}"})
        guard.report(f"hook {path}")
        return False


def install_all() -> None:
    """Hook everything that this djust has. Needs ``djust.websocket`` to be imported."""
    websocket = sys.modules["djust.websocket"]
    consumer = websocket.LiveViewConsumer
    base = "djust.websocket.LiveViewConsumer."
    from . import endpoint

    hook(consumer, base + "__call__", endpoint.make_call)
    hook(consumer, base + "connect", _make_connect)
    hook(consumer, base + "disconnect", _make_disconnect)
    hook(consumer, base + "close", _make_close)
    hook(consumer, base + "receive", _make_receive)
    hook(consumer, base + "send", _make_send)
    hook(consumer, base + "send_json", _make_send_json)
    hook(consumer, base + "hotreload", _make_hotreload)
    hook(consumer, base + "broadcast_reload", _make_broadcast_reload)
    if hasattr(consumer, "_tick_once"):
        hook(consumer, base + "_tick_once", _make_tick_once)
    else:
        hook(consumer, base + "_run_tick", _make_run_tick)
    if hasattr(consumer, "_run_server_push_turn"):
        hook(consumer, base + "_run_server_push_turn", _make_push_turn)
    else:
        hook(consumer, base + "server_push", _make_push)
    hook(consumer, base + "db_notify", _make_push)
    hook(consumer, base + "client_push_event", _make_push)
    hook(consumer, base + "_run_async_work", _make_async_work)

    from djust import time_travel

    hook(time_travel, "djust.time_travel.record_event_start", _make_event_start)
    hook(time_travel, "djust.time_travel.record_event_end", _make_event_end)

    runtime = _module("djust.runtime")
    view_runtime = getattr(runtime, "ViewRuntime", None)
    if hasattr(view_runtime, "_execute_async_task"):  # where it is absent the consumer runs all background work
        hook(view_runtime, "djust.runtime.ViewRuntime._execute_async_task", _make_async_task)
    found = {"_call_handler": False, "_validate_event_security": False}
    for module, label in ((websocket, "djust.websocket"), (runtime, "djust.runtime")):
        for name, make in (("_call_handler", _make_call_handler), ("_validate_event_security", _make_validate)):
            if hasattr(module, name):
                found[name] |= hook(module, f"{label}.{name}", make)
    for name, done in found.items():
        if not done:
            missing.append({"hook": f"djust.websocket_utils.{name}", "why": "no module of this djust imports it"})
    hook(websocket, "djust.websocket._snapshot_assigns", _make_snapshot_assigns)

    live_view = _module("djust.live_view")
    hook(getattr(live_view, "LiveView", None), "djust.live_view.LiveView.render_with_diff", _make_render)
    swap = _module("djust.hot_view_replacement")
    hook(swap, "djust.hot_view_replacement.apply_class_swap", _make_class_swap)
    hook(swap, "djust.hot_view_replacement.reload_module_if_liveview", _make_reload_module)
    rate = _module("djust.rate_limit")
    tracker = getattr(rate, "IPConnectionTracker", None)
    hook(tracker, "djust.rate_limit.IPConnectionTracker.connect", _make_ip_connect)
    hook(getattr(rate, "ConnectionRateLimiter", None), "djust.rate_limit.ConnectionRateLimiter.check", _make_check("global"))
    hook(getattr(rate, "ConnectionRateLimiter", None), "djust.rate_limit.ConnectionRateLimiter.check_upload", _make_check("upload"))

    try:
        from django.db.backends import utils

        hook(
            utils.CursorWrapper,
            "django.db.backends.utils.CursorWrapper._execute_with_wrappers",
            _make_execute,
            "this Django does not have it",
        )
    except ImportError as error:
        missing.append({"hook": "django.db.backends.utils.CursorWrapper", "why": str(error)})
    hub.HUB.on_active.append(_on_active)


def _module(name: str) -> Any:
    try:
        __import__(name)
        return sys.modules[name]
    except Exception:
        return None


def _on_active(active: bool) -> None:
    from . import logs

    logs.set_active(active)
    if not active:
        _reloads.clear()
        for session in list(sessions.SESSIONS.values()):
            session.forget()
            if session.ticks_paused:
                # Nobody is left who could let the page tick again.
                from . import ticks

                guard.guarded(ticks.release)(session)


# -- connection


def _make_connect(original: Any) -> Any:
    async def connect(self: Any, *args: Any, **kwargs: Any) -> Any:
        token = _refusal.set(None)
        try:
            return await original(self, *args, **kwargs)
        finally:
            note = _refusal.get()
            _refusal.reset(token)
            _connected(self, note)

    return connect


@guard.guarded
def _connected(consumer: Any, refusal: dict[str, Any] | None) -> None:
    session = sessions.of(consumer)
    if session is None or not hub.ACTIVE:
        return
    sessions.link_successor(session)
    sessions.publish(session)
    if refusal is not None and session.close is not None:
        session.limit = {"code": 4429, **refusal}
        turn = Turn(session, "rate_limited", "connect")
        turn.status, turn.cause = "limited", session.limit
        turns.finish(turn)
    turns.send_rate(session)


#: Why an IP address was refused in this context: {"reason", "limit", "caller"}.
_refusal: "contextvars.ContextVar[dict[str, Any] | None]" = contextvars.ContextVar("djust_inspector_ip", default=None)


def _make_ip_connect(original: Any) -> Any:
    def connect(self: Any, ip: Any, max_per_ip: Any, *args: Any, **kwargs: Any) -> Any:
        allowed = original(self, ip, max_per_ip, *args, **kwargs)
        if not allowed:
            _ip_refused(self, ip, max_per_ip)
        return allowed

    return connect


@guard.guarded
def _ip_refused(tracker: Any, address: Any, limit: Any) -> None:
    left = tracker._cooldowns.get(address, 0) - time.monotonic()
    if left > 0:
        reason = f"the address is in its cooldown for {left:.1f} s more"
    else:
        reason = f"more than {limit} connections from one address"
    _refusal.set({"reason": reason, "limit": "ip", "caller": f"ip:{address}", "warnings": None, "max_warnings": None})


def _make_disconnect(original: Any) -> Any:
    async def disconnect(self: Any, close_code: Any = None, *args: Any, **kwargs: Any) -> Any:
        try:
            return await original(self, close_code, *args, **kwargs)
        finally:
            _disconnected(self, close_code)

    return disconnect


_REASONS = {
    1000: "closed normally",
    1001: "the page was left or reloaded",
    1005: "closed by the browser without a code",
    1006: "the connection broke",
    1011: "the consumer's dispatch loop died",
    1012: "the server is restarting",
    4403: "refused: origin, login or permission",
    4429: "rate limit",
}


@guard.guarded
def _disconnected(consumer: Any, code: Any) -> None:
    session = consumer.__dict__.get("_djust_inspector")
    if session is None:
        return
    if session.close is None:
        session.close = {"code": code, "reason": _REASONS.get(code, "closed")}
    session.phase = "closed"
    if hub.ACTIVE and session.id in sessions.SESSIONS:
        cause = dict(session.close)
        if session.limit is not None and cause.get("code") == 4429:
            cause = {**session.limit, **cause}
        turn = Turn(session, "close", "close")
        turn.cause = cause
        turns.finish(turn)
        sessions.closed(session)
        hub.HUB.publish("session", session.describe())
    else:
        sessions.closed(session)
    if session.rate_timer is not None:
        session.rate_timer.cancel()


def _make_close(original: Any) -> Any:
    async def close(self: Any, code: Any = None, *args: Any, **kwargs: Any) -> Any:
        _closing(self, code)
        return await original(self, code, *args, **kwargs)

    return close


@guard.guarded
def _closing(consumer: Any, code: Any) -> None:
    session = consumer.__dict__.get("_djust_inspector") or sessions.of(consumer)
    if session is None:
        return
    reason = _REASONS.get(code, "closed by the server")
    turn = current(session)
    if code == 4429:
        refusal = _refusal.get()
        if refusal is not None:
            reason = refusal["reason"]
        elif turn is not None and turn.cause is not None and turn.cause.get("limit"):
            turn.cause["code"] = 4429
            reason = str(turn.cause.get("reason") or reason)
            session.limit = turn.cause
    if session.close is None:
        session.close = {"code": code, "reason": reason}
    if turn is not None:
        turn.sent.append("close")


# -- frames


def _make_receive(original: Any) -> Any:
    async def receive(self: Any, text_data: Any = None, bytes_data: Any = None, *args: Any, **kwargs: Any) -> Any:
        if not hub.ACTIVE:
            return await original(self, text_data, bytes_data, *args, **kwargs)
        turn = _begin_receive(self, text_data, bytes_data)
        if turn is None:
            return await original(self, text_data, bytes_data, *args, **kwargs)
        token = CURRENT.set(turn)
        error = None
        try:
            return await original(self, text_data, bytes_data, *args, **kwargs)
        except BaseException as raised:
            error = raised
            raise
        finally:
            CURRENT.reset(token)
            turns.finish(turn, error)

    return receive


_KINDS = {
    "event": "event",
    "mount": "mount",
    "mount_batch": "mount",
    "live_redirect_mount": "mount",
    "url_change": "url_change",
    "time_travel_jump": "jump",
    "time_travel_component_jump": "jump",
    "forward_replay": "replay",
}


@guard.guarded
def _begin_receive(consumer: Any, text: Any, data: Any) -> Turn | None:
    session = sessions.of(consumer)
    if session is None:
        return None
    message: Any = None
    if data is not None:
        try:
            import msgpack

            message = msgpack.unpackb(data, raw=False) if len(data) < 65_536 and data[0] > 3 else None
        except Exception:
            message = None
    elif type(text) is str and len(text) <= 8 * 1024 * 1024:
        try:
            message = json.loads(text)
        except (ValueError, RecursionError):
            message = None
    kind = message.get("type") if type(message) is dict else None
    turn = Turn(session, _KINDS.get(kind) if type(kind) is str else None, kind if type(kind) is str else "")
    session.add_frame(turn, "in", text, data)
    if type(message) is dict and turn.kind is not None:
        _describe_message(turn, session, message)
    return turn


def _describe_message(turn: Turn, session: sessions.Session, message: dict[str, Any]) -> None:
    kind, view = turn.kind, session.root
    params = message.get("params") if type(message.get("params")) is dict else {}
    hidden = turns.hidden_names(view) if view is not None else frozenset()
    if kind == "event":
        name = message.get("event")
        turn.name = name if type(name) is str else ""
        turn.ref = message.get("ref") if type(message.get("ref")) is int else None
        turn.raw = json.dumps(redact.redact_json(params, hidden), ensure_ascii=False)
        turn.params = turns.typed_params(_plain_params(params), view)
        target = params.get("view_id")
        if type(target) is str and target in session.views():
            turn.view_id = target
        component = params.get("component_id")
        turn.component = component if type(component) is str else None
    elif kind == "mount":
        turn.fresh = True
        url = message.get("url")
        if type(url) is str and "target_id" not in message:
            session.path = url
        turn.name = str(message.get("view") or url or turn.name)
        turn.params = turns.typed(params)
    elif kind == "url_change":
        turn.name = str(message.get("uri") or turn.name)
        turn.params = turns.typed(params, view)
        turn.raw = json.dumps(redact.redact_json(params, hidden), ensure_ascii=False)
        turn.look_before(view)
    else:
        target = {k: v for k, v in message.items() if k != "type"}
        turn.cause = {"target": redact.redact_json(target, hidden), "by": "browser"}
        component = message.get("component_id")
        turn.component = component if type(component) is str else None
        turn.look_before(view)


_INTERNAL_PARAMS = frozenset(["_cacheRequestId", "_args", "_activity", "view_id", "component_id", "_targetElement"])


def _plain_params(params: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in params.items() if k not in _INTERNAL_PARAMS}


def _make_send(original: Any) -> Any:
    async def send(self: Any, text_data: Any = None, bytes_data: Any = None, *args: Any, **kwargs: Any) -> Any:
        if hub.ACTIVE:
            _sending(self, text_data, bytes_data)
        return await original(self, text_data, bytes_data, *args, **kwargs)

    return send


@guard.guarded
def _sending(consumer: Any, text: Any, data: Any) -> None:
    session = sessions.of(consumer)
    if session is not None:
        session.add_frame(current(session), "out", text, data)


def _make_send_json(original: Any) -> Any:
    async def send_json(self: Any, data: Any, *args: Any, **kwargs: Any) -> Any:
        if hub.ACTIVE:
            _sending_json(self, data)
        return await original(self, data, *args, **kwargs)

    return send_json


@guard.guarded
def _sending_json(consumer: Any, data: Any) -> None:
    session = sessions.of(consumer)
    turn = current(session) if session is not None else None
    if turn is None or type(data) is not dict:
        return
    kind = data.get("type")
    if kind != "time_travel_event":
        turn.sent.append(str(kind))
    if turn.kind == "tick":
        turn.look_after(session.root)
    if kind == "error":
        turn.errors.append(data)
    elif kind in ("mount", "html_update") and type(data.get("html")) is str:
        if turn.html is None or kind == "mount":
            turn.html = data["html"]
    elif kind == "navigate" and turn.kind == "mount" and turn.status is None:
        turn.status = "refused"
        turn.error = {"type": "navigate", "message": f"sent to {data.get('to')}", "traceback": None}


# -- events


def _make_event_start(original: Any) -> Any:
    def record_event_start(view: Any, event_name: Any, params: Any, ref: Any, *args: Any, **kwargs: Any) -> Any:
        if hub.ACTIVE:
            _event_start(view)
        return original(view, event_name, params, ref, *args, **kwargs)

    return record_event_start


@guard.guarded
def _event_start(view: Any) -> None:
    turn = current()
    if turn is not None:
        turn.look_before(view)


def _make_event_end(original: Any) -> Any:
    def record_event_end(view: Any, snapshot: Any, error: Any = None, *args: Any, **kwargs: Any) -> Any:
        if hub.ACTIVE:
            _event_end(view, snapshot, error)
        return original(view, snapshot, error, *args, **kwargs)

    return record_event_end


@guard.guarded
def _event_end(view: Any, snapshot: Any, error: Any) -> None:
    turn = current()
    if turn is None:
        return
    turn.look_after(view)
    if error == "validation_failed" and turn.status is None:
        turn.status = "invalid"
    if snapshot is not None and turn.session is not None and turn.key is None:
        from .history import key_of

        turn.key = key_of(turn.session, turn.view_id, snapshot)


def _make_call_handler(original: Any) -> Any:
    async def _call_handler(handler: Any, params: Any = None, *args: Any, **kwargs: Any) -> Any:
        turn = current() if hub.ACTIVE else None
        if turn is None:
            return await original(handler, params, *args, **kwargs)
        _calling(turn, handler, params)
        start = time.perf_counter()
        try:
            return await original(handler, params, *args, **kwargs)
        except Exception as error:
            guard.guarded(turn.raised)(error)
            raise
        finally:
            turn.handler_ms = (turn.handler_ms or 0.0) + (time.perf_counter() - start) * 1000

    return _call_handler


@guard.guarded
def _calling(turn: Turn, handler: Any, params: Any) -> None:
    if not turn.handled and turn.kind in ("event", "replay"):
        turn.handled = True
        owner = getattr(handler, "__self__", None)
        if turn.before is None and turn.session is not None:
            turn.look_before(turn.session.views().get(turn.view_id))
        if type(params) is dict:
            turn.params = turns.typed_params(params, owner if owner is turn.view else turn.view)


def _make_validate(original: Any) -> Any:
    async def _validate_event_security(
        ws: Any, event_name: Any, owner: Any, rate_limiter: Any, *args: Any, **kwargs: Any
    ) -> Any:
        turn = current() if hub.ACTIVE else None
        if turn is None:
            return await original(ws, event_name, owner, rate_limiter, *args, **kwargs)
        before = getattr(rate_limiter, "warnings", 0)
        guard.guarded(_validating)(turn, event_name, owner, rate_limiter)
        handler = await original(ws, event_name, owner, rate_limiter, *args, **kwargs)
        _validated(turn, handler, before, event_name, rate_limiter)
        return handler

    return _validate_event_security


def _validating(turn: Turn, event_name: Any, owner: Any, limiter: Any) -> None:
    """Keep what a refusal by the handler's own rate limit would have to tell, before djust closes the page."""
    if turn.session is None or turn.cause is not None and turn.kind != "event":
        return
    from . import limits

    names = list(limits.callers(turn.session).values())
    turn.cause_if_limited = {
        "code": None,
        "reason": f"the handler's own rate limit ({event_name})",
        "limit": "handler",
        "caller": names[0] if names else None,
        "warnings": getattr(limiter, "warnings", 0) + 1,
        "max_warnings": getattr(limiter, "max_warnings", None),
    }


@guard.guarded
def _validated(turn: Turn, handler: Any, before: int, event_name: Any, limiter: Any) -> None:
    if handler is not None or turn.status is not None:
        return
    if getattr(limiter, "warnings", 0) > before:
        turn.status = "limited"
        cause = turn.cause_if_limited or {}
        session = turn.session
        if session is not None and session.close is not None and session.close.get("code") == 4429:
            cause["code"] = 4429
            session.close["reason"] = cause.get("reason") or session.close["reason"]
            session.limit = cause
        turn.cause = {**(turn.cause or {}), **cause}
        turn.error = {"type": "rate_limit", "message": cause.get("reason", "rate limit"), "traceback": None}
    else:
        turn.status = "refused"


def _make_check(limit: str) -> Callable[[Any], Any]:
    def make(original: Any) -> Any:
        def check(self: Any, *args: Any, **kwargs: Any) -> Any:
            allowed = original(self, *args, **kwargs)
            if not allowed and hub.ACTIVE:
                _limited(self, limit)
            return allowed

        return check

    return make


@guard.guarded
def _limited(limiter: Any, limit: str) -> None:
    turn = current()
    if turn is None or turn.session is None:
        return
    turn.kind, turn.status = "rate_limited", "limited"
    turn.fresh = False
    address = getattr(turn.session.consumer, "_client_ip", None)
    what = "messages" if limit == "global" else "upload frames"
    turn.cause = {
        "code": None,
        "reason": f"too many {what}: {limiter.warnings} of {limiter.max_warnings} warnings",
        "limit": limit,
        "caller": f"ip:{address}" if address else None,
        "warnings": limiter.warnings,
        "max_warnings": limiter.max_warnings,
    }


def _make_render(original: Any) -> Any:
    def render_with_diff(self: Any, *args: Any, **kwargs: Any) -> Any:
        turn = current() if hub.ACTIVE else None
        if turn is None:
            return original(self, *args, **kwargs)
        start = time.perf_counter()
        result = original(self, *args, **kwargs)
        _rendered(turn, self, result, (time.perf_counter() - start) * 1000)
        return result

    return render_with_diff


@guard.guarded
def _rendered(turn: Turn, view: Any, result: Any, ms: float) -> None:
    turn.render_ms = (turn.render_ms or 0.0) + ms
    session = turn.session
    if session is not None and view is session.root and type(result) is tuple and type(result[0]) is str:
        turn.html = result[0]


# -- what happens without the browser


def _make_tick_once(original: Any) -> Any:
    async def _tick_once(self: Any, *args: Any, **kwargs: Any) -> Any:
        if not hub.ACTIVE:
            return await original(self, *args, **kwargs)
        session = guard.guarded(sessions.of)(self)
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
        turns.finish(turn, error)


def _make_run_tick(original: Any) -> Any:
    """djust before 1.1 has its ticks in one loop: a turn ends, and the next one begins, with each tick."""

    async def _run_tick(self: Any, *args: Any, **kwargs: Any) -> Any:
        _in_tick_loop.set(True)
        return await original(self, *args, **kwargs)

    return _run_tick


_in_tick_loop: "contextvars.ContextVar[bool]" = contextvars.ContextVar("djust_inspector_tick", default=False)


def _make_snapshot_assigns(original: Any) -> Any:
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
        if session.root is view:
            tick = Turn(session, "tick", "tick")
            tick.quiet = True
            CURRENT.set(tick)
            tick.look_before(view)
            if session.loop is not None:
                from .ticks import finish_when_unlocked

                session.loop.create_task(finish_when_unlocked(tick, session), context=contextvars.Context()) if sys.version_info >= (3, 11) else contextvars.Context().run(session.loop.create_task, finish_when_unlocked(tick, session))
            return


def _make_push_turn(original: Any) -> Any:
    async def _run_server_push_turn(self: Any, *events: Any) -> Any:
        turn = _begin_push(self, "server_push", events) if hub.ACTIVE else None
        if turn is None:
            return await original(self, *events)
        return await _run(turn, original(self, *events))

    return _run_server_push_turn


def _make_push(original: Any) -> Any:
    name = original.__name__

    async def push(self: Any, event: Any, *args: Any, **kwargs: Any) -> Any:
        turn = _begin_push(self, name, (event,)) if hub.ACTIVE else None
        if turn is None:
            return await original(self, event, *args, **kwargs)
        return await _run(turn, original(self, event, *args, **kwargs))

    return push


@guard.guarded
def _begin_push(consumer: Any, name: str, events: tuple[Any, ...]) -> Turn | None:
    session = sessions.of(consumer)
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
    turn.params = turns.typed(plain[0] if len(plain) == 1 else plain, view)
    turn.cause = {"by": name, "pushes": len(events)}
    turn.look_before(view)
    return turn


def _make_async_work(original: Any) -> Any:
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


def _make_async_task(original: Any) -> Any:
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
    session = sessions.of(consumer)
    if session is None:
        return None
    turn = Turn(session, "async", str(task_name))
    turn.cause = {"started_by": event_name if type(event_name) is str else None}
    turn.view = session.root
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


# -- hot reload


def _make_hotreload(original: Any) -> Any:
    async def hotreload(self: Any, event: Any, *args: Any, **kwargs: Any) -> Any:
        turn = _begin_hotreload(self, event) if hub.ACTIVE else None
        if turn is None:
            return await original(self, event, *args, **kwargs)
        token = CURRENT.set(turn)
        error = None
        try:
            return await original(self, event, *args, **kwargs)
        except BaseException as raised:
            error = raised
            raise
        finally:
            CURRENT.reset(token)
            _end_hotreload(turn)
            turns.finish(turn, error)

    return hotreload


@guard.guarded
def _begin_hotreload(consumer: Any, event: Any) -> Turn | None:
    session = sessions.of(consumer)
    if session is None:
        return None
    meta = event.get("hvr_meta") if type(event) is dict else None
    meta = meta if type(meta) is dict else {}
    path = str(event.get("file", "")) if type(event) is dict else ""
    turn = Turn(session, "hvr" if meta else "hot_reload", path.rsplit("/", 1)[-1])
    key = reload_key(path, meta.get("reload_id"), meta.get("module"), meta.get("class_names"))
    turn.cause = {"reload": key, "file": path, "result": "nothing", "reason": None}
    turn.look_before(session.root)
    return turn


@guard.guarded
def _end_hotreload(turn: Turn) -> None:
    cause = turn.cause or {}
    if turn.swap is not None and not turn.swap[0]:
        cause["result"], cause["reason"] = "refused", turn.swap[1]
        turn.status = "refused"
        turn.error = {"type": "hvr", "message": f"the new class cannot take over: {turn.swap[1]}", "traceback": None}
    elif turn.swap is not None and turn.swap[2]:
        cause["result"] = "swapped"
        if "patch" in turn.sent:
            cause["reason"] = "and the page was patched"
    elif "reload" in turn.sent:
        cause["result"] = "reloaded"
        if turn.session is not None and turn.session.root is None:
            cause["reason"] = "no view is mounted"
    elif "patch" in turn.sent or "html_update" in turn.sent:
        cause["result"] = "patched"
    else:
        cause["result"] = "nothing"
        if turn.kind == "hvr":
            cause["reason"] = "this page uses none of the changed classes"


def _make_class_swap(original: Any) -> Any:
    def apply_class_swap(view_instance: Any, class_pairs: Any, *args: Any, **kwargs: Any) -> Any:
        turn = current() if hub.ACTIVE else None
        if turn is None:
            return original(view_instance, class_pairs, *args, **kwargs)
        before = type(view_instance)
        turn.swap_depth += 1
        try:
            result = original(view_instance, class_pairs, *args, **kwargs)
        finally:
            turn.swap_depth -= 1
        _swapped(turn, before is not type(view_instance), result)
        return result

    return apply_class_swap


@guard.guarded
def _swapped(turn: Turn, changed: bool, result: Any) -> None:
    # A call for a child comes before the one for the page, which is the last and decides.
    earlier = turn.swap is not None and turn.swap[2]
    turn.swap = (bool(result[0]), str(result[1]), changed or earlier)


def _make_reload_module(original: Any) -> Any:
    def reload_module_if_liveview(path: Any, *args: Any, **kwargs: Any) -> Any:
        if not hub.ACTIVE:
            return original(path, *args, **kwargs)
        turn = Turn(None, "reload", str(path).rsplit("/", 1)[-1])
        token = CURRENT.set(turn)
        try:
            result = original(path, *args, **kwargs)
        finally:
            CURRENT.reset(token)
        _reloaded(turn, str(path), result)
        return result

    return reload_module_if_liveview


@guard.guarded
def _reloaded(turn: Turn, path: str, result: Any) -> None:
    failed = turn.log_error
    if result is None and failed is None:
        turn.closed = True  # a module without views: the broadcast that follows tells of it
        return
    classes = [getattr(pair[1], "__qualname__", "?") for pair in getattr(result, "class_pairs", None) or []]
    reload_id = getattr(result, "reload_id", None)
    turn.cause = {
        "file": path,
        "kind": "python",
        "module": getattr(result, "module_name", None),
        "classes": classes,
        "reload_id": reload_id,
    }
    if failed is not None and result is None:
        turn.status, turn.error = "failed", failed
    turn.key = hub.HUB.next_key()
    _remember(reload_id or path, turn.key)
    turns.finish(turn)


def _remember(name: str, key: str) -> None:
    if len(_reloads) > 500:
        _reloads.clear()
    _reloads[name] = (key, time.monotonic())


def reload_key(path: str, reload_id: Any = None, module: Any = None, classes: Any = None) -> str:
    """The key of the ``reload`` step of a changed file, sent now if it was not yet."""
    name = reload_id if type(reload_id) is str else path
    known = _reloads.get(name)
    if known is not None and (type(reload_id) is str or time.monotonic() - known[1] < 2.0):
        return known[0]
    kind = "python" if path.endswith(".py") else "template" if path.endswith((".html", ".htm")) else "static"
    turn = Turn(None, "reload", path.rsplit("/", 1)[-1])
    turn.cause = {
        "file": path,
        "kind": kind,
        "module": module if type(module) is str else None,
        "classes": [c for c in classes if type(c) is str] if type(classes) is list else [],
        "reload_id": reload_id if type(reload_id) is str else None,
    }
    turn.key = hub.HUB.next_key()
    _remember(name, turn.key)
    turns.finish(turn)
    return turn.key


def _make_broadcast_reload(original: Any) -> Any:
    function = original.__func__

    async def broadcast_reload(cls: Any, file_path: Any, *args: Any, **kwargs: Any) -> Any:
        if hub.ACTIVE:
            guard.guarded(reload_key)(str(file_path))
        return await function(cls, file_path, *args, **kwargs)

    return broadcast_reload


# -- SQL


def _make_execute(original: Any) -> Any:
    def _execute_with_wrappers(self: Any, sql: Any, params: Any, many: Any, executor: Any) -> Any:
        turn = current() if hub.ACTIVE else None
        if turn is None:
            return original(self, sql, params, many, executor)
        at = time.time()
        start = time.perf_counter()
        try:
            return original(self, sql, params, many, executor)
        finally:
            _queried(turn, self, sql, params, many, at, (time.perf_counter() - start) * 1000)

    return _execute_with_wrappers


@guard.guarded
def _queried(turn: Turn, cursor: Any, sql: Any, params: Any, many: Any, at: float, ms: float) -> None:
    text = sql if type(sql) is str else str.__str__(sql) if isinstance(sql, str) else "(not text)"
    if params is None:
        shown = None
    elif many:
        shown = f"({len(params)} sets)" if type(params) in (list, tuple) else "(many)"
    else:
        from .walker import Limits, Walker

        shown = Walker(limits=Limits(nodes=500, size=20_000, string=4000, string_head=1000)).text(
            list(params) if type(params) in (list, tuple) else params
        )
        shown = redact.redact_sql_params(text, shown)
    alias = getattr(getattr(cursor, "db", None), "alias", None)
    turn.add_sql(
        '{"sql":%s,"params":%s,"ms":%.3f,"at":%.6f,"db":%s,"many":%s}'
        % (
            sessions.encodable(text[:50_000]),
            "null" if shown is None else sessions.encodable(shown),
            ms,
            at,
            json.dumps(alias),
            "true" if many else "false",
        )
    )
