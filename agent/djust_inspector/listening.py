"""Which address this process listens on, noticed when it begins to.

``socket.socket.listen`` is wrapped early (asyncio's and Twisted's servers call it); for servers that
listen without Python's socket (uvloop) the process's own listening sockets are looked up in
``/proc``. This module imports nothing of Django or djust: it also runs in processes that never will.
"""

from __future__ import annotations

import os
import socket
import sys
import threading
from typing import Any, Callable

from . import forks

_lock = threading.Lock()
forks.renew(sys.modules[__name__], "_lock", threading.Lock)
_watching = False
#: (host, port) in the order in which they were found.
addresses: list[tuple[str, int]] = []
#: Called after a new address was found.
on_address: list[Callable[[], None]] = []


def watch() -> None:
    """Wrap ``socket.socket.listen``. Safe to call again."""
    global _watching
    with _lock:
        if _watching:
            return
        _watching = True
    original = socket.socket.listen

    def listen(self: socket.socket, *args: Any) -> None:
        original(self, *args)
        try:
            if self.family in (socket.AF_INET, getattr(socket, "AF_INET6", None)):
                name = self.getsockname()
                note(name[0], name[1])
        except Exception:
            pass

    listen.__doc__ = original.__doc__
    socket.socket.listen = listen  # type: ignore[method-assign]


def note(host: str, port: int) -> None:
    """Remember an address on which this process listens."""
    if (host, port) in addresses:
        return
    addresses.append((host, port))
    for callback in list(on_address):
        try:
            callback()
        except Exception:
            pass


def from_proc() -> list[tuple[str, int]]:
    """This process's listening TCP sockets as Linux has them; empty elsewhere."""
    try:
        inodes = sockets_of("self")
    except OSError:
        return []
    found = []
    for inode, family, address in on_tcp():
        if inode in inodes:
            packed, port = address.split(":")
            raw = bytes.fromhex(packed)
            if sys.byteorder == "little":
                raw = b"".join(raw[i : i + 4][::-1] for i in range(0, len(raw), 4))
            found.append((socket.inet_ntop(family, raw), int(port, 16)))
    return found


def sockets_of(pid: str) -> set[str]:
    """The inodes of a process's sockets, as Linux has them. Raises OSError for one that has ended or is another user's."""
    found = set()
    for entry in os.listdir(f"/proc/{pid}/fd"):
        try:
            link = os.readlink(f"/proc/{pid}/fd/{entry}")
        except OSError:
            continue
        if link.startswith("socket:["):
            found.add(link[8:-1])
    return found


def on_tcp() -> list[tuple[str, socket.AddressFamily, str]]:
    """Inode, family and packed ``address:port`` of every TCP socket that listens here."""
    found = []
    for table, family in (("tcp", socket.AF_INET), ("tcp6", socket.AF_INET6)):
        try:
            with open(f"/proc/self/net/{table}", encoding="ascii") as lines:
                rows = [fields for fields in map(str.split, lines) if len(fields) > 9 and fields[3] == "0A"]
        except OSError:
            continue
        found += [(fields[9], family, fields[1]) for fields in rows]
    return found


def port_from_argv(argv: list[str]) -> int | None:
    """The port that the command line asks for: ``--port N``, ``-p N``, ``-b HOST:PORT``, ``runserver ADDRPORT``."""
    for index, arg in enumerate(argv):
        value = None
        following = argv[index + 1] if index + 1 < len(argv) else ""
        if arg in ("--port", "-p", "-b", "--bind"):
            value = following
        elif arg.startswith(("--port=", "--bind=")):
            value = arg.split("=", 1)[1]
        elif arg == "runserver":
            rest = [a for a in argv[index + 1 :] if not a.startswith("-")]
            value = rest[0] if rest else ""
            if not value:
                return 8000
        if value:
            port = value.rsplit(":", 1)[-1]
            if port.isdigit():
                return int(port)
    return None


def pick(argv: list[str], candidates: list[tuple[str, int]]) -> tuple[str, int] | None:
    """The server's own address: the one that the command line names, else the first found."""
    wanted = port_from_argv(argv)
    for host, port in candidates:
        if port == wanted:
            return host, port
    return candidates[0] if candidates else None
