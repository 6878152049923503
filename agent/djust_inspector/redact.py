"""What is hidden in texts, JSON, HTML and SQL, by name and by how it looks.

``None`` and booleans stay visible, because ``show_password = False`` is state that a developer needs and no
secret. Typed values are hidden by the walker, by the same rules. What was hidden is said so, with a pseudonym
(``hidden.py``); how a secret looks is in ``patterns.py``, which names are a secret's in ``names.py``, and how a text names
its values in ``markup.py``. Whatever a name makes a secret here is learnt by the page's `Known`.
"""

from __future__ import annotations

import json
import re
from typing import Any, Iterable
from urllib.parse import unquote

from . import markup, options, patterns
from .hidden import NOTHING, Known, mark, pseudonym
from .markup import MARKED
from .names import DJUST_OWN, HOLDING, LEADING, NAMING, PAIRS, WORDS, hints, lower, sensitive

__all__ = ["PAIRS", "WORDS", "sensitive"]


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


def redact_text(text: str, known: Known = NOTHING) -> str:
    """Free text (a log message, an exception's message) with ``password=…``, and what looks like a secret, hidden."""
    return look(_without_named(text, hints(lower(text)), known, free=True))


def redact_value(text: str, known: Known = NOTHING) -> str:
    """Any other text (HTML, a value, an address in it) with the values that it names, and what looks like a secret, hidden."""
    return look(_without_named(text, hints(lower(text)), known, free=False))


def names_secrets(text: str) -> bool:
    """Whether an encoded state has a text in it that names a secret's value."""
    # Between a name and its value stands one of these. In most states only JSON's own colons are there, after quotes.
    if "=" not in text and '\\"' not in text and text.count(":") == text.count('":'):
        return False
    found = hints(lower(text))
    return bool(found) and bool(markup.named(text, found, free=False))


def _without_named(text: str, found: list[str], known: Known, free: bool) -> str:
    spans = markup.named(text, found, free) if found else []
    if not spans:
        return text
    out, at = [], 0
    for start, end, several in spans:
        value = text[start:end]
        if known is not NOTHING:
            _learn_text(known, value, several)
        out += text[at:start], mark_once(value)
        at = end
    return "".join([*out, text[at:]])


def _learn_text(known: Known, value: str, several: bool) -> None:
    known.learn_text(value)
    if several:  # cookies, or a scheme and what follows
        for part in re.split(r"[;,\s]+", value[:20_000])[:50]:
            known.learn_text(part.partition("=")[2] if "=" in part.rstrip("=") else part)


def redact_json(value: Any, extra: frozenset[str] = frozenset(), known: Known = NOTHING) -> Any:
    """A copy of parsed JSON with the values of sensitive names, and what looks like a secret, hidden.

    A form event names its field beside the value (``{"field": "password", "value": "…"}``), and so does a patch that
    sets an attribute; such values are hidden too. What was hidden by its name is learnt by `known`.
    """
    kind = type(value)
    if kind is dict:
        held = describes_secret(value, extra)
        out = {}
        for key, item in value.items():
            named = type(key) is str and (key in extra or sensitive(key) or (held and key in HOLDING))
            # djust's own protocol uses a few of these names for what is no secret.
            if named and not (key in DJUST_OWN and type(item) in (int, str)) and not _is_visible(item):
                out[key] = hide_json_value(item, known)
            elif held and key == "children" and type(item) is list:
                out[key] = _hide_texts(item, extra, known)
            else:
                out[_shown(key, known) if type(key) is str else key] = redact_json(item, extra, known)
        return out
    if kind is list:
        if len(value) == 2 and is_pair(*value):
            return [value[0], hide_json_value(value[1], known)]  # a header, or an item of a dict
        return [redact_json(item, extra, known) for item in value]
    if kind is str:
        return _shown(value, known)
    if (kind is int or kind is float) and value > 10**12 and looks_secret(repr(value)):
        return {"$t": "redacted", "of": kind.__name__, "as": pseudonym(repr(value))}
    return value


def is_pair(name: Any, value: Any) -> bool:
    """Whether two things in a row are a secret's name and its value: a header, an item of a dict. Not a list of names."""
    if type(name) is bytes:
        name = name.decode("latin-1")
    if type(name) is not str or not sensitive(name):
        return False
    return type(value) is bytes or (type(value) is str and not value.isidentifier())


def _shown(text: str, known: Known) -> str:
    if len(text) < 8:
        return text
    return redact_value(text, known)


def _is_visible(item: Any) -> bool:
    return item is None or type(item) is bool


def describes_secret(value: dict[Any, Any], extra: frozenset[str] = frozenset()) -> bool:
    """Whether a member says that the value beside it is a secret's: a field's or an attribute's name, or a node's."""
    for key, item in value.items():
        if type(item) is str and key in NAMING and (item in extra or sensitive(item)):
            return True
    attrs = value.get("attrs")
    return type(attrs) is dict and value.get("tag") in ("textarea", "output") and describes_secret(attrs, extra)


def hide_json_value(item: Any, known: Known = NOTHING) -> dict[str, str]:
    """What stands in place of a value of parsed JSON."""
    if known is not NOTHING:
        known.learn(item)
    shown = item if type(item) is str else json.dumps(item, default=str)
    return {"$t": "redacted", "of": type(item).__name__, "as": pseudonym(shown)}


def _hide_texts(nodes: list[Any], extra: frozenset[str], known: Known) -> list[Any]:
    """The nodes of a field's text, their texts hidden."""
    out = []
    for node in nodes:
        if type(node) is dict and type(node.get("text")) is str and node["text"]:
            if known is not NOTHING:
                known.learn(node["text"])
            node = {**node, "text": mark_once(node["text"])}
        out.append(redact_json(node, extra, known))
    return out


def redact_frame(text: str, extra: frozenset[str] = frozenset(), known: Known = NOTHING) -> str:
    """A WebSocket frame with sensitive values hidden; the same object when there are none.

    Most frames name nothing sensitive, so a search comes before the parse. What is not JSON is
    taken as free text.
    """
    low = lower(text)
    if _hides_nothing(text, low, hints(low), extra):
        return look(text)
    try:
        parsed = json.loads(text)
    except (ValueError, RecursionError):
        return redact_text(text, known)
    clean = redact_json(parsed, extra, known)
    return text if clean == parsed else json.dumps(clean, ensure_ascii=False, separators=(",", ":"))


def _hides_nothing(text: str, low: str, found: list[str], extra: frozenset[str]) -> bool:
    """Whether no name in a JSON text can be sensitive. False where only parsing could tell."""
    if any(name in text for name in extra):
        return False
    for hint in found:
        at, left = low.find(hint), markup.MOST_PLACES
        while at >= 0:
            # The string around the hint, or the piece of it between escaped quotes; of a long one what is near.
            start = text.rfind('"', max(0, at - 200), at) + 1 or max(0, at - 200)
            end = text.find('"', at, at + 200)
            end = end if end >= 0 else min(len(text), at + 200)
            left -= 1
            if left < 0 or sensitive(text[max(start, at - 100) : min(end, at + 100)]):
                return False
            at = low.find(hint, max(at + len(hint), min(end, at + 100)))
    return True


def mark_once(value: str) -> str:
    """The mark of a value that may have been hidden already."""
    return value if not value or MARKED.fullmatch(value) else mark(value)


_LITERAL = re.compile(r"'(?:[^']|'')*'")


def redact_sql(sql: str, params: str | None, extra: frozenset[str] = frozenset()) -> tuple[str, str | None]:
    """A query and its parameters: both without values when the query names a sensitive column."""
    words = re.findall(r"[A-Za-z_]{3,}", sql[:20_000])
    if any(word in extra or sensitive(word) for word in words):
        return _LITERAL.sub(lambda m: f"'{mark_once(m.group()[1:-1])}'", sql), None if params is None else mark(params)
    return look(sql), params


def redact_address(address: str, known: Known = NOTHING) -> str:
    """An address or a path with the secrets in its query and its steps, and what looks like one, hidden."""
    path, *rest = re.split("([?#])", address, maxsplit=2)
    out = [_without_steps(path, known)]
    for part in rest:
        pairs = []
        for pair in part.split("&"):
            name, equals, value = pair.partition("=")
            if equals and value and sensitive(unquote(name)) and value.lower() not in ("true", "false", "null"):
                if known is not NOTHING:
                    known.learn_text(value)
                pair = f"{name}={mark_once(value)}"
            pairs.append(pair)
        out.append("&".join(pairs))
    return look("".join(out))


def _without_steps(path: str, known: Known) -> str:
    """A path without the secrets that follow a word such as ``reset`` or ``token``."""
    steps, led = path.split("/"), False
    for place, step in enumerate(steps[:200]):
        if led and len(step) >= 8 and any(c.isdigit() for c in step) and any(c.isalpha() for c in step) and "[redacted" not in step:
            known.learn_text(step)
            steps[place] = mark(step)
        led = led or step.lower() in LEADING or (bool(step) and sensitive(step))
    return "/".join(steps)


def learn_headers(headers: Any, known: Known) -> None:
    """What a page's request brought along in headers with a secret's name is one."""
    for pair in list(headers or ())[:200]:
        if len(pair) == 2 and all(type(part) is bytes for part in pair):
            name, value = (part.decode("latin-1") for part in pair)
            if sensitive(name):
                _learn_text(known, value[:20_000], several=True)


def names(*groups: Iterable[str] | None) -> frozenset[str]:
    """The union of name lists as they stand in settings and classes; what is no string is ignored."""
    out: set[str] = set()
    for group in groups:
        if type(group) in (list, tuple, set, frozenset):
            out.update(n for n in group if type(n) is str)
    return frozenset(out)
