"""The ``config`` frame: every documented configuration key with its value, default, source and traps.

33 keys: 19 class attributes of a LiveView and 14 settings. djust merges four places into one
dictionary at import (see ``djust.config``); here each key is traced back to the place that won.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from . import discovery, guard
from .walker import Walker, _class_dict, _class_mro, class_name

dumps = json.dumps

#: Class attribute: (type, default, doc).
CLASS_KEYS: dict[str, tuple[str, Any, str]] = {
    "template_name": ("str", None, "Template file of the view"),
    "template": ("str", None, "Template as text in the class; wins over template_name"),
    "tick_interval": ("int", None, "Milliseconds between calls of handle_tick"),
    "temporary_assigns": ("dict", {}, "Assigns that are reset to these values after each render"),
    "static_assigns": ("list", [], "Assigns that are sent to the renderer once"),
    "login_required": ("bool", None, "Only logged-in users may mount the view"),
    "permission_required": ("str or list", None, "Permissions that a user needs to mount the view"),
    "login_url": ("str", None, "Where anonymous users are sent"),
    "on_mount": ("list", [], "Hooks that run before mount, in order"),
    "api_name": ("str", None, "Name of the view in djust's HTTP API"),
    "api_auth_classes": ("list", None, "How the HTTP API authenticates"),
    "sticky": ("bool", False, "The embedded view survives a live redirect"),
    "sticky_id": ("str", None, "Identity of the sticky view across pages"),
    "use_actors": ("bool", False, "State lives in an actor instead of the view"),
    "enable_state_snapshot": ("bool", False, "A signed snapshot of the state is kept for back navigation"),
    "streaming_render": ("bool", False, "The first HTTP response is sent in pieces"),
    "time_travel_enabled": ("bool", False, "Keep the states around each event in a ring"),
    "abstract": ("bool", False, "A base class that is not mounted itself"),
    "allowed_model_fields": ("list", None, "Fields that update_model may write"),
}

#: Setting: (type, doc).
SETTING_KEYS: dict[str, tuple[str, str]] = {
    "css_framework": ("str", "CSS framework for rendered form fields"),
    "event_security": ("str", "Which methods the page may call: open, warn or strict"),
    "max_message_size": ("int", "Largest incoming message in bytes; 0 is no limit"),
    "rate_limit": ("dict", "Message budget of a page, and connections of an address"),
    "serialization_max_depth": ("int", "How deep related models are serialised for the template"),
    "strict_serialization": ("bool", "Raise for values that cannot be serialised, instead of str()"),
    "jit_serialization": ("bool", "Serialise only what the template uses"),
    "jit_cache_backend": ("str", "Cache of compiled serialisers"),
    "hot_reload": ("bool", "Watch files and update open pages in DEBUG"),
    "hvr_enabled": ("bool", "Swap changed view classes under open pages"),
    "hook_namespacing": ("str", "Names of colocated hooks: lax or strict"),
    "websocket_compression": ("bool", "Whether compression of the WebSocket is wanted"),
    "suppress_checks": ("list", "System checks that are not shown"),
    "service_worker": ("dict", "Service worker, cache of pages and state snapshots"),
}

#: Related settings that are not among the documented ones but explain what is seen.
RELATED: dict[str, tuple[str, Any, str]] = {
    "time_travel_max_events": ("int", 100, "Size of a view's time-travel ring"),
    "time_travel_enabled": ("bool", False, "Does nothing but a system check; the class attribute decides"),
    "hot_reload_watch_dirs": ("list", None, "Folders that are watched; BASE_DIR when unset"),
    "hot_reload_exclude_dirs": ("list", None, "Stored but not used by the watcher"),
    "hot_reload_auto_enable": ("bool", True, "Start the watcher by itself in DEBUG"),
    "bug_capture_default_scrub": ("list", [], "Names that djust's share button hides; the inspector hides them too"),
    "bug_capture_store": ("str", None, "Where large bug captures are kept"),
    "bug_capture_inline_limit": ("int", None, "Size up to which a capture is kept inside of its link"),
    "use_websocket": ("bool", True, "WebSocket, or HTTP polling"),
    "reauth_on_event": ("bool", False, "Check login and permissions again at each event"),
    "auto_navigate": ("bool", True, "Plain links become live navigation"),
    "update_check": ("bool", True, "Ask once a day for newer releases in DEBUG"),
    "debug_vdom": ("bool", False, "Log the differ's work"),
    "loop_render_cache_enabled": ("bool", True, "Cache rendered loop items"),
}
_FLAT = {
    "DJUST_WS_COMPRESSION": "Overrides websocket_compression",
    "DJUST_VDOM_CACHE_ENABLED": "Written into service_worker.vdom_cache_enabled",
    "DJUST_VDOM_CACHE_TTL_SECONDS": "Written into service_worker.vdom_cache_ttl_seconds",
    "DJUST_VDOM_CACHE_MAX_ENTRIES": "Written into service_worker.vdom_cache_max_entries",
    "DJUST_STATE_SNAPSHOT_ENABLED": "Switches state snapshots",
    "DJUST_TRUSTED_PROXY_COUNT": "How many proxies' X-Forwarded-For is believed",
    "DJUST_EXPOSE_TIMING": "Send timings to browsers also without DEBUG",
    "DJUST_BUG_CAPTURE_PROD_OPT_IN": "Bug captures also without DEBUG",
    "LIVEVIEW_ALLOWED_MODULES": "Modules whose views a page may mount",
}
_ALIASES = {
    "websocket_compression": ("DJUST_WS_COMPRESSION",),
    "service_worker": (
        "DJUST_VDOM_CACHE_ENABLED",
        "DJUST_VDOM_CACHE_TTL_SECONDS",
        "DJUST_VDOM_CACHE_MAX_ENTRIES",
        "DJUST_STATE_SNAPSHOT_ENABLED",
    ),
}
_RATE_MEMBERS = (
    "rate",
    "burst",
    "max_warnings",
    "max_connections_per_ip",
    "reconnect_cooldown",
    "upload_rate",
    "upload_burst",
)


def view_classes() -> list[type]:
    """All loaded LiveView classes that are not djust's own and not abstract."""
    base = getattr(sys.modules.get("djust.live_view"), "LiveView", None)
    if base is None:
        return []
    found: dict[int, type] = {}
    waiting = [base]
    while waiting:
        for cls in type.__subclasses__(waiting.pop()):
            if id(cls) not in found:
                found[id(cls)] = cls
                waiting.append(cls)
    out: dict[str, type] = {}
    for cls in found.values():
        module, own = _class_dict(cls).get("__module__"), _class_dict(cls)
        if type(module) is not str or module.split(".")[0] == "djust" or own.get("abstract") is True:
            continue
        live = getattr(sys.modules.get(module), cls.__qualname__, None)
        if "." not in cls.__qualname__ and live is not cls:
            continue  # the class that a reload replaced
        out[class_name(cls)] = cls
    return [out[name] for name in sorted(out)]


def describe() -> str:
    """The fields of a ``config`` frame as JSON text."""
    keys = [guard.guarded(_setting)(name) for name in SETTING_KEYS]
    keys += [guard.guarded(_class_default)(name) for name in CLASS_KEYS]
    related = [guard.guarded(_related)(name) for name in RELATED]
    related += [guard.guarded(_flat)(name) for name in _FLAT]
    views = [guard.guarded(_view)(cls) for cls in view_classes()]
    return '"keys":[%s],"views":[%s],"related":[%s]' % tuple(
        ",".join(text for text in group if text) for group in (keys, views, related)
    )


_last: str | None = None


def changed() -> str | None:
    """`describe`, if it is not what was sent last: views are loaded with the first request."""
    global _last
    text = describe()
    if text == _last:
        return None
    _last = text
    return text


def _entry(key: str, group: str, kind: str, default: Any, value: Any, source: str, traps: list[str], doc: str) -> str:
    return '{"key":%s,"group":"%s","type":%s,"default":%s,"value":%s,"source":%s,"traps":%s,"doc":%s}' % (
        dumps(key),
        group,
        dumps(kind),
        Walker().named(key, default),
        Walker().named(key, value),
        dumps(source),
        dumps(traps),
        dumps(doc),
    )


def _dicts() -> tuple[dict[str, Any], dict[str, Any]]:
    """``LIVEVIEW_CONFIG`` and ``DJUST_CONFIG`` as the project has them."""
    settings = discovery.settings()
    live = getattr(settings, "LIVEVIEW_CONFIG", None)
    djust = getattr(settings, "DJUST_CONFIG", None)
    return (live if isinstance(live, dict) else {}), (djust if isinstance(djust, dict) else {})


def _config() -> tuple[dict[str, Any], dict[str, Any]]:
    """djust's merged configuration and its defaults."""
    from djust.config import LiveViewConfig, config

    return config._config, LiveViewConfig._defaults


def _resolved(key: str, fallback: Any = None) -> tuple[Any, Any, str, list[str]]:
    """Value, default, source and traps of a key of djust's merged configuration."""
    merged, defaults = _config()
    live, djust = _dicts()
    settings = discovery.settings()
    traps = []
    default = defaults.get(key, fallback)
    value = merged.get(key, default)
    source = "default"
    if key in live:
        source = "LIVEVIEW_CONFIG"
        if key in djust:
            traps.append("DJUST_CONFIG sets it too and is ignored: LIVEVIEW_CONFIG wins")
    elif key in djust:
        if key in defaults and key in merged and merged[key] == djust[key]:
            source = "DJUST_CONFIG"
        else:
            traps.append("DJUST_CONFIG sets it, but this djust does not read it there")
    for alias in _ALIASES.get(key, ()):
        if hasattr(settings, alias):
            source = alias if source == "default" else f"{source}, {alias}"
    if source == "LIVEVIEW_CONFIG" and value != live[key]:
        traps.append(
            f"LIVEVIEW_CONFIG says {Walker().text(live[key])[:200]}, which djust repaired or something changed"
        )
        if value == default:
            source = "default"
    elif source == "default" and value != default:
        source = "set at run time"
    return value, default, source, traps


def _setting(key: str) -> str:
    kind, doc = SETTING_KEYS[key]
    live, djust = _dicts()
    debug = discovery.debug()
    if key == "hook_namespacing":
        value = djust.get(key, "lax")
        traps = ["read from DJUST_CONFIG only; LIVEVIEW_CONFIG is ignored"] if key in live else []
        return _entry(key, "setting", kind, "lax", value, "DJUST_CONFIG" if key in djust else "default", traps, doc)
    if key == "suppress_checks":
        source = "DJUST_CONFIG" if key in djust else "LIVEVIEW_CONFIG" if key in live else "default"
        value = djust.get(key, live.get(key, []))
        traps = ["LIVEVIEW_CONFIG sets it too; DJUST_CONFIG comes first"] if key in djust and key in live else []
        return _entry(key, "setting", kind, [], value, source, traps, doc)
    value, default, source, traps = _resolved(key)
    if key == "rate_limit":
        if isinstance(value, dict):
            absent = [m for m in _RATE_MEMBERS if m not in value]
            if absent:
                traps.append(
                    "replaces the whole default; without " + ", ".join(absent) + " the readers use their own fallback"
                )
        traps.append("pages on the SSE transport ignore it and use djust's default")
    elif key == "event_security" and value != "strict":
        traps.append("methods that are no event handlers can be called by the page")
    elif key == "max_message_size" and value == 0:
        traps.append("no limit: one message may fill the memory")
    elif key == "hot_reload" and not debug:
        traps.append("has no effect with DEBUG off")
    elif key == "hvr_enabled":
        traps.append("read once, when the file watcher starts")
        if not debug:
            traps.append("has no effect with DEBUG off")
        merged = _config()[0]
        if not merged.get("hot_reload", True):
            traps.append("has no effect while hot_reload is off")
    elif key == "jit_cache_backend":
        traps.append("never read by djust since the serialisers are compiled otherwise; it goes in 1.3")
    elif key == "websocket_compression":
        traps.append("says only what is wanted: the ASGI server negotiates compression")
    elif key == "service_worker":
        settings = discovery.settings()
        if any(hasattr(settings, alias) for alias in _ALIASES[key]):
            traps.append("the flat DJUST_… settings are written into djust's class default itself")
        if hasattr(settings, "DJUST_STATE_SNAPSHOT_ENABLED"):
            traps.append("snapshots obey DJUST_STATE_SNAPSHOT_ENABLED, not state_snapshot_enabled in here")
        else:
            traps.append("for the page's own script; snapshots obey the flat DJUST_STATE_SNAPSHOT_ENABLED")
    if key in ("serialization_max_depth", "strict_serialization", "jit_serialization"):
        traps.append("concerns what the template gets, not what the inspector shows")
    return _entry(key, "setting", kind, default, value, source, traps, doc)


def _base_default(key: str) -> Any:
    """The default of a class attribute as this djust's LiveView has it, else as documented."""
    base = getattr(sys.modules.get("djust.live_view"), "LiveView", None)
    if base is not None:
        for cls in _class_mro(base):
            if key in _class_dict(cls):
                found = _class_dict(cls)[key]
                return found if not hasattr(type(found), "__get__") else CLASS_KEYS[key][1]
    return CLASS_KEYS[key][1]


def _class_default(key: str) -> str:
    kind, documented, doc = CLASS_KEYS[key]
    default = _base_default(key)
    if key == "abstract":
        default = documented
    users = sum(1 for cls in view_classes() if _attribute(cls, key)[1].startswith("class "))
    source = "default" if not users else f"class (set by {users} view{'s' if users > 1 else ''})"
    traps = []
    base = getattr(sys.modules.get("djust.live_view"), "LiveView", None)
    if base is not None and not any(key in _class_dict(cls) for cls in _class_mro(base)):
        traps.append("this djust's LiveView has no such attribute")
    return _entry(key, "class", kind, default, default, source, traps, doc)


def _related(key: str) -> str:
    kind, fallback, doc = RELATED[key]
    value, default, source, traps = _resolved(key, fallback)
    if key == "time_travel_enabled" and value:
        traps.append("switches nothing on: set time_travel_enabled on the view's class")
    return _entry(key, "setting", kind, default, value, source, traps, doc)


def _flat(key: str) -> str:
    settings = discovery.settings()
    known = hasattr(settings, key)
    value = getattr(settings, key, None) if known else None
    return _entry(
        key,
        "setting",
        type(value).__name__ if known else "any",
        None,
        value,
        key if known else "default",
        [],
        _FLAT[key],
    )


def _attribute(cls: type, key: str) -> tuple[Any, str]:
    """The value of a class attribute and the class from which it comes."""
    if key == "abstract":  # not inherited: djust reads the class's own
        own = _class_dict(cls)
        return (own["abstract"], f"class {class_name(cls)}") if key in own else (False, "default")
    for owner in _class_mro(cls):
        own = _class_dict(owner)
        if key in own:
            if class_name(owner).split(".")[0] in ("djust", "django", "object"):
                return own[key], "default"
            return own[key], f"class {class_name(owner)}"
    return CLASS_KEYS[key][1], "default"


def _view(cls: type) -> str:
    from .sessions import _place

    attributes = []
    for key in CLASS_KEYS:
        value, source = _attribute(cls, key)
        attributes.append(
            '%s:{"value":%s,"source":%s,"traps":%s}'
            % (dumps(key), Walker().named(key, value), dumps(source), dumps(_class_traps(cls, key, value)))
        )
    return '{"class":%s,%s,"attributes":{%s}}' % (dumps(class_name(cls)), _place(cls), ",".join(attributes))


def _class_traps(cls: type, key: str, value: Any) -> list[str]:
    base = getattr(sys.modules.get("djust.live_view"), "LiveView", None)
    if key == "tick_interval" and value:
        if base is not None and _owner_of(cls, "handle_tick") is _owner_of(base, "handle_tick"):
            return ["handle_tick is not overridden, so nothing ticks"]
        return ["a swap of the class (HVR) does not change the interval of pages that are open"]
    if key == "temporary_assigns" and value:
        return ["they are empty again after each render: a jump to a state before shows them empty"]
    if key == "static_assigns" and value:
        return ["a change reaches the state but never the page"]
    if key == "template_name" and value and _attribute(cls, "template")[0]:
        return ["template is set too and wins"]
    if key == "use_actors" and value:
        return ["jump and replay are not possible: the state lives in an actor"]
    if key == "time_travel_enabled":
        if value and not discovery.debug():
            return ["records whole states into memory also with DEBUG off"]
        if not value:
            return ["no history from before the inspector attached"]
    if key == "sticky" and value and not _attribute(cls, "sticky_id")[0]:
        return ["sticky_id is not set"]
    if key == "login_required" and value is None:
        return ["not decided: djust's check wants True or False"]
    if key == "enable_state_snapshot" and value:
        return ["the state is in the page, signed but readable"]
    return []


def _owner_of(cls: type, name: str) -> type | None:
    for owner in _class_mro(cls):
        if name in _class_dict(owner):
            return owner
    return None
