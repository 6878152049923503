"""The ``config`` frame: every configuration key with its value, default, source and advice.

djust merges four places into one dictionary at import (see ``djust.config``); here each key is traced
back to the place that won. What is to be said about it is decided in ``config_advice``.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

from . import config_advice, config_places, discovery, guard, sessions
from .config_advice import Advice, Attribute, Setting
from .config_keys import (
    ALIASES,
    CLASS_KEYS,
    CLASS_RELATED,
    FLAT,
    READ_WITHOUT_DEFAULT,
    RELATED,
    SERVICE_WORKER,
    SETTING_KEYS,
)
from .walker import Walker, _class_dict, _class_mro, class_name, own_dict

dumps = json.dumps

_ATTRIBUTES = {**CLASS_KEYS, **CLASS_RELATED}


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
    facts = _facts()
    known = _known_attributes()
    attributes = guard.guarded(_attributes)
    found = [(cls, values) for cls in view_classes() if (values := attributes(cls)) is not None]
    given = [key for _, values in found for key, (_, owner) in values.items() if owner is not None]
    keys = [guard.guarded(_setting)(name, facts) for name in SETTING_KEYS]
    keys += [guard.guarded(_class_default)(name, given.count(name), name in known) for name in CLASS_KEYS]
    related = [guard.guarded(_setting)(name, facts) for name in RELATED]
    related += [guard.guarded(_class_default)(name, given.count(name), name in known) for name in CLASS_RELATED]
    related += [guard.guarded(_flat)(name, facts) for name in FLAT]
    related += [guard.guarded(_unknown)(name, facts) for name in _unknown_keys(facts)]
    open_views = _open_views()
    views = [guard.guarded(_view)(cls, values, known, open_views.get(id(cls), []), facts) for cls, values in found]
    return '"keys":[%s],"views":[%s],"related":[%s]' % tuple(
        ",".join(text for text in group if text) for group in (keys, views, related)
    )


#: Seconds for which a description is given again to whoever asks for one, unless what it is made of has changed.
REFRESH_SECS = 1.0

#: The last description, when it was made by the monotonic clock, and what it was made of.
_last: str | None = None
_made_at = 0.0
_basis: Any = None
#: By the ids of pages: the attributes in which their views differ from their classes, for pages with such.
_differing: dict[str, Any] = {}


def latest() -> str | None:
    """The last description, for an inspector that comes. Costs nothing: call `refresh` before."""
    return _last


@guard.metered
def refresh() -> None:
    """Describe everything anew, unless that was done just now and nothing has changed since."""
    if _last is None or time.monotonic() - _made_at > REFRESH_SECS or _basis != _read_basis():
        _describe_anew()


@guard.metered
def changed(session: sessions.Session) -> str | None:
    """The description, if it is another one since a page has mounted or its views were reloaded; cheap when it is not.

    Views are loaded with the first request and replaced by a reload.
    """
    current = _overrides(session)
    is_same = _last is not None and _differing.get(session.id, ()) == current and _differing.keys() <= sessions.SESSIONS.keys()
    if is_same and _basis == _read_basis():
        return None
    before = _last
    _describe_anew()
    return None if _last == before else _last


def _describe_anew() -> None:
    global _last, _made_at, _basis, _differing
    _basis = _read_basis()
    _differing = {session.id: found for session in sessions.recorded() if (found := _overrides(session))}
    _last = describe()
    _made_at = time.monotonic()


def _read_basis() -> Any:
    """What a description is made of, apart from open pages: the loaded classes and the settings. Compared, never shown."""
    classes: set[type] = set()
    waiting = [_base()] if _base() is not None else []
    while waiting:
        for cls in type.__subclasses__(waiting.pop()):
            if cls not in classes:
                classes.add(cls)
                waiting.append(cls)
    return frozenset(map(id, classes)), _frozen(_facts())


def _overrides(session: sessions.Session) -> tuple[Any, ...]:
    """The attributes that views of a page have on the instance itself and that are not their class's."""
    found = []
    for view_id, view in session.views().items():
        own = own_dict(view)
        for key in _ATTRIBUTES.keys() & own.keys():
            if _frozen(own[key]) != _frozen(_attribute(type(view), key)[0]):
                found.append((view_id, key, _frozen(own[key])))
    return tuple(found)


def _frozen(value: Any, depth: int = 4) -> Any:
    """A value to be compared with another one later: plain containers by what they hold, all else by identity."""
    kind = type(value)
    if kind in (str, int, float, bool, type(None)):
        return kind, value
    if depth and kind is dict:
        return kind, tuple((_frozen(key, 0), _frozen(item, depth - 1)) for key, item in list(value.items()))
    if depth and kind in (list, tuple):
        return kind, tuple(_frozen(item, depth - 1) for item in value)
    if depth and kind in (set, frozenset):
        return kind, frozenset(_frozen(item, 0) for item in value)
    return kind, id(value)


def _entry(
    key: str,
    group: str,
    kind: str,
    default: Any,
    value: Any,
    source: str,
    place: tuple[str, int] | None,
    advice: list[Advice],
    doc: str,
) -> str:
    return '{"key":%s,"group":"%s","type":%s,"default":%s,"value":%s,"source":%s,%s,"advice":%s,"doc":%s}' % (
        dumps(key),
        group,
        dumps(kind),
        Walker().named(key, default),
        Walker().named(key, value),
        dumps(source),
        _place(place),
        dumps(advice),
        dumps(doc),
    )


def _place(place: tuple[str, int] | None) -> str:
    file, line = place if place is not None else (None, None)
    return '"file":%s,"line":%s' % (dumps(file), dumps(line))


# -- settings


def _facts() -> dict[str, Any]:
    """What all settings have in common, read once: as fields of a `Setting`."""
    from djust.config import LiveViewConfig, config

    from . import server

    settings = discovery.settings()
    live = getattr(settings, "LIVEVIEW_CONFIG", None)
    djust = getattr(settings, "DJUST_CONFIG", None)
    return {
        "live": live if isinstance(live, dict) else {},
        "djust": djust if isinstance(djust, dict) else {},
        "merged": config._config,
        "known": frozenset(LiveViewConfig._defaults),
        "flat": {name: getattr(settings, name) for name in FLAT if hasattr(settings, name)},
        "debug": discovery.debug(),
        "hot": guard.guarded(server.hot_reload)() or {},
    }


def _default(key: str) -> Any:
    """djust's default of a setting."""
    from djust.config import LiveViewConfig

    if key == "hook_namespacing":
        return "lax"
    if key == "suppress_checks":
        return []
    default = LiveViewConfig._defaults.get(key, RELATED[key][1] if key in RELATED else None)
    if key == "service_worker" and type(default) is dict:
        # djust writes the flat settings into its class default itself.
        return {**default, **{member: value for member, value in SERVICE_WORKER.items() if member in default}}
    return default


def _resolved(key: str, facts: dict[str, Any]) -> tuple[Any, str]:
    """The value in force of a setting, and the place that won."""
    live, djust, merged = facts["live"], facts["djust"], facts["merged"]
    if key == "hook_namespacing":
        return djust.get(key, "lax"), "DJUST_CONFIG" if key in djust else "default"
    if key == "suppress_checks":
        source = "DJUST_CONFIG" if key in djust else "LIVEVIEW_CONFIG" if key in live else "default"
        return djust.get(key, live.get(key, [])), source
    default = _default(key)
    value = merged.get(key, default)
    source = "default"
    if key in live:
        source = "LIVEVIEW_CONFIG"
    elif key in djust and key in facts["known"] and merged.get(key) == djust[key]:
        source = "DJUST_CONFIG"
    flat = [alias for alias in ALIASES.get(key, ()) if alias in facts["flat"]]
    if flat:
        source = ", ".join(([] if source == "default" else [source]) + flat)
    if source == "LIVEVIEW_CONFIG" and value != live[key] and value == default:
        return value, "default"
    if source == "LIVEVIEW_CONFIG" and value != live[key]:
        return value, "LIVEVIEW_CONFIG, then at run time"
    if source == "default" and value != default:
        return value, "set at run time"
    return value, source


def _setting(key: str, facts: dict[str, Any]) -> str:
    kind, doc = SETTING_KEYS[key] if key in SETTING_KEYS else (RELATED[key][0], RELATED[key][2])
    default = _default(key)
    value, source = _resolved(key, facts)
    told = Walker().clean(facts["live"][key])[:200] if key in facts["live"] else ""
    advice = config_advice.of_setting(Setting(key, value, default, told=told, **facts))
    return _entry(key, "setting", kind, default, value, source, _written(key, source), advice, doc)


def _written(key: str, source: str) -> tuple[str, int] | None:
    for name in source.split(", "):
        if name in ("LIVEVIEW_CONFIG", "DJUST_CONFIG"):
            return config_places.setting(name, key)
        if name in FLAT:
            return config_places.setting(name)
    return None


def _flat(key: str, facts: dict[str, Any]) -> str:
    given = key in facts["flat"]
    value = facts["flat"].get(key)
    return _entry(
        key,
        "setting",
        type(value).__name__ if given else "any",
        None,
        value,
        key if given else "default",
        config_places.setting(key) if given else None,
        config_advice.of_setting(Setting(key, value, None, **facts)),
        FLAT[key],
    )


def _unknown_keys(facts: dict[str, Any]) -> list[str]:
    """Keys of ``LIVEVIEW_CONFIG`` for which djust has no use. ``DJUST_CONFIG`` has keys of other parts of djust, too."""
    known = facts["known"] | READ_WITHOUT_DEFAULT | set(SETTING_KEYS) | set(RELATED)
    return [key for key in facts["live"] if type(key) is str and key not in known][:50]


def _unknown(key: str, facts: dict[str, Any]) -> str:
    value = facts["live"][key]
    near = sorted(facts["known"] | set(SETTING_KEYS))
    return _entry(
        key,
        "setting",
        type(value).__name__,
        None,
        value,
        "LIVEVIEW_CONFIG",
        config_places.setting("LIVEVIEW_CONFIG", key),
        config_advice.of_unknown(key, near),
        "Not a key of djust",
    )


# -- class attributes


def _base() -> Any:
    return getattr(sys.modules.get("djust.live_view"), "LiveView", None)


def _owner_of(cls: type, name: str) -> type | None:
    """The class whose attribute `name` is the one of `cls`."""
    return next((owner for owner in _class_mro(cls) if name in _class_dict(owner)), None)


def _known_attributes() -> frozenset[str]:
    """The attributes that this djust's LiveView has; all of them before it is loaded."""
    base = _base()
    return frozenset(key for key in _ATTRIBUTES if base is None or _owner_of(base, key) is not None)


def _base_default(key: str) -> Any:
    """The default of a class attribute as this djust's LiveView has it, else as documented."""
    documented = _ATTRIBUTES[key][1]
    base = _base()
    owner = _owner_of(base, key) if base is not None and key != "abstract" else None
    if owner is None:
        return documented
    found = _class_dict(owner)[key]
    return found if not hasattr(type(found), "__get__") else documented


def _class_default(key: str, users: int, exists: bool) -> str:
    kind, _, doc = _ATTRIBUTES[key]
    default = _base_default(key)
    source = "default" if not users else f"class (set by {users} view{'s' if users > 1 else ''})"
    advice = []
    if not exists:
        why = "This djust's LiveView has no such attribute"
        advice.append(config_advice.advice(config_advice.NOTE, why))
    return _entry(key, "class", kind, default, default, source, None, advice, doc)


def _attributes(cls: type) -> dict[str, tuple[Any, type | None]]:
    """The values of the class attributes, and the class of the project that sets each."""
    return {key: _attribute(cls, key) for key in _ATTRIBUTES}


def _attribute(cls: type, key: str) -> tuple[Any, type | None]:
    if key == "abstract":  # not inherited: djust reads the class's own
        owner = cls if key in _class_dict(cls) else None
    else:
        owner = _owner_of(cls, key)
    if owner is None:
        return _ATTRIBUTES[key][1], None
    library = class_name(owner).split(".")[0] in ("djust", "django", "object")
    return _class_dict(owner)[key], None if library else owner


def _open_views() -> dict[int, list[tuple[str, dict[str, Any]]]]:
    """The attributes of the instances of each class that pages show now, by the class's id."""
    out: dict[int, list[tuple[str, dict[str, Any]]]] = {}
    for session in sessions.recorded():
        for view in session.views().values():
            out.setdefault(id(type(view)), []).append((session.id, own_dict(view)))
    return out


def _view(
    cls: type,
    values: dict[str, tuple[Any, type | None]],
    known: frozenset[str],
    instances: list[tuple[str, dict[str, Any]]],
    facts: dict[str, Any],
) -> str:
    others = {key: value for key, (value, _) in values.items()}
    ticks = _base() is None or _owner_of(cls, "handle_tick") is not _owner_of(_base(), "handle_tick")
    attributes = []
    for key, (value, owner) in values.items():
        about = Attribute(
            key,
            value,
            owner is not None,
            others,
            debug=facts["debug"],
            handle_tick=ticks,
            exists=key in known,
            snapshots=bool(facts["flat"].get("DJUST_STATE_SNAPSHOT_ENABLED", True)),
        )
        text = Walker().named(key, value)
        attributes.append(
            '%s:{"value":%s,"source":%s,%s,"advice":%s,"instances":%s}'
            % (
                dumps(key),
                text,
                dumps("default" if owner is None else f"class {class_name(owner)}"),
                _place(config_places.attribute(owner, key) if owner is not None else None),
                dumps(config_advice.of_attribute(about)),
                _instances(key, text, instances),
            )
        )
    return '{"class":%s,%s,"attributes":{%s}}' % (dumps(class_name(cls)), sessions._place(cls), ",".join(attributes))


def _instances(key: str, class_text: str, instances: list[tuple[str, dict[str, Any]]]) -> str:
    """Where open pages have another value on the instance itself than their class has."""
    found = []
    for session, own in instances:
        if key in own:
            text = Walker().named(key, own[key])
            if text != class_text:
                found.append('{"session":%s,"value":%s}' % (dumps(session), text))
    return "[" + ",".join(found[:20]) + "]"
