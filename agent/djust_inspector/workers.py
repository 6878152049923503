"""How many processes serve this address, and why an attachment may see only one of them.

They are counted where that is certain: the children of this process's parent that hold a listening socket of this
process, as the workers of uvicorn and gunicorn do. On another system than Linux, or with workers on several machines,
nothing is known, and nothing is said.
"""

from __future__ import annotations

import os
import time
from typing import Any

from . import listening
from .relay import RELAY, shared_layer

#: Seconds for which a count holds.
_HOLDS = 3.0
_counted: tuple[float, int | None] = (-1e9, None)


def describe() -> dict[str, Any]:
    """The ``workers`` of SERVER."""
    shared = shared_layer()
    why = None
    if not shared:
        why = "Its channel layer does not reach other processes: configure a shared one, such as channels_redis"
    elif RELAY.failed:
        why = "Its channel layer does not answer, so workers cannot reach each other: see the server's log"
    return {"shared": shared, "all": count(), "why": why}


def count() -> int | None:
    """Processes that listen where this one does, itself included; ``None`` where that cannot be told."""
    global _counted
    now = time.monotonic()
    if now - _counted[0] > _HOLDS:
        try:
            _counted = (now, _count())
        except OSError:
            _counted = (now, None)
    return _counted[1]


def _count() -> int | None:
    mine = listening.sockets_of("self") & _inodes()
    if not mine:
        return None
    with open(f"/proc/{os.getppid()}/task/{os.getppid()}/children", encoding="ascii") as file:
        siblings = [pid for pid in file.read().split() if pid != str(os.getpid())]
    return 1 + sum(1 for pid in siblings if _shares(pid, mine))


def _shares(pid: str, sockets: set[str]) -> bool:
    try:
        return bool(listening.sockets_of(pid) & sockets)
    except OSError:  # it has ended, or is another user's
        return False


def _inodes() -> set[str]:
    """The inodes of all sockets that listen here, on TCP or a path."""
    found = {inode for inode, _, _ in listening.on_tcp()}
    try:
        with open("/proc/self/net/unix", encoding="utf-8", errors="replace") as lines:
            for fields in map(str.split, lines):
                if len(fields) > 6 and fields[3] == "00010000":  # __SO_ACCEPTCON
                    found.add(fields[6])
    except OSError:
        pass
    return found
