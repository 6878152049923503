"""What is hidden in texts, JSON, HTML and SQL, by name and by how it looks.

``None`` and booleans stay visible, because ``show_password = False`` is state that a developer needs and no
secret. Typed values are hidden by the walker, by the same rules. What was hidden is said so, with a pseudonym
(``hidden.py``); how a secret looks is in ``patterns.py``.
"""

from __future__ import annotations

import json
import re
from typing import Any, Iterable

from . import options, patterns
from .hidden import NOTHING, Known, mark, pseudonym

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


def look(text: str) -> str:
    """A text with what looks like a secret hidden; the same object when nothing does."""
    wanted = options.current().redact
    found = patterns.spans(text, wanted.emails) if wanted.patterns else []
    if not found:
        return text
    out, at = [], 0
    for start, end in found:
        out += text[at:start], mark(text[start:end])
        at = end
    return "".join([*out, text[at:]])


def looks_secret(text: str) -> bool:
    """Whether `look` would hide anything."""
    wanted = options.current().redact
    return wanted.patterns and bool(patterns.spans(text, wanted.emails))


def redact_json(value: Any, extra: frozenset[str] = frozenset(), known: Known = NOTHING) -> Any:
    """A copy of parsed JSON with the values of sensitive names, and what looks like a secret, hidden.

    A form event names its field beside the value (``{"field": "password", "value": "…"}``); such
    values are hidden too. What was hidden by its name is learnt by `known`.
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
                    if known is not NOTHING:
                        known.learn(item)
                    shown = item if type(item) is str else json.dumps(item, default=str)
                    out[key] = {"$t": "redacted", "of": type(item).__name__, "as": pseudonym(shown)}
                    continue
            out[look(key) if type(key) is str else key] = redact_json(item, extra, known)
        return out
    if type(value) is list:
        return [redact_json(item, extra, known) for item in value]
    if type(value) is str:
        return look(value)
    if type(value) is int and value > 10**12 and looks_secret(str(value)):
        return {"$t": "redacted", "of": "int", "as": pseudonym(str(value))}
    return value


_DJUST_OWN = frozenset(["session_id"])


def redact_frame(text: str, extra: frozenset[str] = frozenset(), known: Known = NOTHING) -> str:
    """A WebSocket frame with sensitive values hidden; the same object when there are none.

    Most frames name nothing sensitive, so a search comes before the parse. What is not JSON is
    taken as free text.
    """
    if _hides_nothing(text, extra):
        return redact_html(text)
    try:
        parsed = json.loads(text)
    except (ValueError, RecursionError):
        return redact_text(text)
    clean = redact_json(parsed, extra, known)
    if clean == parsed:
        return redact_html(text)
    return redact_html(json.dumps(clean, ensure_ascii=False, separators=(",", ":")))


_PASSWORD_INPUT = re.compile(
    r"""(<input\b(?=[^>]*\b(?:type|name)\s*=\s*\\?["']?(?:password|passwd|csrfmiddlewaretoken|[\w-]*(?:secret|token|passw)[\w-]*))"""
    r"""[^>]*?\bvalue\s*=\s*)(\\?["'])(.*?)(\2)""",
    re.IGNORECASE | re.DOTALL,
)


def redact_html(text: str) -> str:
    """HTML (also inside JSON text) with the values of password and token inputs, and what looks like a secret, hidden."""
    if "<input" in text:
        text = _PASSWORD_INPUT.sub(_hidden_input, text)
    return look(text)


def _hidden_input(found: re.Match[str]) -> str:
    start, quote, value, end = found.groups()
    return f"{start}{quote}{mark_once(value)}{end}"


_ASSIGNMENT = re.compile(
    r"""(?i)\b((?:[\w-]*(?:password|passwd|secret|api_?key|token|sessionid|session_key|csrf\w*|cvv|ssn))["']?\s*[=:]\s*)"""
    r"""("[^"]*"|'[^']*'|[^\s,;&)}\]]+)"""
)


def redact_text(text: str) -> str:
    """Free text (a log message, an exception's message) with ``password=…``, and what looks like a secret, hidden."""
    return look(_ASSIGNMENT.sub(_hidden_assignment, text))


def _hidden_assignment(found: re.Match[str]) -> str:
    start, value = found.groups()
    quote = value[0] if value[0] in "\"'" and value[-1:] == value[0] and len(value) > 1 else ""
    return start + quote + mark_once(value.strip(quote) if quote else value) + quote


def mark_once(value: str) -> str:
    """The mark of a value that may have been hidden already."""
    return value if not value or _MARKED.fullmatch(value) else mark(value)


#: A mark; where a pattern ends at brackets, it is without its last one.
_MARKED = re.compile(r"\[redacted:[0-9a-f]{10}\]?")


_LITERAL = re.compile(r"'(?:[^']|'')*'")


def redact_sql(sql: str, params: str | None, extra: frozenset[str] = frozenset()) -> tuple[str, str | None]:
    """A query and its parameters: both without values when the query names a sensitive column."""
    words = re.findall(r"[A-Za-z_]{3,}", sql[:20_000])
    if any(word in extra or sensitive(word) for word in words):
        return _LITERAL.sub(lambda m: f"'{mark_once(m.group()[1:-1])}'", sql), None if params is None else mark(params)
    return look(sql), params


def redact_address(address: str) -> str:
    """An address or a path with the query values of sensitive names, and what looks like a secret, hidden."""
    path, mark_, query = address.partition("?")
    if not mark_:
        return look(address)
    pairs = []
    for pair in query.split("&"):
        name, equals, value = pair.partition("=")
        pairs.append(f"{name}={mark_once(value)}" if equals and sensitive(name) else pair)
    return look(f"{path}?{'&'.join(pairs)}")


def names(*groups: Iterable[str] | None) -> frozenset[str]:
    """The union of name lists as they stand in settings and classes; what is no string is ignored."""
    out: set[str] = set()
    for group in groups:
        if type(group) in (list, tuple, set, frozenset):
            out.update(n for n in group if type(n) is str)
    return frozenset(out)
