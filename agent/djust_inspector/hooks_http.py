"""Hooks of pages without a WebSocket: Server-Sent Events (SSE), and djust's HTTP fallback.

An SSE page is djust's ``SSESession``, which has what the agent reads of a consumer. Its messages come as HTTP requests
and go through the same runtime. A page of the HTTP fallback is no object at all: each event is a POST, for which djust
makes a view, fills it from the Django session and forgets it. What stands for the page here is made of that session and
the page's address, so that its steps are those of one page; it exists while an inspector is attached.
"""

from __future__ import annotations

import json
import sys
import uuid
from collections import OrderedDict
from typing import Any, Callable
from urllib.parse import urlsplit

from . import guard, hub, sessions, turns
from .guard import argument
from .hooks_page import begin_message, end_page, sending
from .turns import CURRENT, Turn, current
from .walker import own_dict

#: Pages of the HTTP fallback that are remembered: none of them says when it is left.
MAX_PAGES = 200
#: Characters of a request and of an answer that are looked into.
MAX_BODY = 1024 * 1024


def install(hook: Callable[..., bool], runtime: Any) -> None:
    """Hook what this djust has of both. `runtime` is its module ``djust.runtime``."""
    sse = guard.module("djust.sse")
    view_runtime = getattr(runtime, "ViewRuntime", None)
    if hasattr(sse, "SSESession"):
        hook(sse.SSESession, "djust.sse.SSESession.push", make_push)
        hook(sse.SSESession, "djust.sse.SSESession.close", make_close)
        hook(sse.DjustSSEStreamView, "djust.sse.DjustSSEStreamView.get", make_stream)
        for name in ("dispatch_message", "dispatch_mount", "dispatch_event", "dispatch_url_change"):
            hook(view_runtime, f"djust.runtime.ViewRuntime.{name}", turns.around(_begin_dispatch))
        if hasattr(sse, "_sse_handle_event"):  # djust before 1.1 has a way of its own for SSE
            hook(sse, "djust.sse._sse_mount_view", turns.around(_begin_old_mount))
            hook(sse, "djust.sse._sse_handle_event", turns.around(_begin_old_event))
            from .hooks_background import make_async_work

            hook(sse, "djust.sse._sse_execute_async_task", make_async_work)
    request = guard.module("djust.mixins.request")
    hook(getattr(request, "RequestMixin", None), "djust.mixins.request.RequestMixin.post", make_post)
    hook(request, "djust.mixins.request.validate_handler_params", make_validate_params)


def page_of(owner: Any) -> Any:
    """The consumer or SSE session to which a runtime belongs; itself, for one of these."""
    transport = getattr(owner, "transport", None)
    if transport is None:
        return owner
    return own_dict(transport).get("_consumer") or own_dict(transport).get("_session")


def _scope_of(request: Any) -> dict[str, Any]:
    """What an ASGI scope has of a request, read from what is loaded already."""
    meta = own_dict(request).get("META")
    meta = meta if type(meta) is dict else {}
    pairs = ((b"user-agent", "HTTP_USER_AGENT"), (b"cookie", "HTTP_COOKIE"))
    headers = [(name, str(meta[key]).encode("latin-1", "replace")) for name, key in pairs if meta.get(key)]
    fields = own_dict(request)
    user = fields.get("_cached_user") or fields.get("user")
    return {"headers": headers, "client": (meta.get("REMOTE_ADDR"), None), "user": user, "session": fields.get("session")}


# -- Server-Sent Events


def _sse(page: Any) -> sessions.Session | None:
    """The session of an SSE page, registered on first sight."""
    new = "_djust_inspector" not in own_dict(page)
    session = sessions.register(page)
    if session is None or not new:
        return session
    session.transport = "sse"
    _seen_request(session, own_dict(page).get("_request"))
    return session


def _seen_request(session: sessions.Session, request: Any) -> None:
    if request is None:
        return
    session.__dict__["http_scope"] = _scope_of(request)
    meta = own_dict(request).get("META")
    referer = meta.get("HTTP_REFERER") if type(meta) is dict else None
    if session.path is None and type(referer) is str:
        session.path = session.loaded_path = urlsplit(referer).path or None  # the stream's own address is djust's


def _begin_dispatch(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Turn | None:
    page = page_of(argument(args, kwargs, 0, "self"))
    if page is None or hasattr(page, "channel_name"):
        return None  # a WebSocket's: `receive` has begun its turn
    return _begin_sse(page, argument(args, kwargs, 1, "data"))


def _begin_sse(page: Any, message: Any) -> Turn | None:
    session = _sse(page)
    if session is None or current(session) is not None:
        return None
    if type(message) is dict and message.get("type") == "mount" and message.get("url") == _path_of(page):
        # The stream's own address; the page's is where its browser came from.
        message = {**message, "url": session.path}
    turn = begin_message(session, message, json.dumps(message, default=str), None)
    if turn is not None and turn.kind == "mount":
        sessions.publish(session)
    return turn


def _path_of(page: Any) -> Any:
    return own_dict(own_dict(page).get("_request")).get("path")


def _begin_old_mount(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Turn | None:
    page, request = argument(args, kwargs, 0, "session"), argument(args, kwargs, 1, "request")
    session = _sse(page)
    if session is None:
        return None
    _seen_request(session, request)
    return _begin_sse(page, {"type": "mount", "view": argument(args, kwargs, 2, "view_path"), "url": session.path})


def _begin_old_event(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Turn | None:
    name, params = argument(args, kwargs, 1, "event_name"), argument(args, kwargs, 2, "params")
    message = {"type": "event", "event": name, "params": dict(params) if type(params) is dict else {}}
    return _begin_sse(argument(args, kwargs, 0, "session"), message)


def make_push(original: Any) -> Any:
    def push(*args: Any, **kwargs: Any) -> Any:
        if hub.ACTIVE:
            _pushing(argument(args, kwargs, 0, "self"), argument(args, kwargs, 1, "msg"))
        return original(*args, **kwargs)

    return push


@guard.guarded
def _pushing(page: Any, message: Any) -> None:
    from djust.serialization import DjangoJSONEncoder

    session = _sse(page)
    if session is None or sessions.of(page) is None:
        return
    session.add_frame(current(session), "out", json.dumps(message, cls=DjangoJSONEncoder), None)
    sending(page, message)


def make_close(original: Any) -> Any:
    async def close(*args: Any, **kwargs: Any) -> Any:
        _closing(argument(args, kwargs, 0, "self"), argument(args, kwargs, 1, "code", 1000))
        return await original(*args, **kwargs)

    return close


@guard.guarded
def _closing(page: Any, code: Any) -> None:
    session = _sse(page)
    if session is not None and session.close is None:
        session.close = {"code": code, "reason": "closed by the server"}


def make_stream(original: Any) -> Any:
    async def get(*args: Any, **kwargs: Any) -> Any:
        response = await original(*args, **kwargs)
        _streaming(argument(args, kwargs, 1, "request"), argument(args, kwargs, 2, "session_id"), response)
        return response

    return get


@guard.guarded
def _streaming(request: Any, given: Any, response: Any) -> None:
    """Notice the end of a stream as Django does: it closes the response, whoever ended it."""
    identity = str(uuid.UUID(str(given)))
    page = getattr(sys.modules.get("djust.sse"), "_sse_sessions", {}).get(identity)
    if page is not None and _request_of(page) is request:
        session = _sse(page)
        if session is None:
            return
        _seen_request(session, request)
        if hub.ACTIVE and session.wanted():
            sessions.publish(session)
        response._resource_closers.append(lambda: _stream_ended(session))
        return
    refused = sessions.SESSIONS.get(identity)
    if refused is not None and refused.transport == "sse" and refused.consumer is not page:
        end_page(refused, "the page could not be mounted")


def _request_of(page: Any) -> Any:
    """The request of the stream that made an SSE page."""
    return own_dict(page).get("_request") or own_dict(own_dict(page).get("view_instance")).get("request")


@guard.guarded
def _stream_ended(session: sessions.Session) -> None:
    end_page(session, "the browser closed the stream")


# -- the HTTP fallback


class Page:
    """What stands for a page of the HTTP fallback: the latest view that djust made for it."""

    def __init__(self, identity: str) -> None:
        self.session_id = identity
        self.view_instance: Any = None
        self._client_ip: str | None = None


_pages: OrderedDict[tuple[str, str, str], sessions.Session] = OrderedDict()


def make_post(original: Any) -> Any:
    def post(*args: Any, **kwargs: Any) -> Any:
        turn = _begin_post(args, kwargs) if hub.ACTIVE else None
        if turn is None:
            return original(*args, **kwargs)
        token = CURRENT.set(turn)
        error: BaseException | None = None
        try:
            response = original(*args, **kwargs)
            guard.guarded(_answered)(turn, response)
            return response
        except BaseException as raised:
            error = raised
            raise
        finally:
            CURRENT.reset(token)
            turns.finish(turn, error)
            error = None

    return post


@turns.begins
def _begin_post(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Turn | None:
    view, request = argument(args, kwargs, 0, "self"), argument(args, kwargs, 1, "request")
    body = request.body  # read into memory by djust in any case
    text = body[: MAX_BODY + 1].decode("utf-8", "replace")
    try:
        data = json.loads(text) if len(text) <= MAX_BODY else None
    except (ValueError, RecursionError):
        data = None
    message: Any = None  # as djust puts it together from a body and a header
    if type(data) is dict and "event" in data:
        message = {"type": "event", "event": data["event"], "params": data.get("params")}
    elif type(data) is dict:
        params = {key: value for key, value in data.items() if not key.startswith("_")}
        name = own_dict(request)["META"].get("HTTP_X_DJUST_EVENT", "")
        message = {"type": "event", "event": name, "params": params}
    session = _page(view, request)
    sessions.link_successor(session)
    turn = begin_message(session, message, text, None)
    if turn is not None:
        turn.over_http = True
        sessions.publish(session)
    return turn


def _page(view: Any, request: Any) -> sessions.Session:
    """The session that stands for the page from which a request comes."""
    scope = _scope_of(request)
    path = own_dict(request).get("path") or "/"
    kind = type(view)
    who = sessions.pseudonym(scope) or str(sessions.anonymous(scope))
    identity = (who, path, f"{kind.__module__}.{kind.__qualname__}")
    session = _pages.pop(identity, None)
    if session is None:
        session = sessions.Session(Page("http-" + uuid.uuid4().hex))
        session.transport, session.loop = "http", None
        session.path = session.loaded_path = path
        session.consumer.__dict__["_djust_inspector"] = session
    sessions.SESSIONS[session.id] = _pages[identity] = session
    while len(_pages) > MAX_PAGES:
        _forget(next(iter(_pages)), "not heard of for long, and many others were since")
    page = session.consumer
    page._client_ip = scope["client"][0]
    page.view_instance = view
    session.__dict__["http_scope"] = scope
    if session.path is None:
        session.path = path
    stream = session.streams.get(None)
    if stream is not None:
        stream.passes_to(view)  # another object, with what the Django session kept of the one before
    return session


def _forget(identity: tuple[str, str, str], reason: str) -> None:
    session = _pages.pop(identity, None)
    if session is not None:
        end_page(session, reason)


def forget() -> None:
    """Nobody is attached any more: there are no pages of the fallback then."""
    for session in _pages.values():
        sessions.SESSIONS.pop(session.id, None)
        session.consumer.view_instance = None
    _pages.clear()


def make_validate_params(original: Any) -> Any:
    """The last thing before a handler runs over HTTP: (handler, params, …)."""

    def validate_handler_params(*args: Any, **kwargs: Any) -> Any:
        result = original(*args, **kwargs)
        turn = current() if hub.ACTIVE else None
        if turn is not None and turn.over_http:
            guard.guarded(_about_to_call)(turn, args, kwargs, result)
        return result

    return validate_handler_params


def _about_to_call(turn: Turn, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any) -> None:
    session = turn.session
    if session is None:
        return
    turn.look_before(session.root)
    found = result.get("coerced_params") if type(result) is dict else None
    params = found if type(found) is dict else argument(args, kwargs, 1, "params")
    if type(params) is dict:
        turn.params = turns.typed_params(params, turn.hidden(turn.view), turn.known)
    turn.handled = type(result) is dict and bool(result.get("valid"))


#: What djust answers instead of a step's patches, by the response's status.
_REFUSED = {400: "no_handler", 403: "permission_denied"}


def _answered(turn: Turn, response: Any) -> None:
    content = getattr(response, "content", b"")
    text = content[:MAX_BODY].decode("utf-8", "replace") if type(content) is bytes else ""
    if turn.session is not None:
        turn.session.add_frame(turn, "out", text, None)
    turn.sent.append("response")
    status = getattr(response, "status_code", 200)
    if status < 400:
        return
    try:
        told = json.loads(text)
    except (ValueError, RecursionError):
        told = {}
    told = told if type(told) is dict else {}
    if "validation_details" in told or status >= 500:
        turn.errors.append(told)
    elif status == 429:
        turn.status = "limited"
        turn.cause = {"code": None, "reason": "the handler's own rate limit", "limit": "handler", "caller": None}
        turn.error = {"type": "rate_limit", "message": "rate limit", "traceback": None}
    else:
        words = str(told.get("error") or told.get("redirect") or f"HTTP status {status}")
        turn.status = "refused"
        turn.error = {"type": _REFUSED.get(status, "refused"), "message": words[:2000], "traceback": None}

