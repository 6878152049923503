"""Hooks of hot reload and hot view replacement (HVR): the file that changed, and what each page made of it."""

from __future__ import annotations

import time
from typing import Any

from . import guard, hub, sessions, turns
from .guard import argument
from .turns import CURRENT, Turn, current

#: Keys of the latest file changes: by reload id, and by path with the time.
_reloads: dict[str, tuple[str, float]] = {}


def make_hotreload(original: Any) -> Any:
    return turns.around(_begin_hotreload, _end_hotreload)(original)


def _begin_hotreload(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Turn | None:
    session = sessions.begin(argument(args, kwargs, 0, "self"))
    if session is None:
        return None
    event = argument(args, kwargs, 1, "event")
    meta = event.get("hvr_meta") if type(event) is dict else None
    meta = meta if type(meta) is dict else {}
    path = str(event.get("file", "")) if type(event) is dict else ""
    turn = Turn(session, "hvr" if meta else "hot_reload", path.rsplit("/", 1)[-1])
    key = reload_key(path, meta.get("reload_id"), meta.get("module"), meta.get("class_names"))
    turn.cause = {"reload": key, "file": path, "result": "nothing", "reason": None}
    turn.look_before(session.root)
    return turn


def _end_hotreload(turn: Turn, error: BaseException | None) -> None:
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
    def apply_class_swap(*args: Any, **kwargs: Any) -> Any:
        turn = current() if hub.ACTIVE else None
        if turn is None:
            return original(*args, **kwargs)
        view = argument(args, kwargs, 0, "view_instance")
        before = type(view)
        turn.swap_depth += 1
        try:
            result = original(*args, **kwargs)
        finally:
            turn.swap_depth -= 1
        _swapped(turn, before is not type(view), result)
        return result

    return apply_class_swap


@guard.guarded
def _swapped(turn: Turn, changed: bool, result: Any) -> None:
    # A call for a child comes before the one for the page, which is the last and decides.
    earlier = turn.swap is not None and turn.swap[2]
    turn.swap = (bool(result[0]), str(result[1]), changed or earlier)


def make_reload_module(original: Any) -> Any:
    def reload_module_if_liveview(*args: Any, **kwargs: Any) -> Any:
        turn = _begin_reload(args, kwargs) if hub.ACTIVE else None
        if turn is None:
            return original(*args, **kwargs)
        token = CURRENT.set(turn)
        try:
            result = original(*args, **kwargs)
        finally:
            CURRENT.reset(token)
        _reloaded(turn, str(argument(args, kwargs, 0, "file_path")), result)
        return result

    return reload_module_if_liveview


@turns.begins
def _begin_reload(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Turn:
    return Turn(None, "reload", str(argument(args, kwargs, 0, "file_path")).rsplit("/", 1)[-1])


@guard.guarded
def _reloaded(turn: Turn, path: str, result: Any) -> None:
    failed = turn.log_error
    if result is None and failed is None:
        turn.close()  # a module without views: the broadcast that follows tells of it
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
    async def broadcast_reload(*args: Any, **kwargs: Any) -> Any:
        if hub.ACTIVE:
            guard.guarded(_broadcast)(args, kwargs)
        return await original(*args, **kwargs)

    return broadcast_reload


def _broadcast(args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    reload_key(str(argument(args, kwargs, 1, "file_path")))


def forget() -> None:
    """Forget the file changes: nobody was told of them."""
    _reloads.clear()
