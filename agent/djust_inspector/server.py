"""The SERVER object of `welcome`: versions, what can be done, what is missing, and what stands in the way."""

from __future__ import annotations

import os
import platform
import sys
from typing import Any

from . import budget, discovery, guard, hooks, workers
from .hub import HUB

CAPABILITIES = ["jump", "preview", "replay", "dispatch", "ring", "ticks", "lift_cooldown", "sync", "config"]
_last: str | None = None


def describe() -> dict[str, Any]:
    """SERVER now."""
    import django
    import djust

    from . import advice

    return {
        "pid": os.getpid(),
        "cwd": os.getcwd(),
        "project": discovery.project(),
        "djust": getattr(djust, "__version__", "?"),
        "django": django.get_version(),
        "python": platform.python_version(),
        "asgi": asgi_server(),
        "debug": discovery.debug(),
        "channel_layer": channel_layer(),
        "workers": guard.guarded(workers.describe)() or {},
        "autoreload": autoreload(),
        "started": HUB.started,
        "url": discovery.url(),
        "argv0": os.path.basename(sys.argv[0] or "") or "python",
        "capabilities": CAPABILITIES,
        "missing": list(hooks.missing),
        "hot_reload": guard.guarded(hot_reload)() or {},
        "recording": budget.BUDGET.describe(),
        "advice": guard.guarded(advice.collect)() or [],
    }


def changed() -> dict[str, Any] | None:
    """SERVER, if it is not what was sent last."""
    from .turns import safe_dumps

    global _last
    now = describe()
    text = safe_dumps(now)
    if text == _last:
        return None
    _last = text
    return now


def asgi_server() -> str | None:
    """The ASGI server that this process runs, with its version."""
    command = " ".join(sys.argv[:3])
    for name in ("uvicorn", "daphne", "hypercorn", "granian"):
        loaded = sys.modules.get(f"{name}.server")
        if name in command or (loaded is not None and (name != "daphne" or "runserver" in sys.argv)):
            version = getattr(sys.modules.get(name), "__version__", None)
            return f"{name} {version}" if type(version) is str else name
    return None


def channel_layer() -> str | None:
    """The class of the default channel layer."""
    try:
        from channels.layers import get_channel_layer

        layer = get_channel_layer()
        return None if layer is None else f"{type(layer).__module__}.{type(layer).__qualname__}"
    except Exception:
        return None


def autoreload() -> str | None:
    """What restarts this process when a file changes, if anything does."""
    if os.environ.get("RUN_MAIN") == "true":
        return "runserver autoreload"
    if _uvicorn_reloads():
        return "uvicorn --reload"
    return None


def _uvicorn_reloads() -> bool:
    if "--reload" in sys.argv:
        return True
    # uvicorn's reloader starts the server as a child of multiprocessing, which keeps its arguments.
    process = sys.modules.get("multiprocessing.process")
    parent = getattr(process, "parent_process", lambda: None)() if process else None
    if parent is None or "uvicorn" not in sys.modules:
        return False
    try:
        with open(f"/proc/{parent.pid}/cmdline", "rb") as file:
            return b"--reload" in file.read().split(b"\0")
    except OSError:
        return False


def hot_reload() -> dict[str, Any]:
    """The state of djust's file watcher."""
    from djust.config import config

    try:
        from djust import dev_server
    except ImportError:
        return {"available": False, "enabled": False, "running": False, "dirs": [], "hvr": False, "defeated_by": None}
    watcher = getattr(dev_server, "hot_reload_server", None)
    running = bool(watcher is not None and watcher.is_running())
    hvr = bool(config.get("hvr_enabled", True))
    return {
        "available": bool(getattr(dev_server, "WATCHDOG_AVAILABLE", False)),
        "enabled": bool(config.get("hot_reload", True)),
        "running": running,
        "dirs": sorted(str(d) for d in getattr(watcher, "watch_dirs", ())),
        "hvr": hvr,
        "defeated_by": autoreload() if running and hvr else None,
    }
