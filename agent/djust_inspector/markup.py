"""Values that a text names beside them: ``password=…``, a header, an attribute, the value of a field, JSON within text.

All of it is linear in the text, whatever is in it: parts of sensitive names are found by plain searches, and from each
the scan looks a bounded way to the left and goes on to the right, never over the same place twice. Regular expressions
are only matched where a place is, over one class of characters at a time, so there is nothing for them to try again.
"""

from __future__ import annotations

import re
from typing import Iterator, NamedTuple

from . import secret_names as table
from .names import HOLDING, NAMING, SPACED, VISIBLE, lower, sensitive, words
from .hidden import telling

#: Places of one part of a name that are looked at in one text. What is behind them is withheld.
MOST_PLACES = 10_000
#: Characters of a tag, and its attributes, that are looked at.
_MOST_TAG = 16 * 1024
_MOST_ATTRIBUTES = 200
#: Characters of a value.
_MOST_VALUE = 16 * 1024 * 1024

_NAME_CHARS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"
_REST = re.compile(r"[A-Za-z0-9_-]*")
_QUOTE = r"""\\{0,8}["'`]|&(?:quot|apos|#0{0,4}3[49]|#[xX]0{0,4}2[27]);|\\{1,4}u002[27]|%2[27]"""
_AFTER = re.compile(
    rf"(?P<closed>{_QUOTE})?(?:\]|%5[Dd])?\s{{0,20}}(?P<sign>=>|:=|[=:]|%3[AaDd]|\\{{1,4}}u003[AaDd])\s{{0,20}}(?:b?(?P<open>{_QUOTE}))?"
)
_BEFORE = re.compile(rf"[(\[]\s{{0,4}}b?(?:{_QUOTE})$")
_PAIRED = re.compile(rf"(?:{_QUOTE})\s{{0,4}},\s{{0,4}}b?(?P<open>{_QUOTE})")
_PAIR_END = re.compile(rf"(?:{_QUOTE})\s{{0,4}}[)\]]")
_LINE = re.compile(r"[^\r\n]*")
_COOKIE_LINE = re.compile(r"[^\r\n<\"]*")
_SPACES = re.compile(r"[^\r\n,;&<\"]*")
_WORD = re.compile(r"[^\s,;&)}\]]+")
_WORD_IN_HTML = re.compile(r"[^\s,;&)}\]<>\"'`]+")
_SCHEME = re.compile(rf"(?:{'|'.join(table.SCHEMES.split())})[ \t]+(?=[^\s,;])", re.IGNORECASE)
_COOKIES = re.compile(r"[\w.-]{1,100}=")
_BRACKETS = re.compile(r"[\[\](){}]")
_ATTRIBUTE = re.compile(
    r"""[\s/]*([^\s"'<>/=]+)(?:\s{0,100}=\s{0,100}(?:\\?"([^"\\]*)\\?"|\\?'([^'\\]*)\\?'|"([^"]*)"|'([^']*)'|([^\s"'<>]+)))?"""
)
#: A mark; where a pattern ends at brackets, it is without its last one.
MARKED = re.compile(r"\[redacted:[0-9a-f]{10}\]?")
_REDACTED = re.compile(r"""\{\\{0,4}["']\$t\\{0,4}["']: ?\\{0,4}["']redacted""")
_TEXTS = ("textarea", "output")


class Named(NamedTuple):
    """A value in a text, and whether more than one secret may be in it."""

    start: int
    end: int
    several: bool = False


class Attribute(NamedTuple):
    """An attribute of a tag, its value without quotes."""

    name: str
    value: str
    start: int
    end: int


def attributes(text: str, start: int) -> tuple[str, list[Attribute], int]:
    """The name of the tag that begins at `start`, its attributes, and where it ends."""
    limit = min(len(text), start + _MOST_TAG)
    tag = _REST.match(text, start + 1, limit)
    at = tag.end() if tag is not None else start + 1
    name, found = lower(text[start + 1 : at]), []
    for _ in range(_MOST_ATTRIBUTES):
        match = _ATTRIBUTE.match(text, at, limit)
        if match is None:
            end = at
            while end < limit and text[end] in " \t\r\n\f/":
                end += 1
            if end >= limit or text[end] == ">":
                return name, found, min(end + 1, limit)
            if text[end] == "<":
                return name, found, end
            at = end + 1  # a quote or a sign without a name
            continue
        at = match.end()
        which = match.lastindex or 1
        if which > 1:
            found.append(Attribute(lower(match.group(1)), match.group(which), match.start(which), match.end(which)))
    return name, found, at


def named(text: str, hints: list[str], free: bool) -> list[Named]:
    """The values in a text that a sensitive name stands before, in order and without overlaps.

    `free` text is a message, in which whatever follows such a name is taken for its value. In any other text, which may
    be prose about passwords, it has to be in quotes or to be no ordinary word.
    """
    low = lower(text)
    places, whole = _places(low, hints)
    found: list[Named] = []
    done = tag_done = 0
    html = "<" in text
    for place in places:
        if place < done:
            continue
        end = _REST.match(text, place).end()  # type: ignore[union-attr]
        left = max(done, place - 200)
        start = left + len(text[left:place].rstrip(_NAME_CHARS))
        before = text[start - 1] if start else ""
        done = end
        after = _AFTER.match(text, end)
        pair = html_field = False
        if after is None:
            pair = before in ("'", '"', ";", "`") and text[end : end + 1] in ("'", '"', "&", "\\", "`")
            html_field = html and before in "\"'=.[\\" and place >= tag_done
            if not pair and not html_field:
                continue
        elif html and before in "\"'=.[\\" and place >= tag_done:
            html_field = True
        name = text[start:end] if end - start <= 200 else text[max(start, place - 60) : place + 60]
        if not sensitive(name) and not sensitive(text[max(start, place - 60) : min(end, place + 60)]):
            continue
        if html_field:
            tag = _tag_of(text, low, start, tag_done)
            if tag is not None:
                tag_done = tag[1]
                found += tag[0]
                continue
        if after is not None:
            query = after.group("sign") == "=" and before in ("", "?", "&", ";")  # of an address, or a form's body
            value = _value(text, after, name, free or query, html)
        else:
            paired = _PAIRED.match(text, end)
            if paired is None or not _BEFORE.search(text[max(0, start - 14) : start]):
                continue
            closing = _closing(text, paired.end(), paired.group("open"))
            if not _PAIR_END.match(text, closing):
                continue
            value = Named(paired.end(), closing)
        if value is not None:
            done = max(done, value.end)
            if value.end > value.start:
                found.append(value)
    if not whole:
        found.append(Named(places[-1] if places else 0, len(text)))
    return _merged(found)


def _places(low: str, hints: list[str]) -> tuple[list[int], bool]:
    """Where parts of sensitive names are, in order, and whether these are all."""
    places: set[int] = set()
    limit = len(low)
    for hint in hints:
        at, left = low.find(hint), MOST_PLACES
        while at >= 0 and at < limit:
            places.add(at)
            left -= 1
            if left == 0:
                limit = at
                break
            at = low.find(hint, at + len(hint))
    return sorted(place for place in places if place <= limit), limit == len(low)


def _merged(found: list[Named]) -> list[Named]:
    found.sort(key=lambda span: (span.start, -span.end))
    out: list[Named] = []
    for span in found:
        if out and span.start < out[-1].end:
            out[-1] = Named(out[-1].start, max(out[-1].end, span.end), out[-1].several or span.several)
        else:
            out.append(span)
    return out


def _value(text: str, after: re.Match[str], name: str, free: bool, html: bool) -> Named | None:
    """The value after a name and its sign; ``None`` where there is none that is to be hidden."""
    start, sign, quote = after.end(), after.group("sign")[-1], after.group("open")
    if _REDACTED.match(text, start) or MARKED.match(text, start):
        return None
    spaced = not SPACED.isdisjoint(words(name))
    if quote is not None:
        end = _closing(text, start, quote)
        sure = after.group("closed") is not None or sign not in ":Aa"
    elif text[start : start + 1] in ("{", "[", "("):
        end = _balanced(text, start)
        sure = after.group("closed") is not None
    else:
        sure = False
        word = _WORD_IN_HTML if html else _WORD
        match = word.match(text, start, start + _MOST_VALUE)
        end = match.end() if match is not None else start
        scheme = _SCHEME.match(text, start)
        if spaced and scheme is not None:
            whole = _LINE if sign in ":Aa" and not html else word
            match = whole.match(text, scheme.end(), scheme.end() + _MOST_VALUE)
            end, sure = match.end() if match is not None else scheme.end(), True
        elif spaced and sign in ":Aa" and _COOKIES.match(text, start):
            whole = _COOKIE_LINE if html else _LINE
            end, sure = whole.match(text, start, start + _MOST_VALUE).end(), True  # type: ignore[union-attr]
        elif spaced and free:
            end = max(end, _SPACES.match(text, start, start + _MOST_VALUE).end())  # type: ignore[union-attr]
        elif scheme is not None:
            match = word.match(text, scheme.end(), scheme.end() + _MOST_VALUE)
            end = match.end() if match is not None else end
            sure = match is not None and telling(match.group())
    value = text[start:end].strip()
    if not value or value.rstrip("\"'`\\").lower() in VISIBLE or MARKED.fullmatch(value):
        return None
    if not free and not sure and len(value) <= 64 and not telling(value):
        return None  # what is longer is hidden: nothing that was gone over may be gone over again
    return Named(start, end, several=spaced)


def _closing(text: str, start: int, quote: str) -> int:
    """Where the value ends that begins after a quote: at the same one, which no further backslash escapes."""
    depth = len(quote) - len(quote.lstrip("\\"))
    bare = quote.lstrip("\\") if quote[-1:] in "\"'`" else quote
    at = start
    for _ in range(64):
        at = text.find(bare, at, start + _MOST_VALUE)
        if at < 0:
            break
        head = text[max(start, at - 32) : at]
        slashes = len(head) - len(head.rstrip("\\"))
        if bare is quote and len(bare) > 1:  # an entity or an escape, which nothing escapes
            return at
        if slashes <= depth or (depth == 0 and slashes % 2 == 0):
            return at - min(slashes, depth)
        at += len(bare)
    return _LINE.match(text, start, start + _MOST_VALUE).end()  # type: ignore[union-attr]


def _balanced(text: str, start: int) -> int:
    """Where the value ends that begins with a bracket."""
    depth = 0
    for count, bracket in enumerate(_BRACKETS.finditer(text, start, start + _MOST_VALUE)):
        depth += 1 if bracket.group() in "([{" else -1
        if depth == 0:
            return bracket.end()
        if count > 1000:
            break
    return _LINE.match(text, start, start + _MOST_VALUE).end()  # type: ignore[union-attr]


def _tag_of(text: str, low: str, start: int, begin: int) -> tuple[list[Named], int] | None:
    """The values in the tag in which an attribute has a secret's name as its value, and where the tag ends."""
    before = text[max(0, start - 60) : start].rstrip(_NAME_CHARS + ".[]").rstrip("\"'\\").rstrip()
    if before[-1:] != "=":
        return None
    before = before[:-1].rstrip()
    if before[len(before.rstrip(_NAME_CHARS)) :].lower() not in NAMING:
        return None
    opened = text.rfind("<", max(begin, start - _MOST_TAG), start)
    if opened < 0 or not text[opened + 1 : opened + 2].isalpha():
        return None
    tag, found, end = attributes(text, opened)
    spans = [
        Named(each.start, each.end)
        for each in found
        if (each.name in HOLDING or sensitive(each.name)) and each.value and each.value.lower() not in VISIBLE and not MARKED.fullmatch(each.value)
    ]
    if tag in _TEXTS:
        closed = low.find(f"</{tag}", end)
        closed = closed if closed >= 0 else len(text)
        if text[end:closed].strip() and not MARKED.fullmatch(text[end:closed]):
            spans.append(Named(end, closed))
        end = max(end, closed)
    return spans, max(end, start)


def tags(text: str, name: str, most: int) -> Iterator[dict[str, str]]:
    """The attributes of the first tags of a name."""
    low, at = lower(text), 0
    for _ in range(most):
        at = low.find(f"<{name}", at)
        if at < 0:
            return
        tag, found, at = attributes(text, at)
        if tag == name:
            yield {each.name: each.value for each in reversed(found)}  # of two the first counts


def without_scripts(text: str) -> str:
    """HTML without its scripts; one that does not end goes on to the end."""
    low, out, at = lower(text), [], 0
    while True:
        start = low.find("<script", at)
        if start < 0:
            return "".join([*out, text[at:]])
        if low[start + 7 : start + 8] not in ("", " ", "\t", "\n", "\r", "\f", "/", ">"):
            out.append(text[at : start + 7])
            at = start + 7
            continue
        out.append(text[at:start])
        end = low.find("</script", start)
        end = low.find(">", end) if end >= 0 else -1
        if end < 0:
            return "".join(out)
        at = end + 1
