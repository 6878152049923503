"""Typed JSON values back to Python, for jump and replay.

What cannot be put back safely raises `Lost` with the path and the reason; nothing is guessed.
"""

from __future__ import annotations

import base64
import collections
import datetime
import decimal
import math
import pathlib
import sys
import uuid
from typing import Any

from .hidden import MARK


class Lost(Exception):
    """A value, or a part of one, that cannot be put back."""

    def __init__(self, path: str, why: str) -> None:
        super().__init__(f"{path}: {why}")
        self.path = path
        self.why = why


_WHY = {
    "model": "a model instance is not put back: it belongs to the database",
    "queryset": "a queryset is not put back: it belongs to the database",
    "component": "a component is not put back as a whole",
    "view": "a child view has a state of its own",
    "file": "a file's content was not recorded",
    "function": "a function is not put back",
    "class": "a class is not put back",
    "object": "the object was not read",
    "redacted": "its value was redacted",
    "cut": "only its beginning was recorded",
    "deep": "it was nested too deeply to be recorded",
    "cycle": "it refers to one of its own parents",
}


def decode(value: Any, path: str = "") -> Any:
    """The Python value of parsed typed JSON. Raises `Lost`."""
    if type(value) is list:
        return [decode(item, f"{path}[{index}]") for index, item in enumerate(value)]
    if type(value) is str and MARK.search(value):
        raise Lost(path, "a part of it was redacted")
    if type(value) is not dict:
        return value
    tag = value.get("$t")
    if tag is None:
        return {key: decode(item, f"{path}.{key}" if path else key) for key, item in value.items()}
    try:
        return _tagged(tag, value, path)
    except Lost:
        raise
    except Exception as error:
        raise Lost(path, f"not a valid {tag}: {error}") from None


def _tagged(tag: Any, value: dict[str, Any], path: str) -> Any:
    inner = value.get("v")
    if tag == "decimal":
        return decimal.Decimal(inner)
    if tag == "datetime":
        return _datetime(value, path)
    if tag == "date":
        return datetime.date.fromisoformat(inner)
    if tag == "time":
        return datetime.time.fromisoformat(inner)
    if tag == "timedelta":
        return _timedelta(inner)
    if tag == "uuid":
        return uuid.UUID(inner)
    if tag == "path":
        return pathlib.Path(inner)
    if tag == "float":
        return {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}[inner]
    if tag == "int":
        return int(inner)
    if tag == "str":
        raise Lost(path, "the text cannot be sent as it is (lone surrogates)")
    if tag == "bytes":
        data = base64.b64decode(inner)
        if len(data) != value.get("len"):
            raise Lost(path, "only the first 4 KiB were recorded")
        return data
    if tag in ("tuple", "set", "frozenset"):
        items = [decode(item, f"{path}[{index}]") for index, item in enumerate(inner)]
        return {"tuple": tuple, "set": set, "frozenset": frozenset}[tag](items)
    if tag == "dict":
        return {_key(pair[0], path): decode(pair[1], f"{path}[{index}]") for index, pair in enumerate(inner)}
    if tag == "enum":
        return _enum(value, path)
    if tag == "dataclass":
        return _dataclass(value, path)
    if tag == "object" and value.get("class") == "collections.deque" and value.get("whole") is True:
        items = [decode(item, f"{path}[{index}]") for index, item in enumerate(inner)]
        return collections.deque(items, value.get("maxlen"))
    if tag == "object":
        raise Lost(path, f"an object of {value.get('class')} was not read")
    raise Lost(path, _WHY.get(tag, f"unknown kind of value {tag!r}"))


def _key(value: Any, path: str) -> Any:
    key = decode(value, path)
    hash(key)
    return key


def _datetime(value: dict[str, Any], path: str) -> datetime.datetime:
    zone = value.get("zone")
    if zone == "?":
        raise Lost(path, "its time zone is of an unknown kind")
    found = datetime.datetime.fromisoformat(value["v"])
    if type(zone) is str:
        import zoneinfo

        found = found.replace(tzinfo=zoneinfo.ZoneInfo(zone), fold=1 if value.get("fold") else 0)
    elif value.get("fold"):
        found = found.replace(fold=1)
    return found


def _timedelta(text: str) -> datetime.timedelta:
    negative = text.startswith("-")
    whole, _, rest = text.lstrip("-").partition(".")
    micros = int(whole) * 1_000_000 + int((rest + "000000")[:6] or 0)
    return datetime.timedelta(microseconds=-micros if negative else micros)


def _class(name: Any, path: str) -> Any:
    """A class by its dotted name, from modules that are loaded already."""
    if type(name) is not str or "<locals>" in name:
        raise Lost(path, f"the class {name} cannot be found again")
    parts = name.split(".")
    for cut in range(len(parts) - 1, 0, -1):
        module = sys.modules.get(".".join(parts[:cut]))
        if module is not None:
            found: Any = module
            for part in parts[cut:]:
                found = vars(found).get(part) if isinstance(found, type) or found is module else None
                if found is None:
                    raise Lost(path, f"the class {name} does not exist any more")
            return found
    raise Lost(path, f"the class {name} is not loaded")


def _enum(value: dict[str, Any], path: str) -> Any:
    import enum

    cls = _class(value.get("class"), path)
    if not (isinstance(cls, type) and issubclass(cls, enum.Enum)):
        raise Lost(path, f"{value.get('class')} is no enum any more")
    member = cls.__members__.get(value.get("name") or "")
    if member is None:
        raise Lost(path, f"{value.get('class')} has no member {value.get('name')} any more")
    return member


def _dataclass(value: dict[str, Any], path: str) -> Any:
    """A dataclass as recorded, made without its ``__init__`` or ``__post_init__``."""
    import dataclasses

    cls = _class(value.get("class"), path)
    if not (isinstance(cls, type) and dataclasses.is_dataclass(cls)):
        raise Lost(path, f"{value.get('class')} is no dataclass any more")
    fields = {f.name for f in dataclasses.fields(cls)}
    inner = value.get("v")
    if type(inner) is not dict or set(inner) != fields:
        raise Lost(path, f"the fields of {value.get('class')} are others now, or private ones")
    made = object.__new__(cls)
    for name, item in inner.items():
        object.__setattr__(made, name, decode(item, f"{path}.{name}"))
    return made
