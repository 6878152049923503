"""Hooks of a page's connection and frames: connect, receive, send, close, disconnect, and the end of its consumer."""

from __future__ import annotations

import contextvars
import json
import struct
import sys
import time
import uuid
from typing import Any

from . import guard, hub, redact, sessions, turns
from .guard import argument
from .hidden import Known
from .turns import Turn, current
from .walker import own_dict

dumps = json.JSONEncoder(ensure_ascii=False).encode
#: Characters of a message that are parsed where djust has no limit of its own.
MAX_MESSAGE = 8 * 1024 * 1024

# -- connection


def make_call(original: Any) -> Any:
    """Around the whole life of a consumer: one that is cancelled, or whose loop breaks, may never hear of its disconnect."""

    async def __call__(*args: Any, **kwargs: Any) -> Any:
        try:
            return await original(*args, **kwargs)
        except GeneratorExit:  # its loop is gone, and whoever collects it may be in the middle of anything
            _ended(argument(args, kwargs, 0, "self"), None)
            raise
        except BaseException as error:
            _ended(argument(args, kwargs, 0, "self"), type(error).__name__)
            raise
        finally:
            _ended(argument(args, kwargs, 0, "self"), "")

    return __call__


@guard.guarded
def _ended(consumer: Any, error: str | None) -> None:
    """Close the page of a consumer that has ended, where no disconnect did. Without `error` nobody is told."""
    session = own_dict(consumer).get("_djust_inspector")
    if not session:
        return
    reason = "the server ended the page's connection"
    end_page(session, f"{reason} ({error})" if error else reason, told=error is not None)


def end_page(session: sessions.Session, reason: str, told: bool = True) -> None:
    """Close a page of whose end no frame told."""
    if session.phase == "closed":
        return
    if session.close is None:
        session.close = {"code": None, "reason": reason}
    _close(session, Turn(session, "close", "close") if told and _is_told(session) else None)


def make_connect(original: Any) -> Any:
    async def connect(*args: Any, **kwargs: Any) -> Any:
        token = _refusal.set(None)
        try:
            return await original(*args, **kwargs)
        finally:
            note = _refusal.get()
            _refusal.reset(token)
            _connected(argument(args, kwargs, 0, "self"), note)

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
    def connect(*args: Any, **kwargs: Any) -> Any:
        allowed = original(*args, **kwargs)
        _ip_refused(argument(args, kwargs, 0, "self"), argument(args, kwargs, 1, "ip"), argument(args, kwargs, 2, "max_per_ip"), allowed)
        return allowed

    return connect


@guard.guarded
def _ip_refused(tracker: Any, address: Any, limit: Any, allowed: Any) -> None:
    if allowed:
        return
    left = tracker._cooldowns.get(address, 0) - time.monotonic()
    if left > 0:
        reason = f"the address is in its cooldown for {left:.1f} s more"
    else:
        reason = f"more than {limit} connections from one address"
    _refusal.set({"reason": reason, "limit": "ip", "caller": f"ip:{address}", "warnings": None, "max_warnings": None})


def make_disconnect(original: Any) -> Any:
    async def disconnect(*args: Any, **kwargs: Any) -> Any:
        code = argument(args, kwargs, 1, "close_code")
        turn = _disconnecting(argument(args, kwargs, 0, "self")) if hub.ACTIVE else None
        if turn is None:
            try:
                return await original(*args, **kwargs)
            finally:
                _disconnected(argument(args, kwargs, 0, "self"), None, code)
        token = turns.CURRENT.set(turn)  # what the page does at its end is a part of that: queries, presence, logs
        try:
            return await original(*args, **kwargs)
        finally:
            turns.CURRENT.reset(token)
            _disconnected(argument(args, kwargs, 0, "self"), turn, code)

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


def _is_told(session: sessions.Session) -> bool:
    return hub.ACTIVE and sessions.SESSIONS.get(session.id) is session and (session.wanted() or session.given_up)


@guard.guarded
def _disconnecting(consumer: Any) -> Turn | None:
    session = own_dict(consumer).get("_djust_inspector")
    if not session or not _is_told(session):
        return None
    turn = Turn(session, "close", "close")
    if not session.given_up:
        turn.look_before(session.root)
    return turn


@guard.guarded
def _disconnected(consumer: Any, turn: Turn | None, code: Any) -> None:
    session = own_dict(consumer).get("_djust_inspector")
    if not session:
        return
    if session.close is None:
        session.close = {"code": code, "reason": _REASONS.get(code, "closed")}
    if turn is not None and turn.view is not None:
        # The page has let go of its view, which may have changed while it did: `handle_presence_leave`.
        stream = session.stream(None, turn.view)
        turn.after = stream.encode(turn.view, turn.hidden(turn.view))
    _close(session, turn)


def _close(session: sessions.Session, turn: Turn | None) -> None:
    session.phase = "closed"
    if turn is not None:
        cause = dict(session.close or {})
        if session.limit is not None and cause.get("code") == 4429:
            cause = {**session.limit, **cause}
        turn.cause = cause
        turns.finish(turn)
        hub.HUB.publish("session", session.describe())
    sessions.closed(session)


def make_close(original: Any) -> Any:
    async def close(*args: Any, **kwargs: Any) -> Any:
        _closing(argument(args, kwargs, 0, "self"), argument(args, kwargs, 1, "code"))
        return await original(*args, **kwargs)

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
    return turns.around(_begin_receive)(original)


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


def _begin_receive(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Turn | None:
    session = sessions.register(argument(args, kwargs, 0, "self"))
    if session is None:
        return None
    text, data = argument(args, kwargs, 1, "text_data"), argument(args, kwargs, 2, "bytes_data")
    # A page that is not recorded may be on its way to one that is.
    if not session.selected() or (not session.wanted() and type(text) is str and '"mount' not in text and "_mount" not in text):
        return None
    if _is_refused(text, data):
        return begin_message(session, None, text, data, is_read=False)
    message: Any = None
    if data is not None:
        message = _upload_frame(data)
        if message is None:
            try:
                import msgpack

                message = msgpack.unpackb(data, raw=False) if len(data) < 65_536 and data[0] > 3 else None
            except Exception:
                message = None
    elif type(text) is str and len(text) <= MAX_MESSAGE:
        try:
            message = json.loads(text)
        except (ValueError, RecursionError):
            message = None
    return begin_message(session, message, text, data)


def _is_refused(text: Any, data: Any) -> bool:
    """Whether djust will refuse a message for its size, which is then not parsed here either."""
    limit = own_dict(getattr(sys.modules.get("djust.config"), "config", None)).get("_config", {}).get("max_message_size", 65_536)
    if type(limit) is not int or limit <= 0:
        return False
    if data:
        return len(data) > limit
    return type(text) is str and len(text) * 4 > limit and sessions.bytes_of(text) > limit


def begin_message(session: sessions.Session, message: Any, text: Any, data: Any, is_read: bool = True) -> Turn | None:
    """The turn of a message from the browser, which came as `text` or `data`; ``None`` where it is not recorded."""
    kind = message.get("type") if type(message) is dict else None
    kind = kind if type(kind) is str else None
    if kind in ("mount", "live_redirect_mount") and type(message.get("url")) is str and "target_id" not in message:
        session.path = message["url"]  # whether the page is recorded may hang on it
    if sessions.begin(session.consumer) is None:
        return None
    turn = Turn(session, _KINDS.get(kind or "", "message" if kind else None), kind or "")
    session.add_frame(turn, "in", text, data, is_read)
    if type(message) is dict and turn.kind is not None:
        guard.guarded(_describe_message)(turn, session, message)
    return turn


#: djust's binary frames of an upload: kind, the upload's UUID, and for a chunk its number before its bytes.
_UPLOADS = {1: "upload_chunk", 2: "upload_complete", 3: "upload_cancel"}


def _upload_frame(data: bytes) -> dict[str, Any] | None:
    if len(data) < 17 or data[0] not in _UPLOADS:
        return None
    message = {"type": _UPLOADS[data[0]], "ref": str(uuid.UUID(bytes=bytes(data[1:17])))}
    if data[0] == 1 and len(data) >= 21:
        message.update(chunk=struct.unpack(">I", data[17:21])[0], bytes=len(data) - 21)
    return message


def _describe_message(turn: Turn, session: sessions.Session, message: dict[str, Any]) -> None:
    kind, view = turn.kind, session.root
    params = message.get("params") if type(message.get("params")) is dict else {}
    hidden, known = session.hidden(), session.known
    if kind == "event":
        name = message.get("event")
        turn.name = name if type(name) is str else ""
        turn.ref = message.get("ref") if type(message.get("ref")) is int else None
        turn.raw = _raw(params, hidden, known)
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
        turn.raw = _raw(params, hidden, known)
        turn.look_before(view)
    elif kind == "message":
        turn.quiet = turn.name != "cursor_move"  # which calls the project's handler
        if turn.name == "ping" and not own_dict(view).get("_presence_tracked"):
            turn.kind = None  # else it keeps the user present
            return
        turn.given = {k: v for k, v in message.items() if k != "type"}
        if turn.name.startswith("upload_"):
            turn.given = {**_about_upload(view, message.get("ref")), **turn.given}
        turn.look_before(view)
    else:
        target = {k: v for k, v in message.items() if k != "type"}
        turn.cause = {"target": redact.redact_json(target, hidden, known), "by": "browser"}
        component = message.get("component_id")
        turn.component = component if type(component) is str else None
        turn.look_before(view)


def _raw(params: Any, hidden: frozenset[str], known: Known) -> str:
    """Parameters as they came, as JSON text without secrets."""
    try:
        return dumps(redact.redact_json(params, hidden, known))
    except RecursionError:
        return dumps("(nested too deeply to be shown)")


def _about_upload(view: Any, ref: Any) -> dict[str, Any]:
    """What is known of an upload that was registered: its slot and the name of its file."""
    entries = own_dict(own_dict(view).get("_upload_manager")).get("_entries")
    entry = own_dict(entries.get(ref)) if type(entries) is dict and type(ref) is str else {}
    names = ("upload_name", "client_name", "client_size")
    return {name: entry[name] for name in names if type(entry.get(name)) in (str, int)}


_INTERNAL_PARAMS = frozenset(["_cacheRequestId", "_args", "_activity", "view_id", "component_id", "_targetElement"])


def _plain_params(params: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in params.items() if k not in _INTERNAL_PARAMS}


def make_send(original: Any) -> Any:
    async def send(*args: Any, **kwargs: Any) -> Any:
        if hub.ACTIVE:
            _sending(args, kwargs)
        return await original(*args, **kwargs)

    return send


@guard.guarded
def _sending(args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    session = sessions.of(argument(args, kwargs, 0, "self"))
    if session is not None:
        text, data = argument(args, kwargs, 1, "text_data"), argument(args, kwargs, 2, "bytes_data")
        session.add_frame(current(session), "out", text, data)


def make_send_json(original: Any) -> Any:
    async def send_json(*args: Any, **kwargs: Any) -> Any:
        if hub.ACTIVE:
            sending(argument(args, kwargs, 0, "self"), argument(args, kwargs, 1, "data"))
        return await original(*args, **kwargs)

    return send_json


@guard.guarded
def sending(page: Any, data: Any) -> None:
    """Note what a frame to the browser says of the turn that sends it."""
    session = sessions.of(page)
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
    elif kind == "upload_progress" and turn.kind == "message" and turn.given is not None:
        turn.given.update((name, data[name]) for name in ("progress", "status") if name in data)
        if data.get("status") == "error" and turn.status is None:
            told = data.get("error")
            turn.status = "failed"
            turn.error = {"type": "upload", "message": redact.redact_text(str(told or ""), session.known), "traceback": None}
