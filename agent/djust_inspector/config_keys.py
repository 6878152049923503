"""The configuration keys that the inspector tells about: 33 documented ones, and those that matter beside them."""

from __future__ import annotations

from typing import Any

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

#: Class attributes that are not among the documented ones.
CLASS_RELATED: dict[str, tuple[str, Any, str]] = {
    "time_travel_excluded_fields": ("list", [], "Assigns that djust's time travel leaves out, and the inspector hides"),
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
    "reauth_server_turn_interval": ("float", 5.0, "Seconds between those checks for ticks and pushes"),
    "virtual_keyed_ops": ("bool", True, "Patches of a dj-virtual list go by key"),
    "django_value_repr": ("bool", True, "Values render as Django renders them"),
    "template_auto_call": ("bool", True, "The template calls callables, as Django's does"),
    "sensitive_field_types": ("list", [], "Model fields of these classes never reach the page"),
    "debug_panel_max_history": ("int", 50, "Entries that djust's own panel keeps"),
    "debug_auto_open_on_error": ("bool", False, "djust's own panel opens at an error"),
    "jit_debug": ("bool", False, "Log how serialisers are compiled"),
    "jit_cache_dir": ("str", "__pycache__/djust_serializers", "Folder of compiled serialisers"),
    "jit_redis_url": ("str", "redis://localhost:6379/0", "Redis of compiled serialisers"),
    "debug_components": ("bool", False, "Log the work of components"),
    "component_wrapper_class": ("str", "", "CSS class around components"),
    "component_loading_class": ("str", "loading", "CSS class of components that load"),
}
#: Flat settings of their own.
FLAT = {
    "DJUST_WS_COMPRESSION": "Overrides websocket_compression",
    "DJUST_VDOM_CACHE_ENABLED": "Written into service_worker.vdom_cache_enabled",
    "DJUST_VDOM_CACHE_TTL_SECONDS": "Written into service_worker.vdom_cache_ttl_seconds",
    "DJUST_VDOM_CACHE_MAX_ENTRIES": "Written into service_worker.vdom_cache_max_entries",
    "DJUST_STATE_SNAPSHOT_ENABLED": "Switches state snapshots",
    "DJUST_TRUSTED_PROXY_COUNT": "How many proxies' X-Forwarded-For is believed",
    "DJUST_EXPOSE_TIMING": "Send timings to browsers also without DEBUG",
    "DJUST_BUG_CAPTURE_PROD_OPT_IN": "Bug captures also without DEBUG",
    "LIVEVIEW_ALLOWED_MODULES": "Modules whose views a page may mount; the installed apps when unset",
}
#: Settings that a flat setting overrides, in whole or in a member.
ALIASES = {
    "websocket_compression": ("DJUST_WS_COMPRESSION",),
    "service_worker": (
        "DJUST_VDOM_CACHE_ENABLED",
        "DJUST_VDOM_CACHE_TTL_SECONDS",
        "DJUST_VDOM_CACHE_MAX_ENTRIES",
        "DJUST_STATE_SNAPSHOT_ENABLED",
    ),
}
#: Members of ``rate_limit``.
RATE_MEMBERS = (
    "rate",
    "burst",
    "max_warnings",
    "max_connections_per_ip",
    "reconnect_cooldown",
    "upload_rate",
    "upload_burst",
)
#: Keys that have a default and that djust never reads; they go in 1.3.
DEAD = frozenset(
    (
        "jit_cache_backend",
        "jit_cache_dir",
        "jit_redis_url",
        "debug_components",
        "component_wrapper_class",
        "component_loading_class",
    )
)
#: Keys that djust reads without having a default for them.
READ_WITHOUT_DEFAULT = frozenset(("profiler_enabled", "filter_bridge_warm", "suppress_checks"))
#: Members of ``service_worker`` as djust has them before a flat setting is written into its class default.
SERVICE_WORKER = {
    "vdom_cache_enabled": True,
    "vdom_cache_ttl_seconds": 1800,
    "vdom_cache_max_entries": 50,
    "state_snapshot_enabled": True,
}
