"""Values that are secrets whatever their name: found by how they look.

The rules are those of the inspector's own exports (``crates/share/src/patterns.rs``). Each has a hint that plain
searches find at memory's speed, so that a text without any costs next to nothing.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import Iterator

#: Bytes of a text in which to look for runs: letters and digits, and digits alone.
_ALNUM = bytes(97 if bytes([c]).isalnum() else 32 for c in range(256))
_DIGIT = bytes(48 if 48 <= c <= 57 else 120 for c in range(256))
_RUN, _DIGITS = b"a" * 16, b"0" * 13

_PRIVATE_KEY = re.compile(
    r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----"
    r"(?:.*?-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----|[^\"<]*)",
    re.DOTALL,
)
_JWT = re.compile(r"(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]*")
_SERVICE_HINTS = tuple(
    "AKIA ASIA ABIA ACCA ghp_ gho_ ghu_ ghs_ ghr_ github_pat_ xox k_live_ k_test_ whsec_ AIza glpat- sk- djins_".split()
)
_SERVICE = re.compile(
    r"(?<![A-Za-z0-9_])(?:(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}\b|gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{22,}"
    r"|xox[abeprs]-[A-Za-z0-9-]{10,}|[srp]k_(?:live|test)_[A-Za-z0-9]{16,}|whsec_[A-Za-z0-9]{16,}|AIza[A-Za-z0-9_-]{35}"
    r"|glpat-[A-Za-z0-9_-]{20,}|sk-[A-Za-z0-9_-]{32,}|djins_[A-Za-z0-9_-]{43})"
)
_BEARER = re.compile(r"\bbearer\s+([A-Za-z0-9._~+/=-]{8,})", re.IGNORECASE)
_BASIC = re.compile(r"\bbasic\s+([A-Za-z0-9+/]{6,}={0,2})", re.IGNORECASE)
_IN_URL = re.compile(r"\b[a-zA-Z][a-zA-Z0-9+.-]{1,20}://[^\s/:@\"'<>]{0,200}:([^\s/@\"'<>]{1,500})@[^\s/@]")
_CARD = re.compile(r"[0-9](?:[ -]?[0-9]){12,40}")
_EMAIL = re.compile(
    r"(?<![A-Za-z0-9.!#$%&'*+/=?^_`{|}~-])[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}"
    r"@[A-Za-z0-9](?:[A-Za-z0-9-]{0,62}\.)+[A-Za-z]{2,63}\b"
)
_GROUPS = ((4, 4, 4), (4, 4, 4, 4), (4, 6))


def spans(text: str, emails: bool) -> list[tuple[int, int]]:
    """Where in a text the secrets are: in order, without overlaps."""
    if len(text) < 8:
        return []
    found = sorted(_found(text, emails))
    out: list[tuple[int, int]] = []
    for start, end in found:
        if out and start < out[-1][1]:
            out[-1] = (out[-1][0], max(end, out[-1][1]))
        else:
            out.append((start, end))
    return out


def _found(text: str, emails: bool) -> Iterator[tuple[int, int]]:
    data = text.encode("utf-8", "surrogatepass")
    if _RUN in data.translate(_ALNUM) and any(hint in text for hint in _SERVICE_HINTS):
        yield from (match.span() for match in _SERVICE.finditer(text))
    elif "xox" in text:
        yield from (match.span() for match in _SERVICE.finditer(text))
    if "PRIVATE KEY" in text:
        yield from (match.span() for match in _PRIVATE_KEY.finditer(text))
    if "eyJ" in text:
        yield from (match.span() for match in _JWT.finditer(text))
    if "earer" in text or "EARER" in text:
        yield from (m.span(1) for m in _BEARER.finditer(text) if _is_bearer(m.group(1)))
    if "asic" in text or "ASIC" in text:
        yield from (m.span(1) for m in _BASIC.finditer(text) if _is_basic(m.group(1)))
    if "@" in text:
        if "://" in text:
            yield from (m.span(1) for m in _IN_URL.finditer(text) if "[redacted" not in m.group(1))
        if emails:
            yield from (match.span() for match in _EMAIL.finditer(text))
    if _DIGITS in data.translate(_DIGIT, b" -"):
        yield from (m.span() for m in _CARD.finditer(text) if _is_card(text, *m.span()))


def _is_bearer(word: str) -> bool:
    """The word is an English one, too: a token has a digit in it or is long."""
    return len(word) >= 20 or any(c.isdigit() for c in word)


def _is_basic(word: str) -> bool:
    try:
        decoded = base64.b64decode(word + "=" * (-len(word) % 4), validate=True)
    except (binascii.Error, ValueError):
        return False
    return b":" in decoded and decoded.isascii()


def _is_card(text: str, start: int, end: int) -> bool:
    """Whether a run of digits is a card's number: its surroundings, how it is grouped, and the rest."""
    before, after = text[start - 1 : start], text[end : end + 2]
    if before and (before.isalnum() or before in "_-."):
        return False
    if after and (after[0].isalnum() or after[0] in "_-" or (after[0] == "." and after[1:].isdigit())):
        return False
    run = text[start:end]
    groups = tuple(map(len, re.split("[ -]", run)))
    grouped = len(groups) == 1 or (groups[:-1] in _GROUPS and 1 <= groups[-1] <= 5)
    return grouped and is_card(run.replace(" ", "").replace("-", ""))


def is_card(digits: str) -> bool:
    """Whether these digits are a card's: how many, how they begin, and Luhn's check digit."""
    if not 13 <= len(digits) <= 19 or digits == digits[0] * len(digits):
        return False
    first, second = digits[0], digits[1]
    begins = (
        first == "4"
        or (first == "5" and second in "12345678")
        or (first == "6" and second in "02345789")
        or (first == "3" and second in "0456789")
        or (first == "2" and second in "234567" and len(digits) == 16)
    )
    if not begins:
        return False
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0
