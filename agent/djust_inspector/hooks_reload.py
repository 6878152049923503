"""Hooks of hot reload and hot view replacement (HVR): the file that changed, and what each page made of it."""

from __future__ import annotations

import time
from typing import Any

from . import guard, hub, sessions, turns
from .turns import CURRENT, Turn, current

#: Keys of the latest file changes: by reload id, and by path with the time.
_reloads: dict[str, tuple[str, float]] = {}


def make_hotreload(original: Any) -> Any:
    async def hotreload(self: Any, event: Any, *args: Any, **kwargs: Any) -> Any:
        turn = _begin_hotreload(self, event) if hub.ACTIVE else None
        if turn is None:
            return await original(self, event, *args, **kwargs)
        token = CURRENT.set(turn)
        error = None
        try:
            return await original(self, event, *args, **kwargs)
        except BaseException as raised:
            error = raised
            raise
        finally:
            CURRENT.reset(token)
            _end_hotreload(turn)
            turns.finish(turn, error)

    return hotreload


@guard.guarded
def _begin_hotreload(consumer: Any, event: Any) -> Turn | None:
    session = sessions.begin(consumer)
    if session is None:
        return None
    meta = event.get("hvr_meta") if type(event) is dict else None
    meta = meta if type(meta) is dict else {}
    path = str(event.get("file", "")) if type(event) is dict else ""
    turn = Turn(session, "hvr" if meta else "hot_reload", path.rsplit("/", 1)[-1])
    key = reload_key(path, meta.get("reload_id"), meta.get("module"), meta.get("class_names"))
    turn.cause = {"reload": key, "file": path, "result": "nothing", "reason": None}
    turn.look_before(session.root)
    return turn


@guard.guarded
def _end_hotreload(turn: Turn) -> None:
    cause = turn.cause or {}
    if turn.swap is not None and not turn.swap[0]:
        cause["result"], cause["reason"] = "refused", turn.swap[1]
        turn.status = "refused"
        turn.error = {"type": "hvr", "message": f"the new class cannot take over: {turn.swap[1]}", "traceback": None}
    elif turn.swap is not None and turn.swap[2]:
        cause["result"] = "swapped"
        if "patch" in turn.sent:
            cause["reason"] = "and the page was patched"
    elif "reload" in turn.sent:
        cause["result"] = "reloaded"
        if turn.session is not None and turn.session.root is None:
            cause["reason"] = "no view is mounted"
    elif "patch" in turn.sent or "html_update" in turn.sent:
        cause["result"] = "patched"
    else:
        cause["result"] = "nothing"
        if turn.kind == "hvr":
            cause["reason"] = "this page uses none of the changed classes"


def make_class_swap(original: Any) -> Any:
    def apply_class_swap(view_instance: Any, class_pairs: Any, *args: Any, **kwargs: Any) -> Any:
        turn = current() if hub.ACTIVE else None
        if turn is None:
            return original(view_instance, class_pairs, *args, **kwargs)
        before = type(view_instance)
        turn.swap_depth += 1
        try:
            result = original(view_instance, class_pairs, *args, **kwargs)
        finally:
            turn.swap_depth -= 1
        _swapped(turn, before is not type(view_instance), result)
        return result

    return apply_class_swap


@guard.guarded
def _swapped(turn: Turn, changed: bool, result: Any) -> None:
    # A call for a child comes before the one for the page, which is the last and decides.
    earlier = turn.swap is not None and turn.swap[2]
    turn.swap = (bool(result[0]), str(result[1]), changed or earlier)


def make_reload_module(original: Any) -> Any:
    def reload_module_if_liveview(path: Any, *args: Any, **kwargs: Any) -> Any:
        if not hub.ACTIVE:
            return original(path, *args, **kwargs)
        turn = Turn(None, "reload", str(path).rsplit("/", 1)[-1])
        token = CURRENT.set(turn)
        try:
            result = original(path, *args, **kwargs)
        finally:
            CURRENT.reset(token)
        _reloaded(turn, str(path), result)
        return result

    return reload_module_if_liveview


@guard.guarded
def _reloaded(turn: Turn, path: str, result: Any) -> None:
    failed = turn.log_error
    if result is None and failed is None:
        turn.closed = True  # a module without views: the broadcast that follows tells of it
        return
    classes = [getattr(pair[1], "__qualname__", "?") for pair in getattr(result, "class_pairs", None) or []]
    reload_id = getattr(result, "reload_id", None)
    turn.cause = {
        "file": path,
        "kind": "python",
        "module": getattr(result, "module_name", None),
        "classes": classes,
        "reload_id": reload_id,
    }
    if failed is not None and result is None:
        turn.status, turn.error = "failed", failed
    turn.key = hub.HUB.next_key()
    _remember(reload_id or path, turn.key)
    turns.finish(turn)


def _remember(name: str, key: str) -> None:
    if len(_reloads) > 500:
        _reloads.clear()
    _reloads[name] = (key, time.monotonic())


def reload_key(path: str, reload_id: Any = None, module: Any = None, classes: Any = None) -> str:
    """The key of the ``reload`` step of a changed file, sent now if it was not yet."""
    name = reload_id if type(reload_id) is str else path
    known = _reloads.get(name)
    if known is not None and (type(reload_id) is str or time.monotonic() - known[1] < 2.0):
        return known[0]
    kind = "python" if path.endswith(".py") else "template" if path.endswith((".html", ".htm")) else "static"
    turn = Turn(None, "reload", path.rsplit("/", 1)[-1])
    turn.cause = {
        "file": path,
        "kind": kind,
        "module": module if type(module) is str else None,
        "classes": [c for c in classes if type(c) is str] if type(classes) is list else [],
        "reload_id": reload_id if type(reload_id) is str else None,
    }
    turn.key = hub.HUB.next_key()
    _remember(name, turn.key)
    turns.finish(turn)
    return turn.key


def make_broadcast_reload(original: Any) -> Any:
    function = original.__func__

    async def broadcast_reload(cls: Any, file_path: Any, *args: Any, **kwargs: Any) -> Any:
        if hub.ACTIVE:
            guard.guarded(reload_key)(str(file_path))
        return await function(cls, file_path, *args, **kwargs)

    return broadcast_reload


def forget() -> None:
    """Forget the file changes: nobody was told of them."""
    _reloads.clear()
