"""Hooks pass on what they are given: also what a later djust adds, and also where the agent errs."""

import asyncio
import inspect
import sys
import types

import pytest
from djust_inspector import guard, hooks, hub, turns
from djust_inspector.hub import HUB

NEW = object()


class Recorder:
    """A function of djust as a later version might have it: whatever it gets it notes, and it returns something odd."""

    def __init__(self, result):
        self.result = result
        self.calls = []

    def function(self, asynchronous):
        if asynchronous:

            async def original(*args, **kwargs):
                self.calls.append((args, kwargs))
                return self.result

        else:

            def original(*args, **kwargs):
                self.calls.append((args, kwargs))
                return self.result

        return original


def every_hook():
    """(path, make, original) of every function that the agent hooks in this djust."""
    found = []

    def note(owner, path, make, why=""):
        original = getattr(owner, path.rsplit(".", 1)[1], None) if owner is not None else None
        if original is not None:
            found.append((path, make, getattr(original, "__func__", original)))
        return original is not None

    callbacks, missing = list(HUB.on_active), list(hooks.missing)
    real, hooks.hook = hooks.hook, note
    try:
        hooks.install_all()
    finally:
        hooks.hook = real
        HUB.on_active[:], hooks.missing[:] = callbacks, missing
    return found


HOOKS = every_hook()


class Odd:
    """An object whose every look fails."""

    def __getattribute__(self, name):
        if name in ("__class__", "__dict__"):
            raise RuntimeError("do not look")
        raise RuntimeError("do not look")

    def __bool__(self):
        raise RuntimeError("do not look")


RESULTS = {"none": lambda: None, "number": lambda: 7, "text": lambda: "text", "odd": Odd, "tuple": tuple}


def test_there_are_hooks():
    assert len(HOOKS) > 30 and {"djust.sse.SSESession.push", "djust.mixins.request.RequestMixin.post"} <= {h[0] for h in HOOKS}


@pytest.mark.parametrize("active", [False, True], ids=["detached", "attached"])
@pytest.mark.parametrize("kind", list(RESULTS))
@pytest.mark.parametrize(("path", "make", "original"), HOOKS, ids=[h[0] for h in HOOKS])
def test_hook_passes_on_everything_once_and_returns_what_came_back(path, make, original, kind, active, monkeypatch):
    result = RESULTS[kind]()
    monkeypatch.setattr(hub, "ACTIVE", active)
    asynchronous = inspect.iscoroutinefunction(original)
    given = [
        (),
        (object(),),
        (Odd(), Odd(), Odd()),
        (types.SimpleNamespace(), "a", {"type": "event"}, 4, 5, 6, 7, 8),
        (types.SimpleNamespace(session_id="s"), None, None, None, None, None, NEW),
    ]
    for args in given:
        for kwargs in ({}, {"new_parameter": NEW, "event_name": Odd()}):
            later = Recorder(result)
            wrapper = make(later.function(asynchronous))
            assert inspect.iscoroutinefunction(wrapper) == asynchronous
            # `__call__` belongs to nobody else: its first parameters are those of ASGI.
            if path.endswith("__call__"):
                args = (object(), {"type": "websocket"}, None, None, *args)
            back = wrapper(*args, **kwargs)
            if asynchronous:
                back = asyncio.run(_awaited(back))
            assert back is result
            assert len(later.calls) == 1
            got_args, got_kwargs = later.calls[0]
            assert len(got_args) == len(args) and all(a is b for a, b in zip(got_args, args)), path
            assert got_kwargs.keys() == kwargs.keys() and all(got_kwargs[k] is kwargs[k] for k in kwargs)
    guard.errors.clear()


async def _awaited(coroutine):
    return await coroutine


@pytest.mark.parametrize(("path", "make", "original"), HOOKS, ids=[h[0] for h in HOOKS])
def test_hook_passes_on_what_djust_raises(path, make, original, monkeypatch):
    monkeypatch.setattr(hub, "ACTIVE", True)
    error = KeyError("djust's own")
    calls = []

    def fails(*args, **kwargs):
        calls.append(1)
        raise error

    async def fails_later(*args, **kwargs):
        fails()

    asynchronous = inspect.iscoroutinefunction(original)
    args = (object(), {"type": "websocket"}, None, None) if path.endswith("__call__") else (object(),)
    wrapper = make(fails_later if asynchronous else fails)
    with pytest.raises(KeyError) as raised:
        back = wrapper(*args)
        if asynchronous:
            asyncio.run(_awaited(back))
    assert raised.value is error and calls == [1]
    guard.errors.clear()


@pytest.mark.parametrize(("path", "make", "original"), HOOKS, ids=[h[0] for h in HOOKS])
def test_function_that_becomes_asynchronous_or_no_longer_is_is_left_alone(path, make, original):
    other = Recorder(None).function(not inspect.iscoroutinefunction(original))
    owner = types.SimpleNamespace(**{path.rsplit(".", 1)[1]: other})
    missing = list(hooks.missing)
    try:
        assert hooks.hook(owner, path, make) is False
        assert getattr(owner, path.rsplit(".", 1)[1]) is other
        assert hooks.missing[-1]["hook"] == path and "in this djust it is" in hooks.missing[-1]["why"]
    finally:
        hooks.missing[:] = missing


def test_error_of_a_look_is_told_and_nothing_else_happens(monkeypatch):
    monkeypatch.setattr(hub, "ACTIVE", True)
    monkeypatch.setattr(turns, "current", lambda *args: 1 / 0)
    later = Recorder("fine")

    async def check():
        begun = turns.around(lambda args, kwargs: 1 / 0)(later.function(True))
        assert await begun(1, two=2) == "fine"

    asyncio.run(check())
    assert later.calls == [((1,), {"two": 2})]
    assert any("ZeroDivisionError" in message for message in guard.errors)
    guard.errors.clear()
    assert sys.exc_info() == (None, None, None)
