"""Why a developer may see less than expected, and what to do about it."""

from __future__ import annotations

from typing import Any

from . import access, budget, discovery, guard, options, workers


def collect() -> list[dict[str, Any]]:
    """The advice for this process now."""
    from . import server
    from .configuration import view_classes

    out: list[dict[str, Any]] = []

    def add(code: str, message: str, fix: str | None = None) -> None:
        out.append({"code": code, "message": message, "fix": fix})

    from djust.config import config

    hot = server.hot_reload()
    if discovery.debug() and hot["enabled"] and not hot["available"]:
        add(
            "no_watchdog", "Files are not watched because the package watchdog is not installed", "pip install watchdog"
        )
    elif discovery.debug() and hot["enabled"] and not hot["running"]:
        add(
            "hot_reload_not_running",
            "djust's file watcher is not running in this process",
            "Leave LIVEVIEW_CONFIG['hot_reload_auto_enable'] on, or call djust.enable_hot_reload()",
        )
    if hot["defeated_by"]:
        add(
            "autoreload_defeats_hvr",
            f"{hot['defeated_by']} restarts the server at every change, so hot view replacement never keeps a state",
            "Start with runserver --noreload, or uvicorn without --reload",
        )
    layer = server.channel_layer()
    if layer is None:
        add(
            "no_channel_layer",
            "CHANNEL_LAYERS has no default layer: pushes and hot reload do not work, and pages cannot connect",
            "Set CHANNEL_LAYERS, for development with channels.layers.InMemoryChannelLayer",
        )
    elif layer.endswith("InMemoryChannelLayer"):
        processes = workers.count() or 1
        add(
            "in_memory_channel_layer",
            "The channel layer is in memory: pushes from other processes (workers, management commands) do not arrive"
            + (f", and the inspector sees the pages of one of the {processes} workers only" if processes > 1 else ""),
            "Use channels_redis where another process pushes, or serves pages, too",
        )
    elif layer.startswith("channels_redis.core.") and _redis_major() >= 8:
        add(
            "redis_8",
            "redis-py 8 gives a socket up that was silent for 5 s, which is as long as channels_redis waits for messages: idle pages end",
            "pip install 'redis<8', or set socket_timeout in the hosts of CHANNEL_LAYERS",
        )
    if not discovery.debug():
        add(
            "debug_off",
            "DEBUG is off: djust refuses its own time travel, and hot reload does not run; the inspector's jump and replay work",
        )
    if discovery.debug() and config.get("update_check", True) and "update_check" in getattr(config, "_defaults", {}):
        add(
            "update_check",
            "djust asks the internet once a day for newer releases",
            'DJUST_CONFIG = {"update_check": False}',
        )
    recording = []
    for cls in view_classes():
        name = f"{cls.__module__}.{cls.__qualname__}"
        enabled = getattr(cls, "time_travel_enabled", False) is True
        if enabled and not discovery.debug():
            recording.append(name)
        if not enabled:
            add(
                "time_travel_not_set",
                f"{name} does not set time_travel_enabled: nothing from before attaching can be shown",
                "time_travel_enabled = True",
            )
        if getattr(cls, "use_actors", False) is True:
            add("use_actors", f"{name} keeps its state in an actor: jump and replay are not possible")
    if recording:
        add(
            "time_travel_in_production",
            "time_travel_enabled keeps up to time_travel_max_events whole states per page in memory also with DEBUG off: "
            + ", ".join(recording),
            "Set time_travel_enabled from DEBUG",
        )
    record = options.current().record
    if not record.everything:
        share = f"{record.share:.3g} of the pages" if record.share < 1.0 else "pages"
        users = f" of the users {', '.join(record.users)}" if record.users else ""
        paths = f" at {', '.join(record.paths)}" if record.paths else ""
        add("sampled", f"Only {share}{users}{paths} can be seen: DJUST_INSPECTOR['record'] says so")
    if budget.BUDGET.thinned or budget.BUDGET.pages:
        add(
            "thinned",
            f"The recording is thinned to its budget: {budget.BUDGET.thinned} things that happened and "
            f"{budget.BUDGET.pages} pages were left out",
            "Raise cpu or memory_mb in DJUST_INSPECTOR['record'], or record fewer pages",
        )
    for problem in options.current().problems:
        add("settings", f"The agent's settings: {problem}")
    plain = discovery.plain_token()
    if plain is not None and not discovery.debug() and len(plain[1]) < access.MIN_LENGTH:
        add(
            "weak_token",
            f"The token of the {plain[0]} is shorter than one of 256 random bits",
            None,
        )
    for message, entry in list(guard.errors.items()):
        count = f" ({entry['count']} times)" if entry["count"] > 1 else ""
        add("agent_error", f"The agent had an error: {message}{count}", None)
    return out


def _redis_major() -> int:
    """The major version of redis-py, 0 without it."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return int(version("redis").partition(".")[0])
    except (PackageNotFoundError, ValueError):
        return 0
