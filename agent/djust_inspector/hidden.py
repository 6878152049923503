"""What stands in place of a secret, and the secrets that a page is known to hold.

A pseudonym is the same for equal values within one process and tells nothing of them: it is an HMAC whose key is
made when the process starts and is never written down, so it cannot be found by hashing guesses. What a name or a
place makes a secret in one spot is hidden wherever else it shows, in whatever type and encoding: a password of the
state is not in the page's HTML, in a frame or in a traceback either, nor in base64 within any of them.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import html
import json
import re
import secrets
import time
from collections import defaultdict
from typing import Any
from urllib.parse import quote, quote_plus

_KEY = secrets.token_bytes(32)
#: Secrets of one page that are looked for everywhere. A further one takes the place of one that was not met for so
#: many seconds, so that a state with more of them does not push its own out at each look.
MAX_KNOWN = 256
KEPT_SECS = 60.0
#: Longer values are not looked for.
LONGEST = 4096
#: Up to so many spellings are searched for one by one, which is then cheaper than all at once.
_FEW = 24
#: Shorter base64 and hex would be found where nobody wrote any.
_SHORTEST_CODE = 7


def pseudonym(text: str) -> str:
    """The name under which a hidden value is told."""
    return hmac.new(_KEY, text.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()[:10]


def mark(text: str) -> str:
    """What stands in a text instead of a secret."""
    return f"[redacted:{pseudonym(text)}]"


#: The mark, to be recognised.
MARK = re.compile(r"\[redacted:[0-9a-f]{10}\]")


def telling(text: str) -> bool:
    """Whether a secret can be looked for elsewhere without hiding half of the text."""
    if not 6 <= len(text) <= LONGEST or text.strip() != text or "[redacted" in text:
        return False
    if text.isalpha():
        return len(text) >= 12
    digits = text.replace(".", "").replace("-", "")
    return not digits.isdigit() or len(digits) >= 8


_HEX = re.compile(r"[0-9a-fA-F]{32}")


def _spellings(text: str, data: bytes) -> set[bytes]:
    """A value as it may stand in text: as it is, in JSON, in HTML, in each within the other, in an address, in Python's
    own writing, and encoded in base64 (wherever in it) and in hex."""
    plain = {text}
    bare = text.replace("-", "")
    if _HEX.fullmatch(bare):  # a UUID with and without its dashes
        low = bare.lower()
        plain |= {low, f"{low[:8]}-{low[8:12]}-{low[12:16]}-{low[16:20]}-{low[20:]}"}
    found = set(plain)
    for each in plain:
        markup = {html.escape(each), html.escape(each, quote=False)}
        for form in {each, *markup, repr(each)[1:-1], ascii(each)[1:-1], repr(data)[2:-1]}:
            for ascii_only in (False, True):
                once = json.dumps(form, ensure_ascii=ascii_only)[1:-1]
                found |= {form, once, json.dumps(once, ensure_ascii=ascii_only)[1:-1]}
        raw = each.encode("utf-8", "surrogatepass")
        for address in (quote(raw, safe=""), quote(raw), quote_plus(raw)):
            found |= {address, re.sub("%..", lambda m: m.group().lower(), address)}
    found |= {data.hex(), data.hex().upper()}
    out = {each.encode("utf-8", "surrogatepass") for each in found} | {data}
    for shift in range(3):
        code = base64.b64encode(bytes(shift) + data)
        # Only what the secret alone decides: no character that has a bit of a neighbour in it.
        inner = code[-(-8 * shift // 6) : (shift + len(data)) * 8 // 6]
        if len(inner) >= _SHORTEST_CODE:
            out |= {inner, inner.replace(b"+", b"-").replace(b"/", b"_")}
    return {each for each in out if len(each) >= 5}


class _Search:
    """Finds any of a set of texts in one pass over a text, whatever their number.

    A text is taken as a row of blocks of four bytes, which the set of all blocks of interest is compared with at the
    speed of C. Wherever a needle of seven bytes stands, one of its blocks, beginning at its first, second, third or
    fourth byte, falls together with one of the text's; for shorter needles the text is taken a second time, two bytes on.
    """

    def __init__(self, needles: dict[bytes, str]) -> None:
        self.needles = needles
        self._blocks: dict[int, list[tuple[bytes, int]]] | None = None
        self._short = False

    def within(self, data: bytes) -> bool:
        """Whether any is in a text."""
        if len(self.needles) <= _FEW:
            return any(needle in data for needle in self.needles)
        return bool(self._together(data, first=True))

    def find(self, data: bytes) -> list[tuple[int, int, str]]:
        """Where in a text they are, each with its mark: in order, without overlaps."""
        found = self._one_by_one(data) if len(self.needles) <= _FEW else self._together(data)
        found.sort(key=lambda span: (span[0], -span[1]))
        out: list[tuple[int, int, str]] = []
        for start, end, shown in found:
            if out and start < out[-1][1]:
                out[-1] = (out[-1][0], max(end, out[-1][1]), out[-1][2])
            else:
                out.append((start, end, shown))
        return out

    def _one_by_one(self, data: bytes) -> list[tuple[int, int, str]]:
        found = []
        for needle, shown in self.needles.items():
            at = data.find(needle)
            while at >= 0:
                found.append((at, at + len(needle), shown))
                at = data.find(needle, at + len(needle))
        return found

    def _together(self, data: bytes, first: bool = False) -> list[tuple[int, int, str]]:
        if self._blocks is None:
            self._prepare()
        blocks = self._blocks
        assert blocks is not None
        padded = data + bytes(-len(data) % 4 + 4)
        found: list[tuple[int, int, str]] = []
        # Near misses cost time, too: of more than a text of this size has by chance the rest is withheld.
        left = len(data) // 8 + 4096
        for begin in (0, 2) if self._short else (0,):
            view = memoryview(padded)[begin : len(padded) - (4 - begin) % 4].cast("I")
            here = self._interesting.intersection(view)
            if not here:
                continue
            done = 0
            for place, block in enumerate(view):
                if block not in here:
                    continue
                at = begin + 4 * place
                for needle, offset in blocks[block]:
                    left -= 1
                    if at - offset >= done and data.startswith(needle, at - offset):
                        done = at - offset + len(needle)
                        found.append((at - offset, done, self.needles[needle]))
                        if first:
                            return found
                        break
                if left < 0:
                    while at > 0 and data[at : at + 1] and data[at] & 0xC0 == 0x80:
                        at -= 1
                    return [*found, (at, len(data), mark("too much that looks like a secret"))]
        return found

    def _prepare(self) -> None:
        blocks: dict[int, list[tuple[bytes, int]]] = defaultdict(list)
        for needle in sorted(self.needles, key=len, reverse=True):
            self._short |= len(needle) < 7
            for phase in range(min(4, len(needle) - 3)):
                places = range(phase, len(needle) - 3, 4)
                # The block that is rarest in ordinary text tells most.
                place = max(places, key=lambda at: sum(not 97 <= byte <= 122 for byte in needle[at : at + 4]))
                blocks[int.from_bytes(needle[place : place + 4], _ORDER)].append((needle, place))
        self._blocks = dict(blocks)
        self._interesting = frozenset(blocks)


_ORDER: Any = "little" if memoryview(b"\1\0\0\0").cast("I")[0] == 1 else "big"


class Known:
    """The secrets of one page that were hidden somewhere."""

    def __init__(self) -> None:
        #: By value, the one met longest ago first: its spellings, and when it was met.
        self._values: dict[str, tuple[set[bytes], float]] = {}
        self._search: _Search | None = None
        #: Grows with each value: what was encoded before may show it.
        self.version = 0

    def learn(self, value: Any, depth: int = 0) -> None:
        """Remember a hidden value, and the plain ones within it."""
        kind = type(value)
        if kind is str:
            self._meet(value, value.encode("utf-8", "surrogatepass") if len(value) <= LONGEST else b"")
        elif kind is int or kind is float:
            self.learn(repr(value) if kind is float or value.bit_length() < 12_000 else "")
        elif kind is bytes:
            try:
                self._meet(value.decode("utf-8"), value)
            except UnicodeDecodeError:
                self._meet(repr(value[: LONGEST + 1])[2:-1], value)
        elif depth < 4 and kind in (list, tuple):
            for item in value[:50]:
                self.learn(item, depth + 1)
        elif depth < 4 and kind is dict:
            for item in list(value.values())[:50]:
                self.learn(item, depth + 1)

    def learn_text(self, text: str) -> None:
        """Remember a value that a text named, also as it was before it was written there."""
        from urllib.parse import unquote

        if self is NOTHING or len(text) > 4 * LONGEST:
            return
        for each in {text, html.unescape(text), unquote(text)}:
            self.learn(each.strip())

    def _meet(self, value: str, data: bytes) -> None:
        now = time.monotonic()
        known = self._values.pop(value, None)
        if known is not None:
            self._values[value] = (known[0], now)
            return
        if self is NOTHING or not telling(value):
            return
        if len(self._values) >= MAX_KNOWN:
            oldest = next(iter(self._values))
            if now - self._values[oldest][1] < KEPT_SECS:
                return
            del self._values[oldest]
        self._values[value] = (_spellings(value, data), now)
        self._search = None
        self.version += 1

    def _searched(self) -> _Search:
        search = self._search
        if search is None:
            needles: dict[bytes, str] = {}
            for value, (spellings, _) in list(self._values.items()):
                needles.update(dict.fromkeys(spellings, mark(value)))
            search = self._search = _Search(needles)
        return search

    def hide(self, text: str) -> str:
        """A text without them."""
        if not self._values:
            return text
        data = text.encode("utf-8", "surrogatepass")
        found = self._searched().find(data)
        if not found:
            return text
        out, at = [], 0
        for start, end, shown in found:
            out += data[at:start], shown.encode()
            at = end
        return b"".join([*out, data[at:]]).decode("utf-8", "surrogatepass")

    def within(self, text: str | bytes) -> bool:
        """Whether a text has any of them."""
        if not self._values:
            return False
        return self._searched().within(text if type(text) is bytes else text.encode("utf-8", "surrogatepass"))

    def holds(self, text: str) -> bool:
        """Whether this is one of them."""
        return text in self._values

    def hide_json(self, text: str) -> str:
        """JSON text whose values are without them, still JSON."""
        if not self.within(text):
            return text
        try:
            return json.dumps(self.hide_all(json.loads(text)), ensure_ascii=False, separators=(",", ":"))
        except (ValueError, RecursionError):
            return '"[redacted]"'

    def hide_each(self, texts: dict[str, str] | None) -> dict[str, str] | None:
        """JSON texts by their names, each without them."""
        if texts is None or not self._values:
            return texts
        return {name: self.hide_json(text) for name, text in texts.items()}

    def hide_all(self, value: Any) -> Any:
        """A parsed JSON value whose texts are without them."""
        if not self._values:
            return value
        kind = type(value)
        if kind is str:
            return self.hide(value)
        if (kind is int or kind is float) and self.holds(repr(value)):
            return {"$t": "redacted", "of": kind.__name__, "as": pseudonym(repr(value))}
        if kind is dict:
            inner = value.get("v")
            if "$t" in value and type(inner) is str and self.hide(inner) != inner:  # a number, bytes, a path …
                return {"$t": "redacted", "of": value["$t"], "as": pseudonym(inner)}
            return {self.hide(key): self.hide_all(item) for key, item in value.items()}
        return [self.hide_all(item) for item in value] if kind is list else value


NOTHING = Known()
