"""Values that are secrets whatever their name: found by how they look.

The rules are those of the inspector's own exports (``crates/share/src/patterns.rs``). Each has a hint that plain
searches find at memory's speed, so that a text without any costs next to nothing.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import Callable, Iterator

#: Bytes of a text in which to look for runs: letters and digits, and digits alone.
_ALNUM = bytes(97 if bytes([c]).isalnum() else 32 for c in range(256))
_DIGIT = bytes(48 if 48 <= c <= 57 else 120 for c in range(256))
_RUN, _DIGITS = b"a" * 16, b"0" * 13

_KEY_BEGINS = re.compile(r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_KEY_ENDS = re.compile(r"-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_KEY_CUT_OFF = re.compile(r"[^\"<]*")
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
_IN_URL = re.compile(r"://[^\s/:@\"'<>]{0,200}:([^\s/@\"'<>]{1,500})@[^\s/@]")
_CARD = re.compile(r"(?<![0-9])[2-6][0-9 -]{12,}")
#: A step of a path, between slashes or at the end.
_IN_PATH = re.compile(r"/([A-Za-z0-9_=~.:!%-]{20,300})(?=[/?#&\s\"'<>\\),;\]]|$)")
_UUID = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")
_FILE = re.compile(r"\.[A-Za-z][A-Za-z0-9]{0,4}")
_ENDS_PATH = re.compile(r"[\s\"'<>(=,;|]")
_PIECES = re.compile(r"[A-Za-z0-9]{16,}")
_EMAIL = re.compile(
    r"(?<![A-Za-z0-9.!#$%&'*+/=?^_`{|}~-])[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}"
    r"@[A-Za-z0-9](?:[A-Za-z0-9-]{0,62}\.)+[A-Za-z]{2,63}\b"
)
_GROUP = re.compile("[0-9]+")
#: The sum of the digits of twice a digit.
_DOUBLED = str.maketrans("0123456789", "0246813579")
_GROUPS = ((4, 4, 4), (4, 4, 4, 4), (4, 6))


#: Places of one text that one pattern has a second look at. From there on the text is hidden as a whole.
MOST_PLACES = 10_000
_Spans = Iterator[tuple[int, int]]


def spans(text: str, emails: bool) -> list[tuple[int, int]]:
    """Where in a text the secrets are: in order, without overlaps."""
    if len(text) < 8:
        return []
    found = sorted(span for each in _found(text, emails) for span in each)
    out: list[tuple[int, int]] = []
    for start, end in found:
        if out and start < out[-1][1]:
            out[-1] = (out[-1][0], max(end, out[-1][1]))
        else:
            out.append((start, end))
    return out


def _found(text: str, emails: bool) -> Iterator[_Spans]:
    data = text.encode("utf-8", "surrogatepass")
    has_run = _RUN in data.translate(_ALNUM)
    if (has_run and any(hint in text for hint in _SERVICE_HINTS)) or "xox" in text:
        yield _each(_SERVICE, text)
    if has_run and "/" in text:
        yield (s for s in _each(_IN_PATH, text, 1, _is_random) if _is_in_path(text, s[0]))
    if "PRIVATE KEY" in text:
        yield _private_keys(text)
    if "eyJ" in text:
        yield _each(_JWT, text)
    if "earer" in text or "EARER" in text:
        yield _each(_BEARER, text, 1, _is_bearer)
    if "asic" in text or "ASIC" in text:
        yield _each(_BASIC, text, 1, _is_basic)
    if "@" in text:
        if "://" in text:
            yield _each(_IN_URL, text, 1, _is_open)
        if emails:
            yield _each(_EMAIL, text)
    if _DIGITS in data.translate(_DIGIT, b" -"):
        yield (card for span in _each(_CARD, text) for card in _cards(text, *span))


def _each(pattern: re.Pattern[str], text: str, group: int = 0, holds: Callable[[str], bool] | None = None) -> _Spans:
    """Where a pattern matches, and a second look says so, too."""
    for count, match in enumerate(pattern.finditer(text)):
        if count == MOST_PLACES:
            yield match.start(), len(text)
            return
        if holds is None or holds(match.group(group)):
            yield match.span(group)


def _private_keys(text: str) -> _Spans:
    """Keys from their first line to their last; one that is cut off goes on to the end of its string."""
    ends = _KEY_ENDS.finditer(text)
    last: re.Match[str] | None = next(ends, None)
    at, left = text.find("-----BEGIN "), MOST_PLACES
    while at >= 0:
        left -= 1
        if left < 0:
            yield at, len(text)
            return
        begun = _KEY_BEGINS.match(text, at)
        if begun is None:
            at = text.find("-----BEGIN ", at + 11)
            continue
        while last is not None and last.start() < begun.end():
            last = next(ends, None)
        end = last.end() if last is not None else _KEY_CUT_OFF.match(text, begun.end()).end()  # type: ignore[union-attr]
        yield at, end
        at = text.find("-----BEGIN ", end)


def _is_random(step: str) -> bool:
    """Whether a step of a path is no name that somebody gave: letters and digits mixed, and no UUID, which are mostly ids."""
    if _UUID.fullmatch(step) or _FILE.fullmatch(step[-6:][max(step[-6:].rfind("."), 0) :]):
        return False
    return any(
        any(c.isdigit() for c in piece) and any(c.isalpha() for c in piece) and _changes(piece) >= 4
        for piece in _PIECES.findall(step)
    )


def _is_in_path(text: str, start: int) -> bool:
    """Whether what comes before a step is a path, and not base64, which has slashes, too, or a file of a traceback."""
    head = text[max(0, start - 300) : start]
    path = _ENDS_PATH.split(head)[-1]
    if (len(path) == len(head) < start) or "+" in path or "base64," in head[-len(path) - 8 :] or path.startswith("/9j/"):
        return False
    return not _is_random(path.split("/", 1)[0] + "/") and not head[: len(head) - len(path)].endswith('File "')


def _changes(piece: str) -> int:
    """How often digits follow on letters or the reverse."""
    return sum(a.isdigit() != b.isdigit() for a, b in zip(piece, piece[1:]))


def _is_open(word: str) -> bool:
    return "[redacted" not in word


def _is_bearer(word: str) -> bool:
    """The word is an English one, too: a token has a digit in it or is long."""
    return len(word) >= 20 or any(c.isdigit() for c in word)


def _is_basic(word: str) -> bool:
    try:
        decoded = base64.b64decode(word + "=" * (-len(word) % 4), validate=True)
    except (binascii.Error, ValueError):
        return False
    return b":" in decoded and decoded.isascii()


def _cards(text: str, start: int, end: int) -> _Spans:
    """The cards' numbers in a run of digits: by its surroundings, how it is grouped, and the digits."""
    groups: list[tuple[int, int]] = []
    for count, match in enumerate(_GROUP.finditer(text, start, end)):
        if count == 4 * MOST_PLACES:
            yield match.start(), len(text)
            break
        groups.append(match.span())
    sizes = tuple([b - a for a, b in groups])
    at = 0
    while at < len(groups):
        # A whole number may stand before a card's, or after it.
        for count in (4, 5, 3) if sizes[at] == 4 else (1,) if sizes[at] >= 13 else ():
            taken = sizes[at : at + count]
            if len(taken) < count or (count > 1 and (taken[:-1] not in _GROUPS or taken[-1] > 5)):
                continue
            first, last = groups[at][0], groups[at + count - 1][1]
            digits = text[first:last].replace(" ", "").replace("-", "")
            single = last - first == len(digits) + count - 1  # one space or dash between two groups
            if single and is_card(digits) and _stands_alone(text, first, last):
                yield first, last
                at += count - 1
                break
        at += 1


def _stands_alone(text: str, start: int, end: int) -> bool:
    """Whether digits are no part of something longer, or a fraction; of one that is nothing, as floats have, they may be."""
    before, after = text[start - 1 : start], text[end : end + 3]
    if before and (before.isalnum() or before in "_-."):
        return False
    if after and (after[0].isalnum() or after[0] in "_-"):
        return False
    return not (after[:1] == "." and after[1:2].isdigit()) or (after[1] == "0" and not after[2:].isdigit())


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
    total = sum(map(int, digits[::-2])) + sum(map(int, digits[-2::-2].translate(_DOUBLED)))
    return total % 10 == 0
