"""Rate-limit levels of a session: read from djust's buckets without taking a token."""

from __future__ import annotations

import json
import sys
import time
from typing import Any

from . import sessions
from .sessions import Session
from .walker import own_dict

dumps = json.dumps


def level(bucket: Any) -> dict[str, Any] | None:
    """Tokens in a bucket now, as its next use would find them."""
    try:
        elapsed = time.monotonic() - bucket.last_refill
        tokens = min(bucket.burst, bucket.tokens + elapsed * bucket.rate)
        return {"tokens": round(tokens, 2), "burst": _number(bucket.burst), "rate": _number(bucket.rate)}
    except Exception:
        return None


def _number(value: Any) -> Any:
    """A number of a limiter, which a project may have replaced by one of its own."""
    return value if type(value) in (int, float) else 0


def callers(session: Session) -> dict[str, str]:
    """The names under which djust counts this session's handler calls, and how each is shown."""
    scope = session.scope
    out: dict[str, str] = {}
    user = sessions.unwrap(scope.get("user"))
    pk = own_dict(user).get("id")
    if pk is not None and type(pk) in (int, str):
        out[f"user:{pk}"] = f"user:{pk}"
    key = sessions.session_key(scope)
    if key is not None:
        out[f"session:{key}"] = f"session:{sessions.pseudonym(scope)}"
    address = getattr(session.consumer, "_client_ip", None)
    if address:
        out[f"ip:{address}"] = f"ip:{address}"
    return out


def describe(session: Session) -> str | None:
    """The fields of a ``rate`` frame as JSON text, or ``None`` where this page has no limiter (yet)."""
    limiter = getattr(session.consumer, "_rate_limiter", None)
    if limiter is None:
        return None
    module = sys.modules.get("djust.rate_limit")
    handlers = []
    buckets = getattr(module, "_handler_buckets", None)
    if buckets:
        mine = callers(session)
        for (caller, handler), bucket in list(buckets.items()):
            if caller in mine:
                levels = level(bucket)
                if levels is not None:
                    name = handler if type(handler) is str else getattr(handler, "__qualname__", "?")
                    handlers.append({"handler": name, "caller": mine[caller], **levels})
    return '"session":%s,"global":%s,"upload":%s,"warnings":%s,"max_warnings":%s,"handlers":%s,"ip":%s' % (
        dumps(session.id),
        dumps(level(getattr(limiter, "global_bucket", None))),
        dumps(level(getattr(limiter, "upload_bucket", None))),
        dumps(_number(getattr(limiter, "warnings", 0))),
        dumps(_number(getattr(limiter, "max_warnings", 0))),
        dumps(handlers),
        dumps(address_state(getattr(session.consumer, "_client_ip", None))),
    )


def address_state(address: str | None) -> dict[str, Any] | None:
    """Connections and remaining cooldown of an IP address."""
    tracker = getattr(sys.modules.get("djust.rate_limit"), "ip_tracker", None)
    if not address or tracker is None:
        return None
    until = getattr(tracker, "_cooldowns", {}).get(address, 0)
    config = getattr(sys.modules.get("djust.config"), "config", None)
    limit = config.get("rate_limit", {}) if config is not None else {}
    return {
        "address": address,
        "connections": getattr(tracker, "_connections", {}).get(address, 0),
        "max": limit.get("max_connections_per_ip", 10) if type(limit) is dict else 10,
        "cooldown": round(max(0.0, until - time.monotonic()), 3),
    }


def lift(address: str | None, session: Session | None) -> list[str]:
    """End the cooldown of an address and forget a session's warnings; what was lifted, in words."""
    lifted = []
    tracker = getattr(sys.modules.get("djust.rate_limit"), "ip_tracker", None)
    if address and tracker is not None:
        with tracker._lock:
            if tracker._cooldowns.pop(address, None) is not None:
                lifted.append(f"cooldown of {address}")
    limiter = getattr(session.consumer, "_rate_limiter", None) if session is not None else None
    if limiter is not None:
        if limiter.warnings:
            limiter.warnings = 0
            lifted.append("warnings")
        for name in ("global_bucket", "upload_bucket"):
            bucket = getattr(limiter, name, None)
            if bucket is not None:
                bucket.tokens = float(bucket.burst)
    return lifted
