"""Advice about configuration keys: what is risky, has no effect, is ignored or goes away, and what to do.

Each rule is a plain statement about one key. Nothing is read here but what is handed in, so each can be tested alone.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field
from typing import Any

from .config_keys import ALIASES, DEAD, RATE_MEMBERS, SERVICE_WORKER

#: It endangers the server or its users.
RISKY = "risky"
#: It is set and does nothing here.
INEFFECTIVE = "ineffective"
#: Another setting wins, or nobody reads it where it stands.
IGNORED = "ignored"
#: It goes away.
DEPRECATED = "deprecated"
#: Nothing is wrong: what a reader of the documentation would not expect.
NOTE = "note"

Advice = dict[str, "str | None"]


def advice(level: str, why: str, do: str | None = None, line: str | None = None) -> Advice:
    """One piece of advice: why, what to do, and the line to paste for it."""
    return {"level": level, "why": why, "do": do, "line": line}


@dataclass
class Setting:
    """What is known about one setting."""

    key: str
    value: Any
    default: Any
    #: ``LIVEVIEW_CONFIG`` and ``DJUST_CONFIG`` as the project has them.
    live: dict[str, Any] = field(default_factory=dict)
    djust: dict[str, Any] = field(default_factory=dict)
    #: djust's merged configuration.
    merged: dict[str, Any] = field(default_factory=dict)
    #: Keys for which djust has a default.
    known: frozenset[str] = frozenset()
    #: Flat settings of the project: ``DJUST_WS_COMPRESSION`` …
    flat: dict[str, Any] = field(default_factory=dict)
    debug: bool = True
    #: As ``server.hot_reload``.
    hot: dict[str, Any] = field(default_factory=dict)
    #: The value as text, to be told.
    told: str = ""

    def line(self, value: str, where: str = "LIVEVIEW_CONFIG") -> str:
        """The line for the settings module that sets this key to a value in Python's spelling."""
        there = self.live if where == "LIVEVIEW_CONFIG" else self.djust
        return f'{where}["{self.key}"] = {value}' if there else f'{where} = {{"{self.key}": {value}}}'


def of_setting(s: Setting) -> list[Advice]:
    """The advice about a setting: first where it is set, then its value."""
    rule = _RULES.get(s.key)
    return _of_place(s) + (rule(s) if rule is not None else [])


def _of_place(s: Setting) -> list[Advice]:
    out = []
    only_djust = s.key == "hook_namespacing"
    if only_djust and s.key in s.live:
        out.append(
            advice(
                IGNORED,
                "It is read from DJUST_CONFIG only; what LIVEVIEW_CONFIG says is ignored",
                "Move it to DJUST_CONFIG",
                s.line(repr(s.live[s.key]) if type(s.live[s.key]) is str else '"strict"', "DJUST_CONFIG"),
            )
        )
    elif s.key == "suppress_checks":
        if s.key in s.djust and s.key in s.live:
            out.append(
                advice(IGNORED, "LIVEVIEW_CONFIG sets it too; DJUST_CONFIG comes first", "Delete it from LIVEVIEW_CONFIG")
            )
    elif s.key in s.live and s.key in s.djust:
        out.append(
            advice(
                IGNORED,
                "DJUST_CONFIG sets it too and is ignored: LIVEVIEW_CONFIG wins",
                "Delete it from DJUST_CONFIG",
            )
        )
    elif s.key in s.djust and not only_djust and not (s.key in s.known and s.merged.get(s.key) == s.djust[s.key]):
        out.append(
            advice(
                IGNORED,
                "DJUST_CONFIG sets it, but this djust does not read it there",
                "Move it to LIVEVIEW_CONFIG",
            )
        )
    if s.key in s.live and not only_djust and s.key != "suppress_checks" and s.key in s.merged:
        if s.merged[s.key] != s.live[s.key]:
            out.append(
                advice(
                    IGNORED,
                    f"LIVEVIEW_CONFIG says {s.told}, which djust repaired or something changed at run time",
                    "Set a value that djust takes, and look for config.set() in the project",
                )
            )
    if s.key in DEAD:
        given = s.key in s.live or s.key in s.djust
        out.append(
            advice(
                DEPRECATED if given else NOTE,
                "djust never reads it, and it goes in 1.3",
                "Delete it from the settings" if given else None,
            )
        )
    return out


def _rate_limit(s: Setting) -> list[Advice]:
    out = []
    if type(s.value) is dict:
        absent = [member for member in RATE_MEMBERS if member not in s.value]
        if absent:
            out.append(
                advice(
                    NOTE,
                    "It replaces djust's default as a whole: for "
                    + ", ".join(absent)
                    + " each reader has a fallback of its own",
                    "Name every member",
                )
            )
        burst = s.value.get("burst")
        if type(burst) in (int, float) and burst < 1:
            out.append(
                advice(RISKY, "A bucket that holds less than one token lets no message pass", "Set burst to 20, djust's default")
            )
        if s.value.get("max_warnings") == 1:
            out.append(
                advice(RISKY, "The first message too many closes the page and starts the cooldown", "Set max_warnings to 3")
            )
    else:
        out.append(
            advice(IGNORED, "It is no dictionary, so djust uses its own fallbacks", "Set a dictionary", s.line('{"rate": 100, "burst": 20}'))
        )
    out.append(advice(NOTE, "Pages on the SSE transport ignore it and use djust's default"))
    return out


def _event_security(s: Setting) -> list[Advice]:
    if s.value == "strict":
        return []
    logged = "; the log has a warning" if s.value == "warn" else ""
    return [
        advice(
            RISKY,
            f"The page may call any public method of a view, also one that is no event handler{logged}",
            "Decorate handlers with @event_handler and set strict",
            s.line('"strict"'),
        )
    ]


def _max_message_size(s: Setting) -> list[Advice]:
    if type(s.value) in (int, float) and s.value < 0:
        return [advice(RISKY, "Every message is larger than a negative limit, so all are refused", None, s.line("65536"))]
    if s.value == 0:
        return [advice(RISKY, "There is no limit: one message may fill the memory", "Set a limit", s.line("65536"))]
    return []


def _hot_reload(s: Setting) -> list[Advice]:
    if not s.value:
        return []
    if not s.debug:
        return [advice(INEFFECTIVE, "It has no effect with DEBUG off")]
    if s.hot.get("available") is False:
        return [advice(INEFFECTIVE, "Files are not watched: the package watchdog is not installed", "pip install watchdog")]
    return []


def _hvr_enabled(s: Setting) -> list[Advice]:
    out = []
    if s.value:
        if not s.debug:
            out.append(advice(INEFFECTIVE, "It has no effect with DEBUG off"))
        if not s.merged.get("hot_reload", True):
            out.append(
                advice(
                    INEFFECTIVE,
                    "It has no effect while hot_reload is off",
                    "Switch hot_reload on",
                    Setting("hot_reload", None, None, live=s.live).line("True"),
                )
            )
        elif s.debug and s.hot.get("defeated_by"):
            out.append(
                advice(
                    INEFFECTIVE,
                    f"{s.hot['defeated_by']} restarts the server at every change, before a class can be swapped",
                    "Start with runserver --noreload, or uvicorn without --reload",
                )
            )
    out.append(advice(NOTE, "It is read once, when the file watcher starts"))
    return out


def _css_framework(s: Setting) -> list[Advice]:
    if s.value is None or type(s.merged.get(s.value)) is dict or s.value == s.default:
        return []
    return [
        advice(
            INEFFECTIVE,
            f"djust has no classes for {s.value!r}: fields are rendered without",
            "Use bootstrap5, bootstrap4, tailwind or plain",
            s.line('"bootstrap5"'),
        )
    ]


def _serialization(s: Setting) -> list[Advice]:
    out = []
    if s.key == "serialization_max_depth" and type(s.value) in (int, float) and s.value < 1:
        out.append(
            advice(RISKY, "At depth 0 a model comes to the template as its identity, without its fields", None, s.line("3"))
        )
    if s.key == "strict_serialization" and s.value and not s.debug:
        out.append(advice(NOTE, "A value that cannot be serialised fails the event, also in production"))
    out.append(advice(NOTE, "It concerns what the template gets, not what the inspector shows"))
    return out


def _suppress_checks(s: Setting) -> list[Advice]:
    if not s.value:
        return []
    return [advice(NOTE, "manage.py check does not show these", "Leave one out to see what it has to say")]


def _websocket_compression(s: Setting) -> list[Advice]:
    return [advice(NOTE, "It says only what is wanted: the ASGI server negotiates compression")]


def _service_worker(s: Setting) -> list[Advice]:
    out = []
    given = [alias for alias in ALIASES["service_worker"] if alias in s.flat]
    if given:
        out.append(advice(NOTE, "Its members are overwritten by " + ", ".join(given)))
    wanted = s.live.get("service_worker", s.djust.get("service_worker"))
    if type(wanted) is dict and "DJUST_STATE_SNAPSHOT_ENABLED" not in s.flat and "state_snapshot_enabled" in wanted:
        out.append(
            advice(
                IGNORED,
                "state_snapshot_enabled switches nothing in here: djust asks the flat setting",
                "Use the flat setting",
                f"DJUST_STATE_SNAPSHOT_ENABLED = {bool(wanted['state_snapshot_enabled'])}",
            )
        )
    if type(wanted) is dict and any(member not in wanted for member in SERVICE_WORKER):
        out.append(advice(NOTE, "It replaces djust's default as a whole: members that it lacks are not there"))
    out.append(advice(NOTE, "It informs tools and checks; the page's own script decides what the worker does"))
    return out


def _time_travel_enabled(s: Setting) -> list[Advice]:
    if not s.value:
        return []
    return [
        advice(
            INEFFECTIVE,
            "It switches nothing on but a system check: each class decides for itself",
            "Set it on the class of the view",
            "time_travel_enabled = True",
        )
    ]


def _exclude_dirs(s: Setting) -> list[Advice]:
    if not s.value:
        return []
    return [advice(INEFFECTIVE, "djust stores it and its watcher does not use it", "Name the folders to watch in hot_reload_watch_dirs")]


def _use_websocket(s: Setting) -> list[Advice]:
    if s.value:
        return []
    return [advice(NOTE, "Pages poll over HTTP, and the inspector sees only pages on the WebSocket", None, s.line("True"))]


def _update_check(s: Setting) -> list[Advice]:
    if not s.value or not s.debug:
        return []
    return [advice(NOTE, "djust asks the internet once a day for newer releases", None, s.line("False", "DJUST_CONFIG"))]


def _debug_vdom(s: Setting) -> list[Advice]:
    if not s.value or s.debug:
        return []
    return [advice(RISKY, "Contents of pages are written into the log of a server without DEBUG", None, s.line("False"))]


def _production_only(why: str) -> Any:
    def rule(s: Setting) -> list[Advice]:
        return [advice(RISKY, why, "Delete it, or set it from DEBUG", f"{s.key} = DEBUG")] if s.value and not s.debug else []

    return rule


_RULES = {
    "rate_limit": _rate_limit,
    "event_security": _event_security,
    "max_message_size": _max_message_size,
    "hot_reload": _hot_reload,
    "hvr_enabled": _hvr_enabled,
    "css_framework": _css_framework,
    "serialization_max_depth": _serialization,
    "strict_serialization": _serialization,
    "jit_serialization": _serialization,
    "suppress_checks": _suppress_checks,
    "websocket_compression": _websocket_compression,
    "service_worker": _service_worker,
    "time_travel_enabled": _time_travel_enabled,
    "hot_reload_exclude_dirs": _exclude_dirs,
    "use_websocket": _use_websocket,
    "update_check": _update_check,
    "debug_vdom": _debug_vdom,
    "DJUST_EXPOSE_TIMING": _production_only("Browsers are told how long handlers took"),
    "DJUST_BUG_CAPTURE_PROD_OPT_IN": _production_only("Anybody who can open a page can capture its state"),
}


def of_unknown(key: str, known: list[str]) -> list[Advice]:
    """The advice about a key of ``LIVEVIEW_CONFIG`` that djust does not know."""
    near = difflib.get_close_matches(key, known, n=1, cutoff=0.75)
    return [
        advice(
            IGNORED,
            "djust has no such key",
            f"Did you mean {near[0]}?" if near else "Delete it, or look up its name",
        )
    ]


@dataclass
class Attribute:
    """What is known about one class attribute of one view."""

    key: str
    value: Any
    #: Whether a class of the project sets it.
    given: bool
    #: The other class attributes of the view.
    others: dict[str, Any]
    debug: bool = True
    #: ``handle_tick`` is djust's own, which does nothing.
    handle_tick: bool = True
    #: This djust's LiveView has such an attribute.
    exists: bool = True
    #: ``DJUST_STATE_SNAPSHOT_ENABLED``.
    snapshots: bool = True


def of_attribute(a: Attribute) -> list[Advice]:
    """The advice about a class attribute of a view."""
    out = []
    if a.given and not a.exists:
        out.append(advice(INEFFECTIVE, "This djust's LiveView has no such attribute", "Upgrade djust, or delete it"))
    rule = _ATTRIBUTES.get(a.key)
    return out + (rule(a) if rule is not None else [])


def _tick_interval(a: Attribute) -> list[Advice]:
    if not a.value:
        return []
    if not a.handle_tick:
        return [
            advice(INEFFECTIVE, "handle_tick is not overridden, so nothing ticks", "Define handle_tick, or delete tick_interval")
        ]
    out = []
    if type(a.value) in (int, float) and a.value < 100:
        out.append(
            advice(RISKY, f"Each open page renders up to {1000 / a.value:.0f} times a second", "Tick less often", "tick_interval = 1000")
        )
    out.append(advice(NOTE, "A swap of the class (HVR) does not change the interval of pages that are open"))
    return out


def _template_name(a: Attribute) -> list[Advice]:
    if a.value and a.others.get("template"):
        return [advice(IGNORED, "template is set too and wins", "Delete one of the two")]
    return []


def _login_required(a: Attribute) -> list[Advice]:
    if a.value is None:
        return [advice(NOTE, "Not decided: djust's check wants True or False", None, "login_required = False")]
    return []


def _login_url(a: Attribute) -> list[Advice]:
    if a.given and a.value and not a.others.get("login_required") and not a.others.get("permission_required"):
        return [advice(INEFFECTIVE, "Nobody is sent there: the view asks for no login", "Set login_required, or delete it")]
    return []


def _sticky(a: Attribute) -> list[Advice]:
    if a.value and not a.others.get("sticky_id"):
        return [advice(RISKY, "Without sticky_id the page that embeds it does not render", "Set sticky_id", 'sticky_id = "name"')]
    return []


def _sticky_id(a: Attribute) -> list[Advice]:
    if a.value and not a.others.get("sticky"):
        return [advice(INEFFECTIVE, "The view is not sticky", "Set sticky, or delete it", "sticky = True")]
    return []


def _time_travel(a: Attribute) -> list[Advice]:
    if a.value and not a.debug:
        return [
            advice(RISKY, "Whole states are kept in memory also with DEBUG off", "Set it from DEBUG", "time_travel_enabled = settings.DEBUG")
        ]
    if not a.value:
        return [advice(NOTE, "There is no history from before the inspector attached", None, "time_travel_enabled = True")]
    return []


def _snapshot(a: Attribute) -> list[Advice]:
    if not a.value:
        return []
    if not a.snapshots:
        return [
            advice(INEFFECTIVE, "DJUST_STATE_SNAPSHOT_ENABLED is off", "Switch it on", "DJUST_STATE_SNAPSHOT_ENABLED = True")
        ]
    return [advice(NOTE, "The state is in the page, signed but readable: nothing secret may be an assign")]


def _when_set(why: str) -> Any:
    return lambda a: [advice(NOTE, why)] if a.value else []


_ATTRIBUTES = {
    "tick_interval": _tick_interval,
    "template_name": _template_name,
    "login_required": _login_required,
    "login_url": _login_url,
    "sticky": _sticky,
    "sticky_id": _sticky_id,
    "time_travel_enabled": _time_travel,
    "enable_state_snapshot": _snapshot,
    "temporary_assigns": _when_set("They are empty again after each render: a jump to a state before shows them empty"),
    "static_assigns": _when_set("A change reaches the state but never the page"),
    "use_actors": _when_set("Jump and replay are not possible: the state lives in an actor"),
    "streaming_render": _when_set("The first response comes in pieces: a proxy that buffers it undoes that"),
    "allowed_model_fields": _when_set("update_model may write these, beside the fields that the template binds"),
}
