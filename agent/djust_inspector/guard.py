"""Errors of the agent stay in the agent.

Everything that runs inside a hook goes through here: an exception is counted, kept for the
``agent_error`` advice that the inspector shows, and swallowed.
"""

from __future__ import annotations

import functools
import os
import sys
import threading
import time
import traceback
from typing import Any, Callable, TypeVar

from . import forks

F = TypeVar("F", bound=Callable[..., Any])

DEBUG = os.environ.get("DJUST_INSPECTOR_DEBUG") == "1"
_lock = threading.Lock()
forks.renew(sys.modules[__name__], "_lock", threading.Lock)
#: Distinct errors by place and message: how often, and the last traceback.
errors: dict[str, dict[str, Any]] = {}
#: Set when there is a new distinct error, so that the server description is sent again.
changed = threading.Event()


def report(where: str) -> None:
    """Keep the exception that is being handled. Never raises."""
    try:
        kind, error, trace = sys.exc_info()
        message = f"{where}: {kind.__name__ if kind else '?'}: {_safe(error)}"
        with _lock:
            known = errors.get(message)
            if known is not None:
                known["count"] += 1
                return
            if len(errors) >= 50:
                return
            text = "".join(traceback.format_tb(trace)[-8:])
            errors[message] = {"count": 1, "traceback": text}
        changed.set()
        if DEBUG:
            sys.stderr.write(f"djust_inspector: {message}\n{text}\n")
    except Exception:
        pass


def _safe(error: Any) -> str:
    try:
        from .redact import redact_text

        return redact_text(str(error)[:500])
    except Exception:
        return "(its message cannot be read)"


#: Where the agent's processor time is paid from, in seconds, while recording has a budget of it: set by `budget`.
spend: Callable[[float], None] | None = None
_metering = threading.local()


def metered(function: F) -> F:
    """A function of the agent whose processor time is paid for. What it calls is paid with it, once.

    Not for a function that calls djust's or the project's code.
    """

    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        if spend is None or getattr(_metering, "on", False):
            return function(*args, **kwargs)
        _metering.on = True
        start = time.thread_time()
        try:
            return function(*args, **kwargs)
        finally:
            _metering.on = False
            pay = spend
            if pay is not None:
                pay(time.thread_time() - start)

    return wrapper  # type: ignore[return-value]


def guarded(function: F) -> F:
    """A metered function whose exceptions are reported and become ``None``."""
    paid = metered(function)

    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        try:
            return paid(*args, **kwargs)
        except Exception:
            report(function.__qualname__)
            return None

    return wrapper  # type: ignore[return-value]


def argument(args: tuple[Any, ...], kwargs: dict[str, Any], place: int, name: str, default: Any = None) -> Any:
    """What a hooked function was given at a place, or under its name. Hooks pass on all that they are given, as it came."""
    return args[place] if place < len(args) else kwargs.get(name, default)


def module(name: str) -> Any:
    """A module of djust's that may be absent, or may not be importable here: then ``None``."""
    try:
        __import__(name)
        return sys.modules[name]
    except Exception:
        return None
