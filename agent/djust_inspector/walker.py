"""Python values to typed JSON text, without running any code of the project.

No ``repr``, ``str``, ``iter``, property or descriptor of a user's class is called and no query is
made: types are recognised by identity or by a known base in ``type(value).__mro__`` (never by
``isinstance``, which asks ``value.__class__`` and so would evaluate a ``SimpleLazyObject``), and
contents are read through the base's own methods (``dict.items(value)``). The output is strict JSON.
The tags are described in ``docs/PROTOCOL.md``, section Values.
"""

from __future__ import annotations

import base64
import collections
import datetime
import decimal
import enum
import functools
import json.encoder
import pathlib
import sys
import types
import uuid
import weakref
from dataclasses import dataclass
from typing import Any, Callable

from . import options, patterns, redact
from .hidden import LONGEST, MARK, NOTHING, Known, pseudonym
from .names import HOLDING, sensitive

_encode_str = json.encoder.encode_basestring  # the C version where there is one
_MAX_SAFE = 2**53
_MISSING = object()

_class_dict = type.__dict__["__dict__"].__get__
_class_mro = type.__dict__["__mro__"].__get__
_class_qualname = type.__dict__["__qualname__"].__get__
_class_module = type.__dict__["__module__"].__get__


@dataclass(frozen=True)
class Limits:
    """Bounds of one state. Beyond them a value becomes ``cut`` or ``deep``, never an error."""

    nodes: int = 200_000
    size: int = 64 * 1024 * 1024
    depth: int = 64
    string: int = 16 * 1024 * 1024
    #: How much of a string beyond `string` is kept.
    string_head: int = 64 * 1024
    bytes_head: int = 4096


LIMITS = Limits()


def own_dict(value: Any) -> dict[str, Any]:
    """The instance's own ``__dict__``, read past any ``__getattribute__`` of its class; else empty."""
    try:
        found = object.__getattribute__(value, "__dict__")
    except Exception:
        return {}
    return found if type(found) is dict else {}


def class_name(cls: type) -> str:
    """``module.QualName`` of a class, read past a metaclass that would answer differently."""
    module = _class_module(cls)
    name = _class_qualname(cls)
    if type(module) is str and module not in ("builtins",):
        return f"{module}.{name}"
    return name


def text_of(value: str) -> str:
    """A JSON string, or a tagged one where the text cannot be encoded as UTF-8."""
    if not value.isascii():
        try:
            value.encode("utf-8")
        except UnicodeEncodeError:
            return '{"$t":"str","v":%s}' % _encode_str(value.encode("utf-8", "backslashreplace").decode("utf-8"))
    return _encode_str(value)


def slots_and_dict(value: Any) -> dict[str, Any]:
    """Own fields from ``__dict__`` and from slots, without calling a user's descriptor."""
    out: dict[str, Any] = {}
    for cls in reversed(_class_mro(type(value))):
        slots = _class_dict(cls).get("__slots__")
        if slots is None:
            continue
        for name in (slots,) if type(slots) is str else list(slots) if type(slots) in (list, tuple) else ():
            member = _class_dict(cls).get(name)
            if type(member) is types.MemberDescriptorType:
                try:
                    out[name] = member.__get__(value, type(value))
                except AttributeError:
                    pass
    out.update(own_dict(value))
    return out


class Walker:
    """Encodes the values of one state; the limits hold for all calls of one instance together."""

    def __init__(
        self,
        hidden: frozenset[str] = frozenset(),
        limits: Limits = LIMITS,
        known: Known = NOTHING,
        messages: bool = False,
    ) -> None:
        self.hidden = hidden
        #: Whether it goes through messages, in which a member may say what the value beside it is called.
        self.messages = messages
        self.limits = limits
        self.known = known
        self.nodes = limits.nodes
        self.size = limits.size
        self._path: set[int] = set()
        wanted = options.current().redact
        self._wanted = wanted
        self.types = wanted.types
        #: Places that are hidden, and where the walk is, if there are any.
        self.places = _places(wanted.paths) if wanted.paths else ()
        self._trail: list[str] = []
        #: Whether each text is looked through: only after the whole was found suspicious.
        self._looking = False

    def named(self, name: str, value: Any) -> str:
        """The JSON text of an assign, hidden if its name, its place or its looks say so."""
        if self.hides(name, value):
            return self._redacted(value)
        if self.places:
            self._trail = [name]
            if self._hidden_place(value):
                return self._redacted(value)
        return self.clean(value)

    def clean(self, value: Any) -> str:
        """As `text`, with what looks like a secret hidden, and the secrets that are known."""
        nodes, size = self.nodes, self.size
        text = self.text(value)
        if len(text) < 8 or not self.suspects(text):
            return text
        self.nodes, self.size, self._looking = nodes, size, True
        try:
            return self.text(value)
        finally:
            self._looking = False

    def suspects(self, text: str) -> bool:
        """Whether an encoded text has something in it that is to be hidden."""
        wanted = self._wanted
        return (
            (wanted.patterns and bool(patterns.spans(text, wanted.emails)))
            or self.known.within(text)
            or redact.names_secrets(text)
        )

    def placed(self, name: str) -> bool:
        """Whether a hidden place may be in an assign of this name."""
        return any(place[0] in ("*", name) for place in self.places)

    def _hidden_place(self, value: Any) -> bool:
        if value is None or value is True or value is False:
            return False
        trail = self._trail
        return any(_at_place(place, trail) for place in self.places)

    def text(self, value: Any, depth: int = 0) -> str:
        """The JSON text of a value. Never raises for a value's sake."""
        kind = type(value)
        if value is None:
            return "null"
        if kind is str:
            if self._looking:
                value = self._without(value)
                if MARK.fullmatch(value):
                    return '{"$t":"redacted","of":"str","as":"%s"}' % value[10:-1]
            if len(value) > self.limits.string or len(value) > self.size:
                return self._cut_str(value)
            self.size -= len(value)
            return text_of(value)
        if kind is bool:
            return "true" if value else "false"
        if kind is int:
            return self._int(value)
        if kind is float:
            return self._float(value)
        self.nodes -= 1
        if self.types and any(class_name(cls) in self.types for cls in _class_mro(kind)):
            return self._redacted(value)
        handler = _exact.get(kind) or _handler(kind)
        if handler is None:
            return '{"$t":"object","class":%s}' % text_of(class_name(kind))
        if depth > self.limits.depth:
            return '{"$t":"deep","of":%s}' % text_of(_short(kind))
        if kind in _leaves:
            return handler(self, value, depth)
        identity = id(value)
        if identity in self._path:
            return '{"$t":"cycle"}'
        self._path.add(identity)
        try:
            return handler(self, value, depth)
        except RecursionError:
            return '{"$t":"deep","of":%s}' % text_of(_short(kind))
        except Exception as error:  # a half-built object, a dict changed by another thread …
            return '{"$t":"object","class":%s,"why":%s}' % (
                text_of(class_name(kind)),
                text_of(type(error).__name__),
            )
        finally:
            self._path.discard(identity)

    # -- names

    def hides(self, name: Any, value: Any) -> bool:
        """Whether a value of this name is not shown."""
        return (
            type(name) is str
            and value is not None
            and value is not True
            and value is not False
            and (name in self.hidden or sensitive(name))
        )

    def _redacted(self, value: Any) -> str:
        if self.known is not NOTHING:
            self.known.learn(_plain_parts(value))
        return '{"$t":"redacted","of":%s,"as":"%s"}' % (text_of(_short(type(value))), pseudonym(_identity(value)))

    def _without(self, text: str) -> str:
        """A text without what it names as a secret, what looks like one, and the page's own."""
        return self.known.hide(redact.redact_value(text, self.known))

    def _is_secret(self, text: str) -> bool:
        """Whether the text of a number, a date and the like is a secret's. A part of it is no secret."""
        return self.known.holds(text) or (len(text) >= 13 and redact.looks_secret(text))

    # -- scalars

    def _int(self, value: int) -> str:
        if self._looking and value.bit_length() < 12_000 and self._is_secret(int.__repr__(value)):
            return self._redacted(value)
        if -_MAX_SAFE <= value <= _MAX_SAFE:
            return int.__repr__(value)
        if value.bit_length() > 12_000:  # str() of more digits is refused by Python itself
            return '{"$t":"cut","of":"int","len":%d,"v":%s}' % (value.bit_length(), _encode_str(hex(value)[:1000]))
        return '{"$t":"int","v":"%s"}' % int.__repr__(value)

    def _float(self, value: float) -> str:
        if value - value == 0.0:
            if self._looking and self._is_secret(float.__repr__(value)):
                return self._redacted(value)
            return float.__repr__(value)
        name = "nan" if value != value else "inf" if value > 0 else "-inf"
        return '{"$t":"float","v":"%s"}' % name

    def _cut_str(self, value: str) -> str:
        head = value[: max(0, min(self.limits.string_head, self.size))]
        self.size -= len(head)
        return '{"$t":"cut","of":"str","len":%d,"v":%s}' % (len(value), text_of(head))

    # -- containers

    def _items(self, values: list[Any], depth: int) -> tuple[str, bool]:
        """The elements' texts joined, and whether all of them fitted."""
        out = []
        depth += 1
        for value in values:
            if self.nodes <= 0 or self.size <= 0:
                return ",".join(out), False
            self.nodes -= 1
            out.append(self._field(None, value, depth) if self.places else self.text(value, depth))
        self.size -= 2 * len(out)
        return ",".join(out), True

    def _list(self, value: Any, depth: int) -> str:
        values = list.__getitem__(value, slice(None))
        inner, whole = self._items(values, depth)
        if whole:
            return "[" + inner + "]"
        return '{"$t":"cut","of":"list","len":%d,"v":[%s]}' % (len(values), inner)

    def _sequence(self, tag: str, values: list[Any], depth: int) -> str:
        inner, whole = self._items(values, depth)
        if whole:
            return '{"$t":"%s","v":[%s]}' % (tag, inner)
        return '{"$t":"cut","of":"%s","len":%d,"v":[%s]}' % (tag, len(values), inner)

    def _tuple(self, value: Any, depth: int) -> str:
        values = list(tuple.__iter__(value))
        names = _static(type(value), "_fields") if type(value) is not tuple else None
        if type(names) is tuple and len(names) == len(values):
            return self._named_tuple(names, values, depth)
        if len(values) == 2 and redact.is_pair(*values):
            values[1] = _Hidden(values[1])
        return self._sequence("tuple", values, depth)

    def _named_tuple(self, names: tuple[Any, ...], values: list[Any], depth: int) -> str:
        """Its items, hidden by the names of their fields."""
        for place, name in enumerate(names):
            if self.hides(name, values[place]):
                values[place] = _Hidden(values[place])
        return self._sequence("tuple", values, depth)

    def _set(self, value: Any, depth: int) -> str:
        frozen = frozenset in _class_mro(type(value))
        base = frozenset if frozen else set
        texts = []
        for item in list(base.__iter__(value)):
            if self.nodes <= 0 or self.size <= 0:
                return '{"$t":"cut","of":"%s","len":%d,"v":[%s]}' % (
                    base.__name__,
                    base.__len__(value),
                    ",".join(sorted(texts)),
                )
            self.nodes -= 1
            texts.append(self.text(item, depth + 1))
        return '{"$t":"%s","v":[%s]}' % (base.__name__, ",".join(sorted(texts)))

    def _deque(self, value: Any, depth: int) -> str:
        inner, whole = self._items(list(collections.deque.__iter__(value)), depth)
        maxlen = collections.deque.maxlen.__get__(value)  # type: ignore[attr-defined]
        return '{"$t":"object","class":"collections.deque","v":[%s],"whole":%s,"maxlen":%s}' % (
            inner,
            "true" if whole else "false",
            "null" if maxlen is None else str(maxlen),
        )

    def _dict(self, value: Any, depth: int) -> str:
        pairs = list(dict.items(value))
        if self.messages and redact.describes_secret(dict(pairs), self.hidden):
            pairs = [(k, _Hidden(v) if k in HOLDING and v is not None and type(v) is not bool else v) for k, v in pairs]
        for key, _ in pairs:
            if type(key) is not str or key == "$t" or not key.isascii() and _bad_utf8(key):
                return self._odd_dict(pairs, depth)
        inner, whole = self._fields(pairs, depth)
        if whole:
            return inner
        return '{"$t":"cut","of":"dict","len":%d,"v":%s}' % (len(pairs), inner)

    def _odd_dict(self, pairs: list[tuple[Any, Any]], depth: int) -> str:
        out = []
        whole = True
        for key, item in pairs:
            if self.nodes <= 0 or self.size <= 0:
                whole = False
                break
            self.nodes -= 1
            name = key.decode("latin-1") if type(key) is bytes else key
            item_text = self._field(name, item, depth + 1)
            out.append("[%s,%s]" % (self.text(key, depth + 1), item_text))
        inner = '{"$t":"dict","v":[%s]}' % ",".join(out)
        return inner if whole else '{"$t":"cut","of":"dict","len":%d,"v":%s}' % (len(pairs), inner)

    def _fields(self, pairs: Any, depth: int) -> tuple[str, bool]:
        """An object's text, its fields hidden by name, and whether all of them fitted."""
        out = []
        depth += 1
        hidden = self.hidden
        for name, item in pairs:
            if self.nodes <= 0 or self.size <= 0:
                return "{" + ",".join(out) + "}", False
            self.nodes -= 1
            self.size -= len(name) + 4
            if (name in hidden or sensitive(name)) and self.hides(name, item):
                text = self._redacted(item)
            elif self.places:
                text = self._field(name, item, depth)
            else:
                text = self.text(item, depth)
            if self._looking:
                name = self._without(name)
            out.append(_encode_str(name) + ":" + text)
        return "{" + ",".join(out) + "}", True

    def _field(self, name: Any, item: Any, depth: int) -> str:
        """A field's or an element's text, hidden by its name or place."""
        if self.hides(name, item):
            return self._redacted(item)
        if not self.places:
            return self.text(item, depth)
        self._trail.append(name if type(name) is str else "[*]")
        try:
            return self._redacted(item) if self._hidden_place(item) else self.text(item, depth)
        finally:
            self._trail.pop()

    def _object(self, head: str, fields: dict[str, Any], depth: int) -> str:
        public = [(k, v) for k, v in list(dict.items(fields)) if type(k) is str and not k.startswith("_")]
        inner, whole = self._fields(public, depth)
        if whole:
            return '{%s,"v":%s}' % (head, inner)
        return '{"$t":"cut","of":%s,"len":%d,"v":%s}' % (text_of("object"), len(public), inner)

    # -- leaves

    def _shown(self, text: str) -> str:
        return text_of(self._without(text) if self._looking else text)

    def _plain_leaf(self, tag: str, value: Any, text: str, more: str = "") -> str:
        if self._looking and self._is_secret(text):
            return self._redacted(value)
        return '{"$t":"%s","v":"%s"%s}' % (tag, text, more)

    def _bytes(self, value: Any, depth: int) -> str:
        base = bytes if bytes in _class_mro(type(value)) else bytearray
        # A secret may begin in what is shown and end behind it.
        seen = bytes(base.__getitem__(value, slice(0, self.limits.bytes_head + LONGEST)))
        head = seen[: self.limits.bytes_head]
        if self.known.within(seen) or _hides(seen):
            return self._redacted(value)
        return '{"$t":"bytes","len":%d,"v":"%s"}' % (base.__len__(value), base64.b64encode(head).decode("ascii"))

    def _decimal(self, value: Any, depth: int) -> str:
        return self._plain_leaf("decimal", value, decimal.Decimal.__str__(value))

    def _datetime(self, value: Any, depth: int) -> str:
        zone = datetime.datetime.tzinfo.__get__(value)  # type: ignore[attr-defined]
        if zone is not None and not _known_zone(zone):
            value = datetime.datetime.replace(value, tzinfo=None)
            return self._plain_leaf("datetime", value, datetime.datetime.isoformat(value), ',"zone":"?"')
        key = own_zone_key(zone)
        extra = ',"zone":%s' % text_of(key) if key else ""
        fold = ',"fold":1' if datetime.datetime.fold.__get__(value) else ""  # type: ignore[attr-defined]
        return self._plain_leaf("datetime", value, datetime.datetime.isoformat(value), extra + fold)

    def _date(self, value: Any, depth: int) -> str:
        return self._plain_leaf("date", value, datetime.date.isoformat(value))

    def _time(self, value: Any, depth: int) -> str:
        zone = datetime.time.tzinfo.__get__(value)  # type: ignore[attr-defined]
        if zone is not None and not _known_zone(zone):
            value = datetime.time.replace(value, tzinfo=None)
        return self._plain_leaf("time", value, datetime.time.isoformat(value))

    def _timedelta(self, value: Any, depth: int) -> str:
        cls = datetime.timedelta
        days, seconds, micros = (m.__get__(value) for m in (cls.days, cls.seconds, cls.microseconds))  # type: ignore[attr-defined]
        total = (days * 86_400 + seconds) * 1_000_000 + micros
        sign = "-" if total < 0 else ""
        whole, rest = divmod(abs(total), 1_000_000)
        return '{"$t":"timedelta","v":"%s%d%s"}' % (sign, whole, ".%06d" % rest if rest else "")

    def _uuid(self, value: Any, depth: int) -> str:
        return self._plain_leaf("uuid", value, uuid.UUID.__str__(value))

    def _path_text(self, value: Any, depth: int) -> str:
        return '{"$t":"path","v":%s}' % self._shown(pathlib.PurePath.__str__(value))

    def _enum(self, value: Any, depth: int) -> str:
        fields = own_dict(value)
        return '{"$t":"enum","class":%s,"name":%s,"v":%s}' % (
            text_of(class_name(type(value))),
            self._shown(str.__str__(fields.get("_name_") or "")),
            self.text(fields.get("_value_"), depth + 1),
        )

    def _dataclass(self, value: Any, depth: int) -> str:
        return self._object(
            '"$t":"dataclass","class":%s' % text_of(class_name(type(value))), slots_and_dict(value), depth
        )

    def _model(self, value: Any, depth: int) -> str:
        meta = _static(type(value), "_meta")
        fields = own_dict(value)
        key = getattr(getattr(meta, "pk", None), "attname", None)
        loaded = {k: v for k, v in list(fields.items()) if not k.startswith("_") and k != "_state"}
        pk = self._field(key, fields.get(key), depth + 1) if key else "null"
        head = '"$t":"model","model":%s,"pk":%s' % (text_of(meta.label), pk)
        return self._object(head, loaded, depth)

    def _queryset(self, value: Any, depth: int) -> str:
        fields = own_dict(value)
        meta = _static(fields.get("model"), "_meta") if fields.get("model") is not None else None
        label = text_of(meta.label) if meta is not None else "null"
        cache = fields.get("_result_cache")
        if type(cache) is not list:
            return '{"$t":"queryset","model":%s,"evaluated":false,"v":null}' % label
        inner, whole = self._items(cache[:], depth)
        extra = "" if whole else ',"len":%d' % len(cache)
        return '{"$t":"queryset","model":%s,"evaluated":true,"v":[%s]%s}' % (label, inner, extra)

    def _component(self, value: Any, depth: int) -> str:
        cls, identity, fields = component_parts(value)
        head = '"$t":"component","class":%s,"id":%s' % (text_of(class_name(cls)), self.text(identity, depth + 1))
        return self._object(head, fields, depth)

    def _view(self, value: Any, depth: int) -> str:
        identity = own_dict(value).get("_view_id")
        return '{"$t":"view","class":%s,"id":%s}' % (
            text_of(class_name(type(value))),
            text_of(identity) if type(identity) is str else "null",
        )

    def _file(self, value: Any, depth: int) -> str:
        fields = own_dict(value)
        name, size = fields.get("_name", fields.get("name")), fields.get("size")
        return '{"$t":"file","name":%s,"size":%s}' % (
            self._shown(name) if type(name) is str else "null",
            str(size) if type(size) is int else "null",
        )

    def _function(self, value: Any, depth: int) -> str:
        if type(value) is functools.partial:
            value = functools.partial.func.__get__(value)  # type: ignore[attr-defined]
        if type(value) is types.MethodType:
            value = types.MethodType.__func__.__get__(value)  # type: ignore[attr-defined]
        if type(value) is types.FunctionType:
            name = "%s.%s" % (value.__module__, value.__qualname__)
        elif type(value) is types.BuiltinFunctionType:
            name = value.__qualname__
        else:
            name = class_name(type(value))
        return '{"$t":"function","v":%s}' % text_of(name)

    def _class(self, value: Any, depth: int) -> str:
        return '{"$t":"class","v":%s}' % text_of(class_name(value))

    def _str_subclass(self, value: Any, depth: int) -> str:
        return self.text(str.__str__(value), depth)

    def _int_subclass(self, value: Any, depth: int) -> str:
        return self._int(int.__add__(value, 0))

    def _float_subclass(self, value: Any, depth: int) -> str:
        return self._float(float.__pos__(value))


Handler = Callable[[Walker, Any, int], str]

_exact: dict[type, Handler] = {
    list: Walker._list,
    dict: Walker._dict,
    tuple: Walker._tuple,
    set: Walker._set,
    frozenset: Walker._set,
    bytes: Walker._bytes,
    bytearray: Walker._bytes,
    decimal.Decimal: Walker._decimal,
    datetime.datetime: Walker._datetime,
    datetime.date: Walker._date,
    datetime.time: Walker._time,
    datetime.timedelta: Walker._timedelta,
    uuid.UUID: Walker._uuid,
    types.FunctionType: Walker._function,
    types.BuiltinFunctionType: Walker._function,
    types.MethodType: Walker._function,
    functools.partial: Walker._function,
    type: Walker._class,
}
_leaves = frozenset(
    [bytes, bytearray, decimal.Decimal, datetime.datetime, datetime.date, datetime.time, datetime.timedelta, uuid.UUID]
)
#: By identity, as a metaclass may have a hash of its own.
_leaf_handlers = {id(kind): _exact[kind] for kind in _leaves}


_nobody: Walker | None = None


def leaf_text(value: Any) -> str | None:
    """The text of a value of exactly one of the standard library's small immutable types, else ``None``."""
    global _nobody
    handler = _leaf_handlers.get(id(type(value)))
    if handler is None:
        return None
    if _nobody is None:
        _nobody = Walker()  # a leaf's text depends on nothing of the walker
    return handler(_nobody, value, 0)


#: Bases in the order in which they are asked; the first that a class has decides.
_bases: list[tuple[type, Handler]] = [
    (type, Walker._class),
    (enum.Enum, Walker._enum),
    (str, Walker._str_subclass),
    (int, Walker._int_subclass),
    (float, Walker._float_subclass),
    (decimal.Decimal, Walker._decimal),
    (datetime.datetime, Walker._datetime),
    (datetime.date, Walker._date),
    (datetime.time, Walker._time),
    (datetime.timedelta, Walker._timedelta),
    (uuid.UUID, Walker._uuid),
    (pathlib.PurePath, Walker._path_text),
    (bytes, Walker._bytes),
    (bytearray, Walker._bytes),
    (list, Walker._list),
    (tuple, Walker._tuple),
    (set, Walker._set),
    (frozenset, Walker._set),
    (collections.deque, Walker._deque),
]
_handlers: "weakref.WeakKeyDictionary[type, tuple[int, Handler | None]]" = weakref.WeakKeyDictionary()


def _named_bases() -> list[tuple[type, Handler]]:
    """Bases of Django and djust, looked up only where they are loaded already."""
    found: list[tuple[type, Handler]] = []
    for module, name, handler in (
        ("django.db.models.base", "Model", Walker._model),
        ("django.db.models.query", "QuerySet", Walker._queryset),
        ("djust.components.base", "BoundComponent", Walker._component),
        ("djust.components.base", "LiveComponent", Walker._component),
        ("djust.components.base", "Component", Walker._component),
        ("djust.live_view", "LiveView", Walker._view),
        ("django.core.files.base", "File", Walker._file),
    ):
        base = getattr(sys.modules.get(module), name, None)
        if type(base) is not None and base is not None and type in _class_mro(type(base)):
            found.append((base, handler))
    return found


def _handler(kind: type) -> Handler | None:
    named = _named_bases()
    cached = _handlers.get(kind)
    if cached is not None and cached[0] == len(named):
        return cached[1]
    mro = _class_mro(kind)
    handler: Handler | None = None
    for base, candidate in named + _bases:
        if base in mro:
            handler = candidate
            break
    else:
        if any("__dataclass_fields__" in _class_dict(cls) for cls in mro):
            handler = Walker._dataclass
        elif dict in mro:
            handler = Walker._dict
    _handlers[kind] = (len(named), handler)
    return handler


class _Hidden:
    """A value that is not shown, whose name was beside it."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value


_bases.insert(0, (_Hidden, lambda walker, value, depth: walker._redacted(value.value)))


def _hides(data: bytes) -> bool:
    """Whether there is a secret in bytes, read as text in either way."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    return redact.redact_value(text) != text


def _short(kind: type) -> str:
    return _class_qualname(kind)


def _bad_utf8(value: str) -> bool:
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        return True
    return False


def _static(cls: Any, name: str) -> Any:
    """A class attribute without descriptors or a metaclass's ``__getattr__``."""
    for base in _class_mro(cls):
        if name in _class_dict(base):
            return _class_dict(base)[name]
    return None


def _known_zone(zone: Any) -> bool:
    module = _class_module(type(zone))
    return type(zone) is datetime.timezone or (
        type(module) is str and module.split(".")[0] in ("zoneinfo", "pytz", "dateutil", "_zoneinfo", "datetime")
    )


def own_zone_key(zone: Any) -> str | None:
    """The IANA name of a ``zoneinfo.ZoneInfo``, so that it can be put back as such."""
    if zone is not None and type(zone).__name__ == "ZoneInfo" and type(zone).__module__ == "zoneinfo":
        key = getattr(zone, "key", None)
        return key if type(key) is str else None
    return None


#: Fields of a component that belong to djust, as in its ``_COMPONENT_INTERNAL_ATTRS``.
COMPONENT_OWN = frozenset(["component_id", "template", "template_name", "assigns", "slots", "request"])


def component_parts(value: Any) -> tuple[type, Any, dict[str, Any]]:
    """Class, id and fields of a component: an instance, or a class-level one bound to a view."""
    fields = slots_and_dict(value)
    identity = fields.get("component_id", fields.get("id"))
    if identity is not None and type(identity) is not str:
        identity = None
    descriptor = fields.get("_descriptor")
    if descriptor is not None and "state" in fields:  # BoundComponent: its fields are its State
        state = fields["state"]
        mro = _class_mro(type(state))
        inner = dict(dict.items(state)) if dict in mro else slots_and_dict(state)
        if dict in mro and not inner:
            inner = own_dict(state)
        return type(descriptor), identity, {k: v for k, v in inner.items() if k not in COMPONENT_OWN}
    state = fields.get("state")
    own = {k: v for k, v in fields.items() if k not in COMPONENT_OWN and not k.startswith("_")}
    if state is not None and "state" in own and dict in _class_mro(type(state)) and type(state) is not dict:
        own["state"] = state
    return type(value), identity, own


def _identity(value: Any) -> str:
    """What makes two hidden values equal."""
    if type(value) is str:
        return value
    if type(value) in (int, float):
        return repr(value)
    if type(value) in (bytes, bytearray):
        return value[:4096].hex()
    walker = Walker(limits=Limits(nodes=2000, size=64 * 1024))
    walker.types, walker.places = frozenset(), ()  # which would ask here again
    return walker.text(value)


def _plain_parts(value: Any) -> Any:
    """What of a hidden value may show elsewhere, as plain types."""
    kind = type(value)
    if kind in (str, int, float, bytes, list, tuple, dict):
        return value
    if kind is bytearray:
        return bytes(value)
    mro = _class_mro(kind)
    for base, text in _TEXTS:
        if base in mro:
            return text(value)
    fields = slots_and_dict(value)
    return {name: item for name, item in fields.items() if type(name) is str and not name.startswith("_")}


#: Types whose values have a text of their own, and what gives it without running any code of a subclass.
_TEXTS: tuple[tuple[type, Callable[[Any], Any]], ...] = (
    (str, str.__str__),
    (int, lambda value: int.__add__(value, 0)),
    (float, float.__pos__),
    (bytes, lambda value: bytes.__getitem__(value, slice(None))),
    (decimal.Decimal, decimal.Decimal.__str__),
    (uuid.UUID, uuid.UUID.__str__),
    (pathlib.PurePath, pathlib.PurePath.__str__),
    (list, lambda value: list.__getitem__(value, slice(None))),
    (tuple, lambda value: tuple.__getitem__(value, slice(None))),
    (dict, lambda value: dict(dict.items(value))),
    (set, lambda value: list(set.__iter__(value))),
    (frozenset, lambda value: list(frozenset.__iter__(value))),
)


def _places(paths: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
    """``rows[*].note`` as its steps; a leading ``*`` is at any depth."""
    found = []
    for path in paths:
        steps = [step for part in path.replace("[", ".[").split(".") for step in [part] if step]
        found.append(tuple("[*]" if step.startswith("[") else step for step in steps))
    return tuple(place for place in found if place)


def _at_place(place: tuple[str, ...], trail: list[str]) -> bool:
    if place[0] == "*" and len(place) > 1:
        wanted = place[1:]
        return len(trail) >= len(wanted) and all(map(_fits, wanted, trail[-len(wanted) :]))
    return len(place) == len(trail) and all(map(_fits, place, trail))


def _fits(wanted: str, step: str) -> bool:
    return wanted == step or wanted == "*"

