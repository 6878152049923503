"""Hooks of an event's way through djust: security check, limits, handler, recording, render, SQL."""

from __future__ import annotations

import sys
import time
from typing import Any, Callable

from . import guard, hub, redact, sessions, turns
from .guard import argument
from .turns import Turn, current
from .walker import _class_dict, _class_mro, own_dict


def make_event_start(original: Any) -> Any:
    def record_event_start(*args: Any, **kwargs: Any) -> Any:
        if hub.ACTIVE:
            _event_start(argument(args, kwargs, 0, "view"))
        return original(*args, **kwargs)

    return record_event_start


@guard.guarded
def _event_start(view: Any) -> None:
    turn = current()
    if turn is not None:
        turn.look_before(view)


def make_event_end(original: Any) -> Any:
    def record_event_end(*args: Any, **kwargs: Any) -> Any:
        if hub.ACTIVE:
            _event_end(*(argument(args, kwargs, *at) for at in enumerate(("view", "snapshot", "error"))))
        return original(*args, **kwargs)

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
        turn.session.open_keys.add(turn.key)


def make_call_handler(original: Any) -> Any:
    async def _call_handler(*args: Any, **kwargs: Any) -> Any:
        turn = current() if hub.ACTIVE else None
        if turn is None:
            return await original(*args, **kwargs)
        _calling(turn, argument(args, kwargs, 0, "handler"), argument(args, kwargs, 1, "params"))
        start = time.perf_counter()
        try:
            return await original(*args, **kwargs)
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
            turn.params = turns.typed_params(params, turn.hidden(owner if owner is turn.view else turn.view), turn.known)


def make_validate(original: Any) -> Any:
    async def _validate_event_security(*args: Any, **kwargs: Any) -> Any:
        turn = current() if hub.ACTIVE else None
        if turn is None:
            return await original(*args, **kwargs)
        before = _warnings(args, kwargs)
        handler = await original(*args, **kwargs)
        _validated(turn, handler, before, *(argument(args, kwargs, *at) for at in _VALIDATED))
        return handler

    return _validate_event_security


_VALIDATED = ((1, "event_name"), (2, "owner_instance"), (3, "rate_limiter"))


@guard.guarded
def _warnings(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    return getattr(argument(args, kwargs, 3, "rate_limiter"), "warnings", 0)


@guard.guarded
def _validated(turn: Turn, handler: Any, before: Any, event_name: Any, owner: Any, limiter: Any) -> None:
    if handler is not None or turn.status is not None:
        return
    if getattr(limiter, "warnings", 0) > (before or 0):
        turn.status = "limited"
        session = turn.session
        cause = {}
        if session is not None and (turn.cause is None or turn.kind == "event"):
            cause = _limit_of_handler(session, event_name, limiter)
        if session is not None and session.close is not None and session.close.get("code") == 4429:
            cause["code"] = 4429
            session.close["reason"] = cause.get("reason") or session.close["reason"]
            session.limit = cause
        turn.cause = {**(turn.cause or {}), **cause}
        turn.error = {"type": "rate_limit", "message": cause.get("reason", "rate limit"), "traceback": None}
    else:
        turn.status = "refused"
        told = str(turn.errors[-1].get("error") or "") if turn.errors else ""
        kind, words = _refused_because(owner, event_name, told)
        turn.error = {"type": kind, "message": redact.redact_text(told, turn.known) or words, "traceback": None}


def _refused_because(owner: Any, event_name: Any, told: str) -> tuple[str, str]:
    """Why djust refused an event. Its own record calls each of these ``permission_denied``, and so does what it tells without DEBUG."""
    module = sys.modules.get("djust.websocket_utils")
    safe = getattr(module, "is_safe_event_name", None)
    if safe is not None and not safe(event_name):
        return "unsafe_name", "The name is none that an event may have"
    if told == "Permission denied":
        return "permission_denied", "The user may not call the handler, or not use the page"
    names = own_dict(owner)
    if event_name not in names and not any(event_name in _class_dict(cls) for cls in _class_mro(type(owner))):
        return "no_handler", "The view has no such method"
    return "not_a_handler", "The method is no event handler, and event_security forbids to call it"


def _limit_of_handler(session: sessions.Session, event_name: Any, limiter: Any) -> dict[str, Any]:
    """What a refusal by a handler's own rate limit has to tell."""
    from . import limits

    names = list(limits.callers(session).values())
    return {
        "code": None,
        "reason": f"the handler's own rate limit ({event_name})",
        "limit": "handler",
        "caller": names[0] if names else None,
        "warnings": getattr(limiter, "warnings", 0),
        "max_warnings": getattr(limiter, "max_warnings", None),
    }


def make_check(limit: str) -> Callable[[Any], Any]:
    def make(original: Any) -> Any:
        def check(*args: Any, **kwargs: Any) -> Any:
            allowed = original(*args, **kwargs)
            if hub.ACTIVE:
                _limited(argument(args, kwargs, 0, "self"), limit, allowed)
            return allowed

        return check

    return make


@guard.guarded
def _limited(limiter: Any, limit: str, allowed: Any) -> None:
    turn = current()
    if allowed or turn is None or turn.session is None:
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


def make_render(original: Any) -> Any:
    def render_with_diff(*args: Any, **kwargs: Any) -> Any:
        turn = current() if hub.ACTIVE else None
        if turn is None:
            return original(*args, **kwargs)
        _rendering(turn, argument(args, kwargs, 0, "self"))
        start = time.perf_counter()
        result = original(*args, **kwargs)
        _rendered(turn, argument(args, kwargs, 0, "self"), result, (time.perf_counter() - start) * 1000)
        return result

    return render_with_diff


@guard.guarded
def _rendering(turn: Turn, view: Any) -> None:
    if turn.over_http and turn.after is None:  # there nothing else tells of the end of the handler
        turn.render_ms = turn.render_ms or 0.0
        turn.look_after(view)


@guard.guarded
def _rendered(turn: Turn, view: Any, result: Any, ms: float) -> None:
    turn.render_ms = (turn.render_ms or 0.0) + ms
    session = turn.session
    if session is not None and view is session.root and type(result) is tuple and result and type(result[0]) is str:
        turn.html, turn.html_is_inside = result[0], False


# -- SQL


def make_execute(original: Any) -> Any:
    """The hook of ``_execute_with_wrappers``: (self, sql, params, many, executor)."""

    def _execute_with_wrappers(*args: Any, **kwargs: Any) -> Any:
        turn = current() if hub.ACTIVE else None
        if turn is None:
            return original(*args, **kwargs)
        at = time.time()
        start = time.perf_counter()
        try:
            return original(*args, **kwargs)
        finally:
            _queried(turn, args, kwargs, at, (time.perf_counter() - start) * 1000)

    return _execute_with_wrappers


@guard.guarded
def _queried(turn: Turn, args: tuple[Any, ...], kwargs: dict[str, Any], at: float, ms: float) -> None:
    cursor, sql, params, many = (argument(args, kwargs, *at) for at in enumerate(("self", "sql", "params", "many")))
    text = sql if type(sql) is str else str.__str__(sql) if isinstance(sql, str) else "(not text)"
    if params is None:
        shown = None
    elif many:
        shown = f"({len(params)} sets)" if type(params) in (list, tuple) else "(many)"
    else:
        from .walker import Limits, Walker

        limits = Limits(nodes=500, size=20_000, string=4000, string_head=1000)
        shown = Walker(turn.hidden(turn.view), limits, turn.known).clean(
            list(params) if type(params) in (list, tuple) else params
        )
    text, shown = redact.redact_sql(text[:50_000], shown, turn.hidden(turn.view))
    alias = getattr(getattr(cursor, "db", None), "alias", None)
    turn.add_sql(text, shown, ms, at, alias if type(alias) is str else None, bool(many))
