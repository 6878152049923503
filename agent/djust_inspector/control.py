"""The control file: how ``manage.py djust_inspector`` reaches the processes that run.

It holds whether the agent is switched off, and the hashes of revoked tokens. Each process looks at the file's
stamp at every handshake, and every second while an inspector is attached. It is no secret, but whoever may
write it decides; a file that is there and cannot be read lets nobody in.
"""

from __future__ import annotations

import json
import os
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import guard, options

NAME = ".djust-inspector-control.json"
#: A larger file is none of ours.
_MOST_BYTES = 1_000_000


@dataclass(frozen=True)
class Control:
    """What the file says."""

    off: bool = False
    #: Hex digests of revoked tokens, with the names that they had.
    revoked: tuple[tuple[str, str], ...] = ()

    def revokes(self, digest: bytes) -> bool:
        return any(known == digest.hex() for known, _ in self.revoked)


def path() -> Path | None:
    """Where the file is: as set, else in ``BASE_DIR``, where settings and command agree."""
    from . import discovery

    given = options.current().control_file
    if given:
        return Path(given)
    base = getattr(discovery.settings(), "BASE_DIR", None)
    return Path(str(base)) / NAME if base else None


_seen: tuple[Path, Any, Control] | None = None


def current() -> Control:
    """What the file says now. A missing one says nothing; one that cannot be read switches off."""
    global _seen
    where = path()
    if where is None:
        return Control()
    try:
        about = os.stat(where)
        stamp: Any = (about.st_mtime_ns, about.st_size, about.st_ino)
    except FileNotFoundError:
        return Control()
    except OSError as error:
        stamp = ("error", error.errno)
    known = _seen
    if known is None or known[0] != where or known[1] != stamp:
        try:
            found = _read(where)
        except Exception:
            guard.report("the control file cannot be read, so nobody may attach")
            found = Control(off=True)
        known = _seen = (where, stamp, found)
    return known[2]


def _read(where: Path) -> Control:
    with open(where, "rb") as file:
        data = file.read(_MOST_BYTES + 1)
    if len(data) > _MOST_BYTES:
        raise ValueError("it is too large")
    content = json.loads(data)
    entries = content["revoked"]
    return Control(content["off"] is not False, tuple((str(e["hash"])[7:], str(e["name"])) for e in entries))


def change(off: bool | None = None, revoke: tuple[str, bytes] | None = None) -> Control:
    """Write the file anew with one thing changed. For the command; errors are its caller's."""
    where = path()
    if where is None:
        raise FileNotFoundError("neither DJUST_INSPECTOR['control_file'] nor BASE_DIR is set")
    content: dict[str, Any] = {"off": False, "revoked": []}
    if where.exists():
        _read(where)  # raises for a file that is none of ours
        content = json.loads(where.read_bytes())
    if off is not None:
        content["off"] = off
    if revoke is not None:
        name, digest = revoke
        entry = {"hash": "sha256:" + digest.hex(), "name": name, "at": int(time.time())}
        if all(known["hash"] != entry["hash"] for known in content["revoked"]):
            content["revoked"].append(entry)
    handle, temporary = tempfile.mkstemp(dir=where.parent, prefix=NAME + ".")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(content, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)  # the server may run as another user than the command
        os.replace(temporary, where)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    return _read(where)
