"""djust's own time-travel ring as steps: what happened before the inspector attached.

The ring holds djust's JSON form of the state (see DJUST's ``_capture_snapshot_state``), which has
lost most types; the two tags that it has are turned into the protocol's.
"""

from __future__ import annotations

import json
from collections import deque
from typing import Any

from . import redact
from .hidden import NOTHING, Known
from .sessions import Session, encodable
from .streams import Stream, hidden_names
from .turns import typed_params
from .walker import Walker, own_dict

dumps = json.dumps


def key_of(session: Session, view_id: str | None, snapshot: Any) -> str:
    """The identity of a ring entry; a step recorded live with a ring entry has the same one."""
    ref = snapshot.ref if type(snapshot.ref) is int else ""
    return f"{session.id}/{view_id or ''}/{snapshot.ts!r}/{ref}"


def entries(view: Any) -> tuple[list[Any], int]:
    """The ring's entries, oldest first, and its size."""
    buffer = own_dict(view).get("_time_travel_buffer")
    found = own_dict(buffer).get("_buf") if buffer is not None else None
    if type(found) is not deque:
        return [], 0
    return list(found), found.maxlen or 0


def texts(state: Any, hidden: frozenset[str], known: Known = NOTHING) -> dict[str, str]:
    """A ring entry's state as the texts of typed assigns; components under their ids."""
    version = known.version
    out = _texts(state, hidden, known)
    # A secret may have been met after an assign that shows it.
    return out if version == known.version else _texts(state, hidden, known)


def _texts(state: Any, hidden: frozenset[str], known: Known) -> dict[str, str]:
    walker = _RingWalker(hidden, known=known)
    out: dict[str, str] = {}
    if type(state) is not dict:
        return out
    for name, value in state.items():
        if name != "__components__" and type(name) is str:
            out[name] = walker.named(name, value)
    components = state.get("__components__")
    if type(components) is dict:
        for identity, fields in components.items():
            if type(identity) is str and type(fields) is dict:
                out[identity] = '{"$t":"component","class":null,"id":%s,"v":%s}' % (
                    dumps(identity),
                    walker.clean(fields),
                )
    return out


class _RingWalker(Walker):
    """Reads djust's own tags as what they mean."""

    def text(self, value: Any, depth: int = 0) -> str:
        if type(value) is dict:
            number = value.get("__djust_decimal__")
            if type(number) is str and len(value) == 1:
                if self._looking and self._is_secret(number):
                    return self._redacted(number)
                return '{"$t":"decimal","v":%s}' % encodable(number)
            name = value.get("__djust_component__")
            if type(name) is str:
                return '{"$t":"component","class":%s,"id":null,"v":%s}' % (
                    encodable(name),
                    super().text(value.get("state"), depth),
                )
        return super().text(value, depth)


def status_of(error: Any) -> str:
    """The step status of a ring entry. djust says ``permission_denied`` for everything that it refused."""
    if error is None:
        return "ok"
    if error == "validation_failed":
        return "invalid"
    if error == "permission_denied":
        return "refused"
    return "raised"


def steps(session: Session, view_id: str | None, view: Any) -> list[str]:
    """The bodies of ``step`` frames for the whole ring of a view, oldest first.

    Without a step that is still to be told: the ring's entry has the same key and much less, and would stand in its place.
    """
    hidden = hidden_names(view)
    stream = Stream()
    stream.next_rev = 1  # older than anything live
    out = []
    for snapshot in entries(view)[0]:
        key = key_of(session, view_id, snapshot)
        if key in session.open_keys:
            continue
        before = stream.commit(texts(snapshot.state_before, hidden, session.known))
        after = stream.commit(texts(snapshot.state_after, hidden, session.known))
        params = snapshot.params if type(snapshot.params) is dict else {}
        component = params.get("component_id")
        status = status_of(snapshot.error)
        error = "null"
        if snapshot.error is not None:
            message = session.known.hide(redact.redact_text(str(snapshot.error)[:20_000], session.known))
            error = '{"type":"","message":%s,"traceback":null}' % encodable(message)
        raw = json.dumps(redact.redact_json(params, hidden, session.known), ensure_ascii=False, default=str)
        out.append(
            '"key":%s,"session":%s,"view":%s,"component":%s,"kind":"event","name":%s,"params":%s,"raw":%s,"ref":%s,'
            '"started":%.6f,"ms":0.0,"timing":null,"before":%s,"after":%s,"status":"%s","error":%s,"cause":null,'
            '"sql":[],"logs":[],"frames":[],"html":null,"history":true'
            % (
                dumps(key),
                dumps(session.id),
                dumps(view_id),
                dumps(component if type(component) is str else None),
                encodable(str(snapshot.event_name)),
                typed_params(params, hidden, session.known),
                encodable(session.known.hide_json(raw)),
                dumps(snapshot.ref if type(snapshot.ref) is int else None),
                snapshot.ts,
                before,
                after,
                status,
                error,
            )
        )
    return out


def ring(session: Session, view: Any) -> str:
    """The result of the command ``ring``."""
    known = session.known
    hidden = hidden_names(view)
    found, size = entries(view)
    listed = []
    for snapshot in found:
        params = snapshot.params if type(snapshot.params) is dict else {}
        listed.append(
            '{"event":%s,"ts":%.6f,"ref":%s,"params":%s,"error":%s,"before":%s,"after":%s}'
            % (
                encodable(str(snapshot.event_name)),
                snapshot.ts,
                dumps(snapshot.ref if type(snapshot.ref) is int else None),
                typed_params(params, hidden, known),
                "null" if snapshot.error is None else encodable(known.hide(redact.redact_text(str(snapshot.error)[:20_000], known))),
                _whole(snapshot.state_before, hidden, known),
                _whole(snapshot.state_after, hidden, known),
            )
        )
    return '{"entries":[%s],"max":%d}' % (",".join(listed), size)


def _whole(state: Any, hidden: frozenset[str], known: Known) -> str:
    from .streams import join

    return join(texts(state, hidden, known))
