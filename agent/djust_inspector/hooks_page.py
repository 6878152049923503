"""Hooks of a page's connection and frames: connect, receive, send, close, disconnect."""

from __future__ import annotations

import contextvars
import json
import time
from typing import Any

from . import guard, hub, redact, sessions, turns
from .turns import CURRENT, Turn, current

dumps = json.JSONEncoder(ensure_ascii=False).encode

# -- connection


def make_connect(original: Any) -> Any:
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
    session = sessions.register(consumer)
    if session is None or not hub.ACTIVE or not session.wanted():
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


def make_ip_connect(original: Any) -> Any:
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


def make_disconnect(original: Any) -> Any:
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
    if hub.ACTIVE and session.id in sessions.SESSIONS and (session.wanted() or session.given_up):
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


def make_close(original: Any) -> Any:
    async def close(self: Any, code: Any = None, *args: Any, **kwargs: Any) -> Any:
        _closing(self, code)
        return await original(self, code, *args, **kwargs)

    return close


@guard.guarded
def _closing(consumer: Any, code: Any) -> None:
    session = sessions.register(consumer)
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


def make_receive(original: Any) -> Any:
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
    session = sessions.register(consumer)
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
    if kind in ("mount", "live_redirect_mount") and type(message.get("url")) is str and "target_id" not in message:
        session.path = message["url"]  # whether the page is recorded may hang on it
    if sessions.begin(consumer) is None:
        return None
    turn = Turn(session, _KINDS.get(kind) if type(kind) is str else None, kind if type(kind) is str else "")
    session.add_frame(turn, "in", text, data)
    if type(message) is dict and turn.kind is not None:
        _describe_message(turn, session, message)
    return turn


def _describe_message(turn: Turn, session: sessions.Session, message: dict[str, Any]) -> None:
    kind, view = turn.kind, session.root
    params = message.get("params") if type(message.get("params")) is dict else {}
    hidden, known = session.hidden(), session.known
    if kind == "event":
        name = message.get("event")
        turn.name = name if type(name) is str else ""
        turn.ref = message.get("ref") if type(message.get("ref")) is int else None
        turn.raw = dumps(redact.redact_json(params, hidden, known))
        turn.given = _plain_params(params)
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
            session.loaded_path = session.loaded_path or url
        turn.name = str(message.get("view") or url or turn.name)
        turn.params = turns.typed(params, hidden, known)
    elif kind == "url_change":
        turn.name = str(message.get("uri") or turn.name)
        turn.params = turns.typed(params, hidden, known)
        turn.raw = dumps(redact.redact_json(params, hidden, known))
        turn.look_before(view)
    else:
        target = {k: v for k, v in message.items() if k != "type"}
        turn.cause = {"target": redact.redact_json(target, hidden, known), "by": "browser"}
        component = message.get("component_id")
        turn.component = component if type(component) is str else None
        turn.look_before(view)


_INTERNAL_PARAMS = frozenset(["_cacheRequestId", "_args", "_activity", "view_id", "component_id", "_targetElement"])


def _plain_params(params: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in params.items() if k not in _INTERNAL_PARAMS}


def make_send(original: Any) -> Any:
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


def make_send_json(original: Any) -> Any:
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
            turn.html, turn.html_is_inside = data["html"], True
    elif kind == "navigate" and turn.kind == "mount" and turn.status is None:
        turn.status = "refused"
        turn.error = {"type": "navigate", "message": "sent to " + redact.redact_address(str(data.get("to")), session.known), "traceback": None}
