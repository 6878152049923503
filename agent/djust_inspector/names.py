"""Whether a name makes its value a secret, and where in a text such names may be."""

from __future__ import annotations

import re

from . import secret_names as table

WORDS = frozenset(table.WORDS.split())
PAIRS = frozenset(table.PAIRS.split())
SPACED = frozenset(table.SPACED.split())
DJUST_OWN = frozenset(table.DJUST_OWN.split())
VISIBLE = frozenset(table.VISIBLE.split())
NAMING = frozenset(table.NAMING.split())
HOLDING = frozenset(table.HOLDING.split())
LEADING = frozenset(table.LEADING.split())

#: Of a name so many characters are looked at.
LONGEST = 200

_SPLIT = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|[0-9]+")
_known: dict[str, bool] = {}


def words(name: str) -> list[str]:
    """The words of a name in snake_case, camelCase or a header's way, in lower case."""
    return [word.lower() for word in _SPLIT.findall(name[:LONGEST])]


def sensitive(name: str) -> bool:
    """Whether a value of this name is hidden."""
    found = _known.get(name)
    if found is None:
        split = words(name)
        found = any(w in WORDS for w in split) or any(f"{a}_{b}" in PAIRS for a, b in zip(split, split[1:]))
        if len(_known) > 20_000:  # names come from data too; the memory must stay small
            _known.clear()
        _known[name] = found
    return found


def _hints() -> tuple[str, ...]:
    """The words without those that another is a part of, and where several begin alike, that beginning."""
    found = {w for w in WORDS if not any(v != w and v in w for v in WORDS)}
    for beginning in {w[:size] for w in found for size in range(4, len(w))}:
        alike = {w for w in found if w.startswith(beginning)}
        if len(alike) > 2:
            found = found - alike | {beginning}
    return tuple(sorted(w for w in found if not any(v != w and v in w for v in found)))


#: What every sensitive name has in it, in lower case: one of these, or both words of a pair. Plain searches, as a regular
#: expression takes ten times as long.
HINTS = _hints()
_PAIR_HINTS: dict[str, tuple[str, ...]] = {
    second: tuple(sorted(p.split("_")[0] for p in PAIRS if p.endswith(f"_{second}") and not any(h in p.split("_")[0] for h in HINTS)))
    for second in sorted({pair.split("_")[1] for pair in PAIRS})
}


def lower(text: str) -> str:
    """A text in lower case, as long as it was: of one character the small form is two."""
    low = text.lower()
    return low if len(low) == len(text) else text.replace("\u0130", "i").lower()


def hints(low: str) -> list[str]:
    """Parts of sensitive names that a text in lower case has somewhere; without any it names nothing to hide."""
    found = [hint for hint in HINTS if hint in low]
    for second, firsts in _PAIR_HINTS.items():
        if firsts and second in low:
            found += [first for first in firsts if first in low]
    return found
