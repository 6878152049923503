"""A process that was forked from one with the agent in it starts as if the agent had just been installed.

Only the thread that forked lives on in the child: no event loop serves the parent's inspectors there, no queue is
read, and a lock that another thread held would stay held for ever. So each module that keeps something of that
kind says here how it begins anew.
"""

from __future__ import annotations

import os
from typing import Any, Callable

_clean: list[Callable[[], None]] = []


def in_child(function: Callable[[], None]) -> Callable[[], None]:
    """A decorator: call it in every forked child, in the order in which the modules were loaded."""
    _clean.append(function)
    return function


def renew(owner: Any, name: str, make: Callable[[], Any]) -> None:
    """Let a child have a lock of its own as `owner`'s attribute `name`."""
    _clean.append(lambda: setattr(owner, name, make()))


def _forked() -> None:
    from . import guard  # loaded after this module, which it uses itself

    for function in _clean:
        guard.guarded(function)()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)
