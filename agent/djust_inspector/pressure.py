"""How much waits in the server's own buffer for a peer that does not read.

uvicorn makes a send wait until its buffer has room. daphne takes everything at once and lets Twisted's transport
keep it, however much that is; so there the transport is asked.
"""

from __future__ import annotations

import functools
from typing import Any, Callable


def waiting(send: Any) -> Callable[[], int] | None:
    """A function that tells the bytes that wait behind `send`; ``None`` where the server itself holds it back."""
    for _ in range(10):
        if type(send) is functools.partial:
            transport = getattr(send.args[0], "transport", None) if send.args else None
            return functools.partial(_bytes, transport) if hasattr(transport, "dataBuffer") else None
        owner = getattr(send, "__self__", None)
        send = getattr(owner, "real_send", None)  # of a middleware of channels
        if send is None:
            return None
    return None


def _bytes(transport: Any) -> int:
    try:
        return len(transport.dataBuffer) - transport.offset + transport._tempDataLen
    except Exception:
        return 0
