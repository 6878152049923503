"""Who changed a view's state where no step did.

While an inspector is attached, ``LiveView.__setattr__`` notes the last write of each assign that is not
made by the handler whose step is being recorded: by a render, a task, a thread, another view. When a
step then finds another state than the one before it, `explain` says for each changed assign what was
seen, and how far that can be relied on. Values are never looked into, only which object they are.
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
import time
from typing import Any

from . import guard, sessions
from .streams import public_assigns
from .turns import CURRENT, Turn
from .walker import _class_dict, _class_mro, own_dict

#: Assigns of one view whose writes are kept between two looks.
_MAX_WRITES = 500
#: Pages whose objects are compared with a changed one.
_MAX_PAGES = 200
#: Calls that are looked through for the project's own code.
_MAX_CALLS = 25

_SHAREABLE = (list, dict, set, bytearray)
_HERE = os.path.dirname(os.path.abspath(__file__)) + os.sep
_live_view: Any = None
_DJUST = os.sep + "djust" + os.sep


class Write:
    """One assign was set: by which turn, where in the code, and in which task or thread."""

    __slots__ = ("at", "began", "inside", "rendering", "runs", "turn", "where")

    def __init__(self, turn: Turn | None, rendering: bool) -> None:
        self.at = time.time()
        self.turn = turn
        self.inside = turn is not None and not turn.closed
        self.rendering = rendering
        self.where = _place()
        self.runs = None if self.inside else _runs()
        self.began = None if self.inside else CURRENT.began()


# -- watching


def watch(active: bool) -> None:
    """Note writes from now on, or no longer. While nobody is attached the class is as djust made it."""
    global _live_view
    module = sys.modules.get("djust.live_view")
    cls = _live_view or getattr(module, "LiveView", None)
    if cls is None:
        return
    _live_view = cls
    mine = getattr(_class_dict(cls).get("__setattr__"), "_djust_inspector", False)
    if active and not mine and "__setattr__" not in _class_dict(cls):
        cls.__setattr__ = _make_setattr(cls)
    elif not active and mine:
        del cls.__setattr__


def _make_setattr(cls: type) -> Any:
    get = CURRENT.get

    def __setattr__(self: Any, name: str, value: Any) -> None:
        turn = get()
        if (
            turn is None or turn.view is not self or turn.before is None or turn.after is not None or turn.closed
        ) and (name[:1] != "_" or name[:7] == "_state_"):
            _written(self, name, value, turn)
        super(cls, self).__setattr__(name, value)  # type: ignore[misc]

    __setattr__._djust_inspector = True  # type: ignore[attr-defined]
    return __setattr__


@guard.guarded
def _written(view: Any, name: str, value: Any, turn: Turn | None) -> None:
    fields = own_dict(view)
    if turn is not None and not turn.closed and (turn.fresh or turn.session is None):
        return
    if fields.get(name, fields) is value:
        return
    session = _session_of(view, fields)
    if session is None:
        return
    stream = session.streams.get(session.id_of(view))
    if stream is None or stream.rev is None:
        return
    name = name[7:] if name[:7] == "_state_" else name
    if name in stream.writes or len(stream.writes) < _MAX_WRITES:
        stream.writes[name] = Write(turn, turn is not None and turn.view is view and turn.after is not None)


def _session_of(view: Any, fields: dict[str, Any]) -> sessions.Session | None:
    for _ in range(8):
        consumer = fields.get("_ws_consumer")
        if consumer is not None:
            return own_dict(consumer).get("_djust_inspector") or None
        parent = fields.get("_parent_view")
        if parent is None:
            return None
        fields = own_dict(parent)
    return None


def _place() -> str | None:
    """``views.py:12 in refresh``: the nearest call outside of the agent and djust, else the nearest one outside of the agent."""
    frame = sys._getframe(1)
    nearest = None
    for _ in range(_MAX_CALLS):
        if frame is None:
            break
        file = frame.f_code.co_filename
        if not file.startswith(_HERE):
            if _DJUST not in file and "asgiref" not in file and "<" not in file:
                return _described(frame)
            nearest = nearest or _described(frame)
        frame = frame.f_back  # type: ignore[assignment]
    return nearest


def _described(frame: Any) -> str:
    file = frame.f_code.co_filename
    parts = file.replace(os.sep, "/").rsplit("/", 3)
    return "%s:%d in %s" % ("/".join(parts[-2:]), frame.f_lineno, frame.f_code.co_name)


def _runs() -> str:
    """What is running here, outside of any step."""
    try:
        task = asyncio.current_task()
    except RuntimeError:
        task = None
    if task is not None:
        return "task " + str(getattr(task.get_coro(), "__qualname__", None) or task.get_name())
    return "thread " + threading.current_thread().name


# -- explaining


def explain(turn: Turn, session: sessions.Session) -> list[dict[str, Any]]:
    """What may have changed the assigns that are not as the last step left them; the same cause once, with all its names."""
    stream = session.stream(turn.view_id)
    old, new = stream.texts, turn.before or {}
    temporary = sessions.class_attribute(turn.view, "temporary_assigns") or ()
    names = [name for name in {**old, **new} if old.get(name) != new.get(name) and name not in temporary]
    live = public_assigns(turn.view)
    out: dict[str, dict[str, Any]] = {}
    for name in names[:_MAX_WRITES]:
        found = _by_write(turn, session, turn.writes.get(name))
        found = found or _by_queryset(stream, old.get(name), new.get(name))
        found = found or _by_sharing(turn, session, name, live.get(name), new.get(name))
        found = found or _by_work(session) or _by_module(turn.view, live.get(name)) or _by_message(session, stream)
        if found is not None:
            known = out.setdefault(repr(sorted((k, v) for k, v in found.items() if k != "at")), {**found, "names": []})
            known["names"].append(name)
    return list(out.values())


def _evidence(by: str, sure: str, **more: Any) -> dict[str, Any]:
    return {"by": by, "sure": sure, **{k: v for k, v in more.items() if v is not None}}


def _by_write(turn: Turn, session: sessions.Session, write: Write | None) -> dict[str, Any] | None:
    if write is None:
        return None
    writer = write.turn
    more: dict[str, Any] = {"where": write.where, "at": write.at}
    if writer is None or not write.inside:
        return _evidence("task", "certain", what=write.runs, step=write.began, **more)
    if writer is turn:
        return _evidence("early", "certain", **more)
    more["step"] = _key(writer)
    if writer.page != session.id:
        return _evidence("page", "certain", session=writer.page, **more)
    if writer.kind == "async":
        return _evidence("work", "certain", what=writer.name, **more)
    if writer.kind is None or (writer.kind == "message" and not writer.published) or (writer.view is None and not writer.reached and not write.rendering):
        # No step, or one whose handler was never reached: something between the browser and the handler did it.
        return _evidence("message", "certain", what=writer.name, **more)
    return _evidence("render" if write.rendering else "view", "certain", **more)


def _key(turn: Turn) -> str | None:
    """The key of a turn's step. Background work that still runs gets its own now; an event's may come from djust's ring."""
    if turn.key is None and turn.kind == "async" and not turn.closed:
        from .hub import HUB

        turn.key = HUB.next_key()
    return turn.key


def _by_queryset(stream: Any, old: str | None, new: str | None) -> dict[str, Any] | None:
    start = '{"$t":"queryset"'
    if not (old or "").startswith(start) or not (new or "").startswith(start):
        return None
    if '"evaluated":false' in old[:400] and '"evaluated":true' in new[:400]:  # type: ignore[index]
        return _evidence("queryset", "likely", step=stream.last_key)
    return None


def _shareable(value: Any) -> bool:
    """Whether it can be changed without being assigned anew."""
    return any(base in _SHAREABLE for base in _class_mro(type(value)))


def _by_sharing(turn: Turn, session: sessions.Session, name: str, value: Any, text: str | None) -> dict[str, Any] | None:
    """Another view that holds the very same object, and its step that changed it since the last look here."""
    if not _shareable(value):
        return None
    since = session.stream(turn.view_id).looked
    best = None
    for other in [session, *sessions.recorded()[-_MAX_PAGES:]]:
        for view_id, view in other.views().items():
            if view is turn.view:
                continue
            for theirs, held in public_assigns(view).items():
                if held is not value:
                    continue
                stream = other.streams.get(view_id)
                touched = stream.touched.get(theirs) if stream is not None else None
                if touched is not None and touched[1] >= since:
                    sure = "certain" if stream.texts.get(theirs) == text else "likely"  # type: ignore[union-attr]
                    found = _evidence("shared", sure, session=other.id, step=touched[0], what=theirs)
                    if sure == "certain":
                        return found
                    best = found
                elif best is None:
                    best = _evidence("shared", "guess", session=other.id, what=theirs)
    # Who changed it is not known: what is known of where it lives says more than who else holds it.
    return best if best is None or "step" in best else _by_module(turn.view, value) or best


def _by_work(session: sessions.Session) -> dict[str, Any] | None:
    for work in list(session.running):
        return _evidence("work", "likely", what=work.name, step=_key(work))
    return None


def _by_module(view: Any, value: Any) -> dict[str, Any] | None:
    """The module or class that holds the very same object."""
    if not _shareable(value):
        return None
    for cls in _class_mro(type(view)):
        for name, held in list(_class_dict(cls).items()):
            if held is value:
                return _evidence("global", "likely", what=f"{cls.__qualname__}.{name}")
        module = sys.modules.get(_class_dict(cls).get("__module__") or "")
        if module is None or (module.__name__ or "").split(".")[0] in ("djust", "builtins"):
            continue
        for name, held in list(vars(module).items()):
            if held is value:
                return _evidence("global", "likely", what=f"{module.__name__}.{name}")
    return None


def _by_message(session: sessions.Session, stream: Any) -> dict[str, Any] | None:
    message = session.message
    if message is not None and message[1] >= stream.looked:
        return _evidence("message", "guess", what=message[0], at=message[1])
    return None
