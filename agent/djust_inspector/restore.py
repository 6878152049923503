"""Putting recorded assigns back onto a live view or component.

Only what can be put back safely is: everything else is left as it is and reported with the reason.
Assignment goes through djust's own guard (``safe_setattr``), so private and dunder names are refused.
"""

from __future__ import annotations

import collections
import datetime
import json
import uuid
from typing import Any, Callable

from .decode import Lost, decode
from .hidden import MARK, NOTHING, Known
from .sessions import class_attribute
from .streams import hidden_names, public_assigns
from .walker import Walker, _class_mro, class_name, component_parts, own_dict

#: Types of live values that may be replaced by a value of another plain type.
_PLAIN = (type(None), bool, int, float, str, bytes, list, dict, tuple, set, frozenset)

#: How djust's own time travel writes types that JSON lacks, by the type that the view holds now: what it wrote, and the way back.
_BACK: dict[type, tuple[type, Callable[[Any], Any]]] = {
    datetime.datetime: (str, datetime.datetime.fromisoformat),
    datetime.date: (str, datetime.date.fromisoformat),
    datetime.time: (str, datetime.time.fromisoformat),
    uuid.UUID: (str, uuid.UUID),
    tuple: (list, tuple),
    set: (list, set),
    frozenset: (list, frozenset),
}


class Report:
    """What was restored and what was not, with reasons.

    `known`: the page's secrets. No entry may depend on their values: whoever may only read could guess them by asking.
    `dry`: nothing is set, and the report says what it would be. `untyped`: what is wanted comes from djust's own
    time travel, which keeps no types beyond those of JSON.
    """

    def __init__(self, known: Known = NOTHING, dry: bool = False, untyped: bool = False) -> None:
        self.known = known
        self.dry = dry
        self.untyped = untyped
        self.restored: list[str] = []
        self.lost: list[dict[str, str]] = []

    def lose(self, path: str, why: str) -> None:
        self.lost.append({"path": path, "why": self.known.hide(why)})


def restore(
    view: Any, wanted: dict[str, Any], component_id: str | None, report: Report, unsent: frozenset[str] | None = None
) -> None:
    """Put `wanted` (typed values by assign, or by field of one component) back.

    `unsent` are the names of assigns that were there as well, but are not to be touched.
    """
    live = public_assigns(view)
    hidden = hidden_names(view)
    if component_id is not None:
        _restore_component(view, live, wanted, component_id, hidden, report)
        return
    static = class_attribute(view, "static_assigns")
    for name, value in wanted.items():
        if name not in live:
            report.lose(name, "the view has no such assign now")
        elif _tag(value) == "component" and _is_component(live[name]):
            _fields(live[name], value, name, hidden, report)
        elif _differs(live[name], value, name, hidden, report.known):
            before = len(report.lost)
            _assign(view, name, value, live[name], name, report)
            if len(report.lost) == before and static and name in static:
                report.lose(name, "static_assigns: the state has it, but the page keeps what it rendered first")
        else:
            report.restored.append(name)
    if unsent is not None:
        for name in live:
            if name not in wanted and name not in unsent:
                report.lose(name, "the step did not have it: it stays as it is")
    if own_dict(view).get("_streams"):
        report.lose("streams", "what was streamed to the page is not part of the state: the page keeps it")


def differs(view: Any, wanted: dict[str, Any], known: Known) -> bool:
    """Whether `restore` would have anything to do, or to report."""
    hidden = hidden_names(view)
    live = public_assigns(view)
    return any(name not in live or _differs(live[name], value, name, hidden, known) for name, value in wanted.items())


def compare(view: Any, wanted: dict[str, Any], component_id: str | None, report: Report) -> None:
    """Report restored assigns that did not become what was wanted."""
    if component_id is not None:
        return
    hidden = hidden_names(view)
    live = public_assigns(view)
    temporary = class_attribute(view, "temporary_assigns") or ()
    for name in list(report.restored):
        if name in temporary or "." in name or name not in wanted or report.untyped:
            continue
        if name not in live or _differs(live[name], wanted[name], name, hidden, report.known):
            report.restored.remove(name)
            report.lose(name, "the view changed it again")


def _tag(value: Any) -> Any:
    return value.get("$t") if type(value) is dict else None


def _is_component(value: Any) -> bool:
    return Walker().text(value).startswith('{"$t":"component"') if type(value) not in _PLAIN else False


def _differs(live: Any, wanted: Any, name: str, hidden: frozenset[str], known: Known) -> bool:
    """Whether the live value is another one than wanted, as far as its recorded form tells. Redacted values always are."""
    text = Walker(hidden, known=known).named(name, live)
    if '"$t":"redacted"' in text or MARK.search(text) or '"$t":"cut"' in text or '"$t":"deep"' in text:
        return True
    return json.loads(text) != wanted


def _assign(owner: Any, name: str, value: Any, live: Any, path: str, report: Report) -> None:
    from djust.security import is_safe_attribute_name, safe_setattr

    try:
        made = decode(value, path)
        if report.untyped:
            made = _typed(made, live, path)
        made = _fit(made, live, path)
        if report.dry:
            done = is_safe_attribute_name(name, allow_private=False)
        else:
            done = safe_setattr(owner, name, made, allow_private=False)
        if not done:
            raise Lost(path, "djust does not allow this name to be set")
    except Lost as lost:
        report.lose(lost.path, lost.why)
    except Exception as error:  # a property's setter, a slot …: the project's own code refuses
        report.lose(path, f"setting it raised {type(error).__name__}: {error}")
    else:
        report.restored.append(path)


def _typed(value: Any, live: Any, path: str) -> Any:
    """`value` as djust's time travel wrote it, in the type that the view holds now."""
    wrote, back = _BACK.get(type(live), (None, None))
    if type(value) is not wrote or back is None:
        return value
    try:
        return back(value)
    except (TypeError, ValueError):
        raise Lost(path, f"djust's time travel recorded it as text, and it is a {class_name(type(live))} now") from None


def _fit(value: Any, live: Any, path: str) -> Any:
    """`value` in the live value's own type where that is a known container; `Lost` where it would lose its type."""
    kind = type(live)
    if kind in _PLAIN or kind is type(value):
        return value
    if kind is collections.OrderedDict and type(value) is dict:
        return collections.OrderedDict(value)
    if kind is collections.defaultdict and type(value) is dict:
        return collections.defaultdict(live.default_factory, value)
    if kind is collections.Counter and type(value) is dict:
        return collections.Counter(value)
    if kind is collections.deque and type(value) is list:
        return collections.deque(value, live.maxlen)
    if tuple in _class_mro(kind) and hasattr(kind, "_make") and type(value) is tuple:
        return kind._make(value)
    if type(value) is dict and any(c.__name__ == "TypedState" for c in _class_mro(kind)):
        return value  # a class-level component's state before djust 1.2: its descriptor makes the type again
    text = Walker().text(live)
    tag = json.loads(text)
    tag = tag.get("$t") if type(tag) is dict else None
    if tag in ("model", "queryset", "component", "view", "file", "function", "class", "object"):
        raise Lost(path, f"it holds a {tag} now ({class_name(kind)}), which is not replaced")
    if tag is None and kind not in _PLAIN and any(base in _class_mro(kind) for base in (dict, list, set, tuple)):
        raise Lost(path, f"it is a {class_name(kind)} now and would lose its type")
    return value


def _restore_component(
    view: Any, live: dict[str, Any], wanted: dict[str, Any], component_id: str, hidden: frozenset[str], report: Report
) -> None:
    registry = own_dict(view).get("_components")
    component = registry.get(component_id) if type(registry) is dict else None
    if component is None:
        for value in live.values():
            if _is_component(value) and component_parts(value)[1] == component_id:
                component = value
    if component is None:
        report.lose(component_id, "the view has no such component now")
        return
    for name, value in wanted.items():
        # A whole component value, as a state has it, is taken apart; anything else is one of its fields.
        if _tag(value) == "component":
            if value.get("id") in (component_id, None) or name == component_id:
                _fields(component, value, component_id, hidden, report)
            continue
        _field(component, name, value, component_id, report)


def _fields(component: Any, value: dict[str, Any], path: str, hidden: frozenset[str], report: Report) -> None:
    cls, _, fields = component_parts(component)
    wanted_class = value.get("class")
    if wanted_class is not None and wanted_class != class_name(cls):
        report.lose(path, f"it is a {class_name(cls)} now, not a {wanted_class}")
        return
    inner = value.get("v")
    if type(inner) is not dict:
        report.lose(path, "the component's fields were not recorded")
        return
    for name, item in inner.items():
        if name in fields and not _differs(fields[name], item, name, hidden, report.known):
            continue
        _field(component, name, item, path, report)
    if not any(entry["path"].startswith(path + ".") for entry in report.lost):
        report.restored.append(path)


def _field(component: Any, name: str, value: Any, path: str, report: Report) -> None:
    fields = component_parts(component)[2]
    if name not in fields:
        report.lose(f"{path}.{name}", "the component has no such field now")
        return
    _assign(component, name, value, fields[name], f"{path}.{name}", report)
