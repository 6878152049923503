"""How often a wrong token may be tried: by address, and by all addresses together, in bounded memory.

A token of 256 random bits cannot be found by trying, and its holder is never locked out. The lockout holds attempts on shorter
tokens back, keeps the server's log readable under a flood, and makes the flood visible there.
"""

from __future__ import annotations

import ipaddress
import threading
from collections import OrderedDict
from typing import Any

#: Failures within the window after which an address waits, and after which everybody does.
ADDRESS_FAILURES = 20
ALL_FAILURES = 200
WINDOW_SECS = 60.0
#: The first wait; each further one is twice as long.
FIRST_SECS = 30.0
LONGEST_SECS = 900.0
#: Addresses that are remembered. The longest unseen is forgotten.
MAX_ADDRESSES = 1024
#: Addresses that attached lately: they may come while everybody else waits.
MAX_KNOWN = 64


class _Count:
    """Failures of one address, or of all."""

    __slots__ = ("failures", "since", "until", "strikes")

    def __init__(self) -> None:
        self.failures = 0
        self.since = 0.0
        self.until = 0.0
        self.strikes = 0

    def fail(self, now: float, limit: int) -> bool:
        """Count one; whether that begins a wait."""
        if now - self.since > WINDOW_SECS:
            self.failures, self.since = 0, now
            if now - self.until > LONGEST_SECS:
                self.strikes = 0
        self.failures += 1
        if self.failures < limit:
            return False
        self.failures = 0
        self.until = now + min(LONGEST_SECS, FIRST_SECS * 2**self.strikes)
        self.strikes = min(self.strikes + 1, 10)
        return True


class Lockout:
    """Who has to wait. Times are those of a monotonic clock and handed in."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._all = _Count()
        self._addresses: OrderedDict[str, _Count] = OrderedDict()
        self._known: OrderedDict[str, None] = OrderedDict()

    def left(self, address: str, now: float) -> float:
        """Seconds that this address has to wait; 0 where it may try."""
        with self._lock:
            own = self._addresses.get(address)
            until = own.until if own is not None else 0.0
            if address not in self._known:
                until = max(until, self._all.until)
            return max(0.0, until - now)

    def failed(self, address: str, now: float) -> str | None:
        """Count a failure; who has to wait now, if that begins here: ``"address"`` or ``"all"``."""
        with self._lock:
            own = self._addresses.get(address)
            if own is None:
                own = self._addresses[address] = _Count()
            self._addresses.move_to_end(address)
            while len(self._addresses) > MAX_ADDRESSES:
                self._addresses.popitem(last=False)
            everybody = self._all.fail(now, ALL_FAILURES)
            if own.fail(now, ADDRESS_FAILURES):
                return "address"
            return "all" if everybody else None

    def passed(self, address: str) -> None:
        """The address showed a valid token."""
        with self._lock:
            self._addresses.pop(address, None)
            self._known[address] = None
            self._known.move_to_end(address)
            while len(self._known) > MAX_KNOWN:
                self._known.popitem(last=False)

    def size(self) -> int:
        """How many addresses are remembered."""
        return len(self._addresses) + len(self._known)


def address_of(scope: dict[str, Any], trusted_proxies: int) -> str:
    """The address that counts: the peer's, or what the last of so many trusted proxies wrote down.

    Of an IPv6 address its first half, as one host has all of the other.
    """
    peer = (scope.get("client") or ("", 0))[0]
    found = str(peer)
    if trusted_proxies > 0:
        hops: list[str] = []
        for name, value in scope.get("headers") or []:
            if bytes(name).lower() == b"x-forwarded-for":
                hops += bytes(value).decode("latin-1").split(",")
        if len(hops) >= trusted_proxies:
            found = hops[-trusted_proxies].strip()
    for text in (found, str(peer)):
        try:
            address = ipaddress.ip_address(text)
        except ValueError:
            continue
        if address.version == 6:
            if address.ipv4_mapped is not None:
                return str(address.ipv4_mapped)
            return str(ipaddress.ip_network((address, 64), strict=False))
        return str(address)
    return "unknown"
