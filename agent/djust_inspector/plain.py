"""Values made of Python's own plain types only, at the speed of the C modules `pickle` and `json`.

Most state is of this kind, and going through it value by value in Python is what would make the
agent expensive. `fingerprint` tells whether a value is what it was; `named` encodes it as
`Walker.named` does, and leaves to the walker what only the walker can do.
"""

from __future__ import annotations

import io
import json
import pickle
from typing import Any

from .names import sensitive
from .walker import Walker, leaf_text

_MAX_SAFE = 2**53
#: What JSON has and the walker writes without a tag (numbers and texts of some kinds excepted).
_JSON = frozenset([dict, list, str, int, float, bool, type(None)])
_MAX_PICKLE = 64 * 1024 * 1024


class _Unplain(Exception):
    """The value holds something else than plain types, or too much of them."""


class _Buffer(io.BytesIO):
    """Takes the pickler's output, written in pieces of at least 64 KB, up to a limit."""

    def write(self, data: Any) -> int:
        if self.tell() + len(data) > _MAX_PICKLE:
            raise _Unplain
        return super().write(data)


class _Pickler(pickle.Pickler):
    """Pickles exact built-in types, and decimals, dates and the like as their texts.

    For any other type it gives up before running any code of theirs.
    """

    def reducer_override(self, obj: Any) -> Any:
        if obj is str:  # as what follows names it
            return NotImplemented
        text = leaf_text(obj)
        if text is None:
            raise _Unplain
        return str, (text,)


def fingerprint(value: Any) -> tuple[int, int] | None:
    """A digest of a value made of exact built-in types and of decimals, dates and the like, else ``None``.

    Much faster than encoding, and linear in the number of objects also for shared and cyclic ones.
    Different digests may still mean equal content; equal ones mean equal content, but for the chance of
    two texts of one length to share a hash of 64 bits, which is drawn anew in each process.
    """
    buffer = _Buffer()
    try:
        _Pickler(buffer, protocol=5).dump(value)
    except Exception:
        return None
    data = buffer.getvalue()
    return len(data), hash(data)


def _refuse(value: Any) -> Any:
    raise _Unplain


_encode = json.JSONEncoder(
    ensure_ascii=False, check_circular=False, allow_nan=False, separators=(",", ":"), default=_refuse
).encode


def named(walker: Walker, name: str, value: Any) -> str:
    """As `Walker.named`. Only for a value that has a fingerprint."""
    kind = type(value)
    if (kind is list or kind is dict) and not walker.hides(name, value) and not walker.placed(name):
        limits = walker.limits
        found = text(value, walker.hidden, walker.nodes, min(walker.size, limits.string), limits.depth)
        if found is not None and not walker.suspects(found[0]):
            walker.nodes -= found[1]
            walker.size -= len(found[0])  # a little more than the walker would
            return found[0]
    return walker.named(name, value)


def text(value: Any, hidden: frozenset[str], nodes: int, size: int, depth: int) -> tuple[str, int] | None:
    """The text of a list or dict as `Walker.text` writes it, and how many nodes it has.

    ``None`` where the walker would hide, tag or cut anything in it, or may have to. Only for a value that
    has a fingerprint: this looks at names and types as one may with Python's own types.
    """
    try:
        used = _nodes(value, hidden, nodes, depth)
        if used is None:
            return None
        found = _encode(value)
        if len(found) > size:
            return None
        if not found.isascii():
            found.encode("utf-8")
        return found, used
    except Exception:  # NaN, a lone surrogate, changed by another thread meanwhile …
        return None


def _nodes(value: Any, hidden: frozenset[str], limit: int, depth: int) -> int | None:
    """The walker's count of nodes, level by level; ``None`` where something needs the walker."""
    used = 1
    names: set[str] = set()
    level = [value]
    for _ in range(depth + 1):
        inner: list[Any] = []
        for container in level:
            used += len(container)
            if used > limit:
                return None
            if type(container) is dict:
                names.update(container)
                inner += container.values()
            else:
                inner += container
        kinds = set(map(type, inner))
        if not kinds <= _JSON:
            return None
        if int in kinds and not all(-_MAX_SAFE <= item <= _MAX_SAFE for item in inner if type(item) is int):
            return None
        level = [item for item in inner if type(item) is list or type(item) is dict]
        used += len(level)
        if not level:
            break
    else:
        return None
    for name in names:
        if type(name) is not str or name == "$t" or name in hidden or sensitive(name):
            return None
    return used
