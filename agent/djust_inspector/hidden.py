"""What stands in place of a secret, and the secrets that a page is known to hold.

A pseudonym is the same for equal values within one process and tells nothing of them: it is an HMAC whose key is
made when the process starts and is never written down, so it cannot be found by hashing guesses. What a name or a
place makes a secret in one spot is hidden wherever else it shows: a password of the state is not in the page's
HTML, in a frame or in a traceback either.
"""

from __future__ import annotations

import hashlib
import hmac
import html
import json
import re
import secrets
import time
from typing import Any

_KEY = secrets.token_bytes(32)
#: Secrets of one page that are looked for everywhere. A further one takes the place of one that was not met for so
#: many seconds, so that a state with more of them does not push its own out at each look.
MAX_KNOWN = 64
KEPT_SECS = 60.0
#: Longer values are not looked for; each text would be searched for them.
_LONGEST = 4096


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
    if not 6 <= len(text) <= _LONGEST or text.strip() != text or "[redacted" in text:
        return False
    if text.isalpha():
        return len(text) >= 12
    return not text.isdigit() or len(text) >= 8


def _spellings(text: str) -> tuple[str, ...]:
    """A value as it may stand in text, in JSON, in HTML, in HTML within JSON, and in JSON within JSON."""
    markup = [html.escape(text), html.escape(text, quote=False)]
    found = [text, *markup]
    for each in (text, *markup):
        for ascii_only in (False, True):
            once = json.dumps(each, ensure_ascii=ascii_only)[1:-1]
            found += [once, json.dumps(once, ensure_ascii=ascii_only)[1:-1]]
    return tuple(sorted(set(found), key=len, reverse=True))


class Known:
    """The secrets of one page that were hidden somewhere."""

    def __init__(self) -> None:
        #: By value, the one met longest ago first: its mark, its spellings, when it was met.
        self._values: dict[str, tuple[str, tuple[str, ...], float]] = {}
        #: Grows with each value: what was encoded before may show it.
        self.version = 0

    def learn(self, value: Any, depth: int = 0) -> None:
        """Remember a hidden value, and the plain ones within it."""
        kind = type(value)
        if kind is int:
            value, kind = str(value), str
        if kind is str:
            self._meet(value)
        elif depth < 4 and kind in (list, tuple):
            for item in value[:50]:
                self.learn(item, depth + 1)
        elif depth < 4 and kind is dict:
            for item in list(value.values())[:50]:
                self.learn(item, depth + 1)

    def _meet(self, value: str) -> None:
        now = time.monotonic()
        known = self._values.pop(value, None)
        if known is not None:
            self._values[value] = (known[0], known[1], now)
            return
        if not telling(value):
            return
        if len(self._values) >= MAX_KNOWN:
            oldest = next(iter(self._values))
            if now - self._values[oldest][2] < KEPT_SECS:
                return
            del self._values[oldest]
        self._values[value] = (mark(value), _spellings(value), now)
        self.version += 1

    def hide(self, text: str) -> str:
        """A text without them."""
        if not self._values:
            return text
        for shown, spellings, _ in list(self._values.values()):
            for spelling in spellings:
                if spelling in text:
                    text = text.replace(spelling, shown)
        return text

    def within(self, text: str) -> bool:
        """Whether a text has any of them."""
        if not self._values:
            return False
        return any(s in text for _, spellings, _ in list(self._values.values()) for s in spellings)

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

    def hide_all(self, value: Any) -> Any:
        """A parsed JSON value whose texts are without them."""
        if not self._values:
            return value
        if type(value) is str:
            return self.hide(value)
        if type(value) is int and self.holds(str(value)):
            return {"$t": "redacted", "of": "int", "as": pseudonym(str(value))}
        if type(value) is dict:
            return {key: self.hide_all(item) for key, item in value.items()}
        return [self.hide_all(item) for item in value] if type(value) is list else value


NOTHING = Known()
