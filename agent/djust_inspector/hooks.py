"""What is hooked in djust. What each hook notes is in the ``hooks_…`` modules.

Every hook first tests ``hub.ACTIVE`` (true while an inspector is attached or may come back), but for
the one of page loads, which keeps a reference in any case (``shells.py``). Every hook passes on exactly what
it was given and returns what came back; whatever it looks at, it looks at inside of ``guard``. So neither an error
of the agent nor a parameter that a later djust adds changes what djust does.
A hook whose target this djust lacks is listed in `missing` and nothing else happens.
"""

from __future__ import annotations

import functools
import inspect
import sys
from typing import Any, Callable

from . import endpoint, guard, hooks_background, hooks_event, hooks_http, hooks_page, hooks_reload, hub, sessions, shells

#: Hooks that this djust does not offer: {"hook", "why"}.
missing: list[dict[str, str]] = []


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
        of_class = inspect.ismethod(original) and inspect.isclass(original.__self__)
        function = original.__func__ if of_class else original
        wrapper = make(function)
        if inspect.iscoroutinefunction(wrapper) != inspect.iscoroutinefunction(function):
            is_now = "asynchronous" if inspect.iscoroutinefunction(function) else "not asynchronous"
            missing.append({"hook": path, "why": f"in this djust it is {is_now}"})
            return False
        functools.update_wrapper(wrapper, function)
        wrapper._djust_inspector = True
        setattr(owner, name, classmethod(wrapper) if of_class else wrapper)
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

    hook(consumer, base + "__call__", lambda original: endpoint.make_call(hooks_page.make_call(original)))
    hook(consumer, base + "connect", hooks_page.make_connect)
    hook(consumer, base + "disconnect", hooks_page.make_disconnect)
    hook(consumer, base + "close", hooks_page.make_close)
    hook(consumer, base + "receive", hooks_page.make_receive)
    hook(consumer, base + "send", hooks_page.make_send)
    hook(consumer, base + "send_json", hooks_page.make_send_json)
    hook(consumer, base + "hotreload", hooks_reload.make_hotreload)
    hook(consumer, base + "broadcast_reload", hooks_reload.make_broadcast_reload)
    if hasattr(consumer, "_tick_once"):
        hook(consumer, base + "_tick_once", hooks_background.make_tick_once)
    else:
        hook(consumer, base + "_run_tick", hooks_background.make_run_tick)
    if hasattr(consumer, "_run_server_push_turn"):
        hook(consumer, base + "_run_server_push_turn", hooks_background.make_push("server_push"))
    else:
        hook(consumer, base + "server_push", hooks_background.make_push("server_push"))
    for name in ("db_notify", "client_push_event", "presence_event"):
        hook(consumer, base + name, hooks_background.make_push(name))
    hook(consumer, base + "_run_async_work", hooks_background.make_async_work)

    from djust import time_travel

    hook(time_travel, "djust.time_travel.record_event_start", hooks_event.make_event_start)
    hook(time_travel, "djust.time_travel.record_event_end", hooks_event.make_event_end)

    runtime = guard.module("djust.runtime")
    view_runtime = getattr(runtime, "ViewRuntime", None)
    if hasattr(view_runtime, "_execute_async_task"):  # where it is absent the consumer runs all background work
        hook(view_runtime, "djust.runtime.ViewRuntime._execute_async_task", hooks_background.make_async_work)
    background = guard.module("djust.mixins.async_work")
    if hasattr(background, "run_async_callback"):
        # Where it is absent `make_async_work` times the callback.
        hook(background, "djust.mixins.async_work.run_async_callback", hooks_background.make_async_callback)
    found = {"_call_handler": False, "_validate_event_security": False}
    for module, label in ((websocket, "djust.websocket"), (runtime, "djust.runtime"), (guard.module("djust.sse"), "djust.sse")):
        for name, make in (
            ("_call_handler", hooks_event.make_call_handler),
            ("_validate_event_security", hooks_event.make_validate),
        ):
            if hasattr(module, name):
                found[name] |= hook(module, f"{label}.{name}", make)
    for name, done in found.items():
        if not done:
            missing.append({"hook": f"djust.websocket_utils.{name}", "why": "no module of this djust imports it"})
    hook(websocket, "djust.websocket._snapshot_assigns", hooks_background.make_snapshot_assigns)
    hooks_http.install(hook, runtime)

    live_view = guard.module("djust.live_view")
    hook(getattr(live_view, "LiveView", None), "djust.live_view.LiveView.render_with_diff", hooks_event.make_render)
    hook(getattr(live_view, "LiveView", None), "djust.live_view.LiveView._inject_client_script", shells.make_inject)
    swap = guard.module("djust.hot_view_replacement")
    hook(swap, "djust.hot_view_replacement.apply_class_swap", hooks_reload.make_class_swap)
    hook(swap, "djust.hot_view_replacement.reload_module_if_liveview", hooks_reload.make_reload_module)
    rate = guard.module("djust.rate_limit")
    tracker = getattr(rate, "IPConnectionTracker", None)
    hook(tracker, "djust.rate_limit.IPConnectionTracker.connect", hooks_page.make_ip_connect)
    hook(
        getattr(rate, "ConnectionRateLimiter", None),
        "djust.rate_limit.ConnectionRateLimiter.check",
        hooks_event.make_check("global"),
    )
    hook(
        getattr(rate, "ConnectionRateLimiter", None),
        "djust.rate_limit.ConnectionRateLimiter.check_upload",
        hooks_event.make_check("upload"),
    )

    try:
        from django.db.backends import utils

        hook(
            utils.CursorWrapper,
            "django.db.backends.utils.CursorWrapper._execute_with_wrappers",
            hooks_event.make_execute,
            "this Django does not have it",
        )
    except ImportError as error:
        missing.append({"hook": "django.db.backends.utils.CursorWrapper", "why": str(error)})
    hub.HUB.on_active.append(_on_active)


def _on_active(active: bool) -> None:
    from . import causes, logs

    logs.set_active(active)
    causes.watch(active)
    if not active:
        hooks_reload.forget()
        hooks_http.forget()
        for session in list(sessions.SESSIONS.values()):
            session.forget()
            if session.ticks_paused:
                # Nobody is left who could let the page tick again.
                from . import ticks

                guard.guarded(ticks.release)(session)
