"""The states of a session's views as revisions, so that only what changed travels.

A stream belongs to one view of one session. It keeps the JSON text of each assign as it was sent
last; a new state is encoded, compared text by text, and becomes a change to that revision.
"""

from __future__ import annotations

import json.encoder
import sys
import weakref
from typing import Any

from . import guard, options, plain, redact
from .hidden import NOTHING, Known
from .hub import size_of
from .walker import Walker, _class_dict, _class_mro, component_parts, own_dict

_encode_str = json.encoder.encode_basestring

#: Live revisions start here; a ring's history, which is always older, counts from one.
FIRST_REV = 1_000_000
_SCALARS = (str, int, float, bool, type(None))
_NOTHING = object()
#: In place of the mark of a value that has none: equal to no value and no mark.
_UNKNOWN = object()


def _framework_names() -> frozenset[str]:
    module = sys.modules.get("djust.live_view")
    found = getattr(module, "_FRAMEWORK_INTERNAL_ATTRS", None)
    return found if isinstance(found, frozenset) else frozenset()


#: Public instance attributes that djust or Django put there, in versions whose own list lacks them.
_ALSO_FRAMEWORK = frozenset(
    """http_method_names args kwargs request response_class content_type template_name template
    use_actors tick_interval login_required login_url permission_required temporary_assigns
    static_assigns on_mount sticky sticky_id time_travel_enabled enable_state_snapshot""".split()
)


def state_fields(view: Any) -> dict[str, str]:
    """Names of the ``state()`` fields of a view's class, to the slot in which the instance keeps them."""
    out: dict[str, str] = {}
    for cls in reversed(_class_mro(type(view))):
        for name, member in list(_class_dict(cls).items()):
            kind = type(member)
            if kind.__name__ == "StateProperty" and kind.__module__ == "djust.decorators":
                out[name] = f"_state_{name}"
            elif name in out:
                del out[name]
    return out


_state_fields_of: dict[int, tuple[Any, dict[str, str]]] = {}


def _state_fields(view: Any) -> dict[str, str]:
    cls = type(view)
    known = _state_fields_of.get(id(cls))
    if known is None or known[0] is not cls:
        if len(_state_fields_of) > 1000:
            _state_fields_of.clear()
        known = _state_fields_of[id(cls)] = (cls, state_fields(view))
    return known[1]


#: By the names of an instance's fields, which are the same at most events: those of assigns, and the slots
#: of class-level components.
_names_of: dict[tuple[str, ...], tuple[list[str], list[str]]] = {}


def _assign_names(fields: dict[str, Any]) -> tuple[list[str], list[str]]:
    names = tuple([name for name in tuple(fields) if type(name) is str])
    known = _names_of.get(names)
    if known is None:
        framework = _framework_names()
        known = (
            [n for n in names if not n.startswith("_") and n not in framework and n not in _ALSO_FRAMEWORK],
            [n for n in names if n.startswith("_component_")],
        )
        if len(_names_of) > 1000:
            _names_of.clear()
        _names_of[names] = known
    return known


def public_assigns(view: Any) -> dict[str, Any]:
    """The assigns of a view by name: its public attributes, ``state()`` fields and components.

    Class-level components live in private slots and are added under their id. Nothing is called.
    """
    fields = own_dict(view)
    names, slots = _assign_names(fields)
    out: dict[str, Any] = {}
    for name in names:
        value = fields.get(name, _NOTHING)
        if type(value) not in _FUNCTIONS and value is not _NOTHING:
            out[name] = value
    for name, slot in _state_fields(view).items():
        if not name.startswith("_"):
            if slot in fields:
                out[name] = fields[slot]
            else:
                default = _find_default(type(view), name)
                if default is not _NOTHING:
                    out[name] = default
    components = fields.get("_components")
    if not slots and (type(components) is not dict or not components):
        return out
    seen = {id(out[name]) for name in names if name in out}
    for slot in slots:
        # Before djust 1.2 a class-level component's state is all there is of it: no object, no registry.
        value = fields.get(slot)
        if id(value) not in seen and dict in _class_mro(type(value)):
            out.setdefault(slot[len("_component_") :], value)
    if type(components) is dict:
        for identity, component in list(components.items()):
            if id(component) not in seen and type(identity) is str and identity not in out:
                out[identity] = component
    return out


def _find_default(cls: type, name: str) -> Any:
    for base in _class_mro(cls):
        member = _class_dict(base).get(name)
        if member is not None:
            return own_dict(member).get("default", _NOTHING)
    return _NOTHING


_FUNCTIONS = (type(lambda: None), type(len), type("".join), type(Walker().text))


def hidden_names(view: Any) -> frozenset[str]:
    """Names that the project hides: the class's ``time_travel_excluded_fields`` and djust's default scrub."""
    config = getattr(sys.modules.get("djust.config"), "config", None)
    settings = own_dict(config).get("_config") if config is not None else None
    scrub = settings.get("bug_capture_default_scrub") if type(settings) is dict else None
    excluded = own_dict(view).get("time_travel_excluded_fields")
    if excluded is None:
        for cls in _class_mro(type(view)):
            excluded = _class_dict(cls).get("time_travel_excluded_fields")
            if excluded is not None:
                break
    return redact.names(excluded, scrub) | options.current().redact.names


class Stream:
    """The revisions of one view's state."""

    def __init__(self, known: Known = NOTHING, first: int = FIRST_REV) -> None:
        self._view: Any = None
        #: The secrets of the page; a value is encoded anew when there is one more.
        self.known = known
        self._version = 0
        self.rev: int | None = None
        self.texts: dict[str, str] = {}
        self._marks: dict[str, tuple[str, Any]] = {}
        self.next_rev = first
        #: What `causes` goes by: writes since the last look that were not the recorded handler's; by assign the
        #: last step that changed it, and when; when the state was looked at last; the last step.
        self.writes: dict[str, Any] = {}
        self.touched: dict[str, tuple[str, float]] = {}
        self.looked = 0.0
        self.last_key: str | None = None

    def is_of(self, view: Any) -> bool:
        """Whether it is the stream of this very view. The first one that is asked for makes it its own."""
        if self._view is None:
            try:
                self._view = weakref.ref(view)
            except TypeError:  # a class with slots and without weak references
                self._view = lambda: view
        return self._view() is view

    def passes_to(self, view: Any) -> None:
        """Let another object be the view of this stream from now on."""
        self._view = None
        self.is_of(view)

    def capture(self, view: Any) -> str:
        """The view's state now, as the JSON text of a STATE."""
        return self.commit(self.encode(view))

    def size(self) -> int:
        """Bytes of memory of the texts that are held."""
        return sum(map(size_of, self.texts.values()))

    @guard.metered
    def encode(self, view: Any, hidden: frozenset[str] | None = None) -> dict[str, str]:
        """The JSON text of each assign now; texts of unchanged assigns are the ones held already.

        `hidden` is `hidden_names` of the view, for a caller who has looked them up.
        """
        hidden = hidden_names(view) if hidden is None else hidden
        for _ in range(3):
            if self._version != self.known.version:
                self._marks, self._version = {}, self.known.version
            texts = self._encode(view, Walker(hidden, known=self.known))
            if self._version == self.known.version:
                break  # else a secret was found that an assign before it may show
        return texts

    def _encode(self, view: Any, walker: Walker) -> dict[str, str]:
        marks: dict[str, tuple[str, Any]] = {}
        texts: dict[str, str] = {}
        for name, value in public_assigns(view).items():
            kind = type(value)
            before = self._marks.get(name)
            if kind in _SCALARS:
                mark = value
                same = before is not None and before[1] is value and kind is not float
            else:
                mark = plain.fingerprint(value)
                same = before is not None and mark is not None and before[1] == mark
            if same:
                text = before[0]
            elif mark is None or kind in _SCALARS:
                text = walker.named(name, value)
            else:
                text = plain.named(walker, name, value)
            marks[name] = (text, _UNKNOWN if mark is None and value is not None else mark)
            texts[name] = text
        self._marks = marks
        return texts

    def commit(self, texts: dict[str, str]) -> str:
        """Make `texts` the newest revision and say what changed, as the JSON text of a STATE."""
        if self.rev is not None and self.texts == texts:
            return '{"rev":%d}' % self.rev
        old = self.texts
        base = self.rev
        self.rev = self.next_rev
        self.next_rev += 1
        self.texts = texts
        if base is None:
            return '{"rev":%d,"base":null,"set":%s}' % (self.rev, join(texts))
        changed = {name: text for name, text in texts.items() if old.get(name) != text}
        gone = [name for name in old if name not in texts]
        body = '{"rev":%d,"base":%d,"set":%s' % (self.rev, base, join(changed))
        if gone:
            body += ',"del":[%s]' % ",".join(_encode_str(name) for name in gone)
        return body + "}"

    def differs(self, texts: dict[str, str]) -> bool:
        """Whether `texts` are another state than the newest revision, and there is one."""
        return self.rev is not None and self.texts != texts

    def restart(self) -> None:
        """Forget the revision held: another view took the place of the old one."""
        self.rev = None
        self.texts = {}

    def whole(self) -> str:
        """The newest revision as a whole STATE, for an inspector that holds none."""
        if self.rev is None:
            return '{"missing":"nothing recorded yet"}'
        return '{"rev":%d,"base":null,"set":%s}' % (self.rev, join(self.texts))

    def same(self) -> str:
        """A STATE that says that nothing changed."""
        return "null" if self.rev is None else '{"rev":%d}' % self.rev


def join(texts: dict[str, str]) -> str:
    """An object's JSON text from the texts of its values."""
    return "{" + ",".join(_encode_str(_utf8(name)) + ":" + text for name, text in texts.items()) + "}"


def _utf8(name: str) -> str:
    return name if name.isascii() else name.encode("utf-8", "backslashreplace").decode("utf-8")


__all__ = ["Stream", "component_parts", "hidden_names", "public_assigns"]
