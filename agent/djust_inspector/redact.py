"""Which names hide their values, and how they are hidden.

Redaction goes by name only: nothing here looks at a value to guess whether it is a secret. The one
exception is that ``None`` and booleans stay visible, because ``show_password = False`` is state that
a developer needs and no secret.
"""

from __future__ import annotations

import json
import re
from typing import Any, Iterable

WORDS = frozenset(
    """password passwd passphrase pwd secret secrets token authorization cookie cookies csrf csrftoken
    csrfmiddlewaretoken xsrf apikey sessionid sessionkey credential credentials jwt cvv cvc ssn iban
    privatekey""".split()
)
#: Neighbouring words that are a secret together, though neither is alone.
PAIRS = frozenset(
    """api_key session_key session_id credit_card card_number private_key access_key signing_key
    encryption_key security_code social_security pass_word""".split()
)

_SPLIT = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|[0-9]+")
_known: dict[str, bool] = {}


def sensitive(name: str) -> bool:
    """Whether a value of this name is hidden. `name` may be snake_case, camelCase or a header's name."""
    found = _known.get(name)
    if found is None:
        words = [w.lower() for w in _SPLIT.findall(name[:200])]
        found = any(w in WORDS for w in words) or any(f"{a}_{b}" in PAIRS for a, b in zip(words, words[1:]))
        if len(_known) > 20_000:  # names come from data too; the memory must stay small
            _known.clear()
        _known[name] = found
    return found


#: Part of every sensitive name (in lower case), so that most texts need no closer look. Plain searches,
#: as a regular expression takes ten times as long.
_HINTS = tuple(
    """pass pwd secret token authoriz cookie csrf xsrf session credential jwt cvv cvc ssn iban priv access signing
    encryption credit card security""".split()
)
_API_KEY = re.compile("api[^a-z0-9]*key")


def hints(text: str) -> list[str]:
    """Parts of sensitive names that a text has somewhere; a text without any holds nothing to hide."""
    low = text.lower()
    found = [hint for hint in _HINTS if hint in low]
    return found + ["api"] if "api" in low and _API_KEY.search(low) else found


def _hides_nothing(text: str, extra: frozenset[str]) -> bool:
    """Whether no name in a JSON text can be sensitive. False where only parsing could tell."""
    if any(name in text for name in extra):
        return False
    found = hints(text)
    if not found:
        return True
    low = text.lower()
    if len(low) != len(text):
        return False
    for hint in found:
        at = low.find(hint)
        while at >= 0:
            # The string around the hint, or the piece of it between escaped quotes.
            start, end = text.rfind('"', 0, at) + 1, text.find('"', at)
            name = text[start : end if end >= 0 else len(text)][:200]
            if "\\" in name[:-1] or sensitive(name):
                return False
            at = low.find(hint, end) if end >= 0 else -1
    return True


def redact_json(value: Any, extra: frozenset[str] = frozenset()) -> Any:
    """A copy of parsed JSON with the values of sensitive names hidden.

    A form event names its field beside the value (``{"field": "password", "value": "…"}``); such
    values are hidden too.
    """
    if type(value) is dict:
        field = value.get("field") or value.get("name")
        hidden_value = type(field) is str and (field in extra or sensitive(field))
        out = {}
        for key, item in value.items():
            if (
                item is not None
                and type(item) is not bool
                and ((type(key) is str and (key in extra or sensitive(key))) or (hidden_value and key == "value"))
            ):
                # djust's own protocol uses a few of these names for what is no secret.
                if not (key in _DJUST_OWN and type(item) in (int, str) and key == "session_id"):
                    out[key] = {"$t": "redacted", "of": type(item).__name__}
                    continue
            out[key] = redact_json(item, extra)
        return out
    if type(value) is list:
        return [redact_json(item, extra) for item in value]
    return value


_DJUST_OWN = frozenset(["session_id"])


def redact_frame(text: str, extra: frozenset[str] = frozenset()) -> str:
    """A WebSocket frame with sensitive values hidden; the same object when there are none.

    Most frames name nothing sensitive, so a search comes before the parse. What is not JSON is
    returned as it is.
    """
    if _hides_nothing(text, extra):
        return redact_html(text)
    try:
        parsed = json.loads(text)
    except (ValueError, RecursionError):
        return text
    clean = redact_json(parsed, extra)
    if clean == parsed:
        return redact_html(text)
    return redact_html(json.dumps(clean, ensure_ascii=False, separators=(",", ":")))


_PASSWORD_INPUT = re.compile(
    r"""(<input\b(?=[^>]*\b(?:type|name)\s*=\s*\\?["']?(?:password|passwd|csrfmiddlewaretoken|[\w-]*(?:secret|token|passw)[\w-]*))"""
    r"""[^>]*?\bvalue\s*=\s*)(\\?["'])(.*?)(\2)""",
    re.IGNORECASE | re.DOTALL,
)


def redact_html(text: str) -> str:
    """HTML (also inside JSON text) with the values of password and token inputs hidden."""
    if "<input" not in text:
        return text
    return _PASSWORD_INPUT.sub(r"\1\2[redacted]\4", text)


_ASSIGNMENT = re.compile(
    r"""(?i)\b((?:[\w-]*(?:password|passwd|secret|api_?key|token|sessionid|session_key|csrf\w*|cvv|ssn))["']?\s*[=:]\s*)"""
    r"""("[^"]*"|'[^']*'|[^\s,;&)}\]]+)"""
)
_BEARER = re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{6,}")


def redact_text(text: str) -> str:
    """Free text (a log message, an exception's message) with ``password=…`` and ``Bearer …`` hidden."""
    return _BEARER.sub(r"\1 [redacted]", _ASSIGNMENT.sub(r"\1[redacted]", text))


def redact_sql_params(sql: str, params: str) -> str:
    """The parameters of a query, hidden as a whole when the query names a sensitive column."""
    if any(sensitive(word) for word in re.findall(r"[A-Za-z_]{3,}", sql[:20_000])):
        return "[redacted]"
    return params


def names(*groups: Iterable[str] | None) -> frozenset[str]:
    """The union of name lists as they stand in settings and classes; what is no string is ignored."""
    out: set[str] = set()
    for group in groups:
        if type(group) in (list, tuple, set, frozenset):
            out.update(n for n in group if type(n) is str)
    return frozenset(out)
