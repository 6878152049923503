"""Secrets in the attributes of HTML's tags: by the name of the attribute, or of the field that a tag describes."""

from __future__ import annotations

import re

from . import redact

_TAG = re.compile(r"""<[A-Za-z](?:[^<>"']|"[^"]*"|'[^']*')*>""")
ATTRIBUTE = re.compile(r"""([^\s"'<>/=]+)(\s*=\s*)("[^"]*"|'[^']*'|[^\s"'>]+)""")
_ESCAPED_ASSIGNMENT = re.compile(
    r"(?i)([\w-]*(?:password|passwd|secret|api_?key|token|sessionid|session_key|csrf\w*)(?:&quot;|&#0?39;|&#x27;)"
    r"\s*:\s*(?:&quot;|&#0?39;|&#x27;))(.*?)(&quot;|&#0?39;|&#x27;)"
)


def clean_tags(text: str) -> str:
    """HTML with the secrets in its tags hidden; the same object when no name in it could be one's."""
    return _TAG.sub(_clean_tag, text) if redact.hints(text) else text


def _clean_tag(match: re.Match[str]) -> str:
    tag = match.group()
    if not redact.hints(tag):
        return tag
    name = next((unquoted(a.group(3)) for a in ATTRIBUTE.finditer(tag) if a.group(1).lower() == "name"), "")
    hidden = redact.sensitive(name)

    def attribute(found: re.Match[str]) -> str:
        key, equals, value = found.groups()
        if redact.sensitive(key) or (hidden and key.lower() in ("content", "value")):
            return f'{key}{equals}"{redact.mark_once(unquoted(value))}"'
        quote = value[0] if value[0] in "\"'" else ""
        shown = redact.redact_text(_ESCAPED_ASSIGNMENT.sub(_escaped, unquoted(value)))
        return f"{key}{equals}{quote}{shown}{quote}"

    return ATTRIBUTE.sub(attribute, tag)


def _escaped(found: re.Match[str]) -> str:
    start, value, end = found.groups()
    return start + redact.mark_once(value) + end


def unquoted(value: str) -> str:
    return value[1:-1] if value[:1] in ("'", '"') else value
