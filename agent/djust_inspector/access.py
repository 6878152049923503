"""Who may attach: the tokens of this process, and the check of a handshake.

A token in the settings is known by its SHA-256 only: it has 256 random bits, so nothing slower is needed. Every
token is compared in constant time, and every one is compared, whether or not an earlier one fitted.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import re
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from . import control, discovery, forks, options
from .lockout import Lockout, address_of
from .options import OWN_NAMES

#: The server's log of who came and what they did. Never a token, never anything of a state.
log = logging.getLogger("djust_inspector.access")

#: Commands that change nothing on the server; what is not among them needs permission to write.
READING = frozenset(("sync", "config", "ring", "preview"))

#: Characters of 256 random bits in base64.
MIN_LENGTH = 43
#: A longer header or address is no token's.
_MOST = 4096
_ORIGIN = re.compile(r"https?://(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::[0-9]{1,5})?")

LOCKOUT = Lockout()


@forks.in_child
def _forked() -> None:
    LOCKOUT.__init__()  # type: ignore[misc]


@dataclass(frozen=True)
class Grant:
    """A token that this process takes."""

    name: str
    digest: bytes
    expires: float | None
    #: Whether the server lets its holder write.
    writes: bool
    #: Whether it has too many random bits to be found by trying. Every token that is known by its hash has.
    random: bool = True


@dataclass(frozen=True)
class Denied:
    """A handshake that is refused: why, for the log; whether its sender may be told; whose token it was."""

    why: str
    told: str | None = None
    name: str | None = None


def note(text: str, *about: Any) -> None:
    """A line about who came or what they did. Without DEBUG it is a warning, which Django shows unless told not to."""
    log.log(logging.INFO if discovery.debug() else logging.WARNING, text, *about)


def digest(token: str) -> bytes:
    """What stands in the settings for a token: SHA-256 of its UTF-8 bytes."""
    return hashlib.sha256(token.encode("utf-8")).digest()


def grants() -> list[Grant]:
    """All tokens of this process now, also the expired and the revoked."""
    found = options.current()
    out = [Grant(t.name, t.digest, t.expires, t.writes) for t in found.tokens]
    plain = discovery.plain_token()
    if plain is not None:
        name, token = plain
        trusted = discovery.debug() or discovery.started_by_run()
        writes = trusted or found.writes or discovery.writes_in_environment()
        out.append(Grant(name, digest(token), None, writes, random=len(token) >= MIN_LENGTH))
    return out


def exists() -> bool:
    """Whether there is an endpoint at all."""
    found = options.current()
    return found.enabled and (bool(found.tokens) or discovery.plain_token() is not None)


def find(given: str) -> Grant | None:
    """The grant of a token. One of the settings' hashes is none of a text that is too short to be one."""
    shown = digest(given)
    found = None
    for grant in grants():
        if hmac.compare_digest(shown, grant.digest) and len(given) >= (1 if grant.name in OWN_NAMES else MIN_LENGTH):
            found = grant
    return found


def fault(grant: Grant) -> tuple[str, str] | None:
    """Why a token that was right is not taken any more, as (code, words); ``None`` while it is."""
    state = control.current()
    if state.off:
        return "off", "the agent was switched off"
    if state.revokes(grant.digest):
        return "revoked", f"the token {grant.name} was revoked"
    if grant.expires is not None and time.time() >= grant.expires:
        return "expired", f"the token {grant.name} has expired"
    if not any(hmac.compare_digest(grant.digest, known.digest) for known in grants()):
        return "revoked", f"the token {grant.name} is not in the settings any more"
    return None


def admit(scope: dict[str, Any]) -> Grant | Denied:
    """The check of a handshake, with all that it leaves behind: counted failures and lines in the log.

    A lockout holds failures back, never the holder of a random token: behind a proxy all share one address. A token that
    somebody has chosen could be found by trying, so it waits like a wrong one.
    """
    address = address_of(scope, options.current().trusted_proxies)
    now = time.monotonic()
    verdict = _verdict(scope)
    random = isinstance(verdict, Grant) and verdict.random
    if not random and LOCKOUT.left(address, now) > 0:
        return Denied("locked out")
    if isinstance(verdict, Grant):
        LOCKOUT.passed(address)
        return verdict
    log.warning("refused an inspector from %s: %s", address, verdict.why)
    waits = LOCKOUT.failed(address, now) if verdict.told is None else None
    if waits is not None:
        who = "every address" if waits == "all" else address
        log.error("too many refused inspectors: %s has to wait %.0f s", who, LOCKOUT.left(address, now))
    return verdict


def _verdict(scope: dict[str, Any]) -> Grant | Denied:
    given: list[bytes] = []
    origins: list[bytes] = []
    for name, value in scope.get("headers") or []:
        name = bytes(name).lower()
        if name == b"authorization":
            given.append(bytes(value))
        elif name == b"origin":
            origins.append(bytes(value))
    shown = find(_bearer(given[0]) or "") if len(given) == 1 else None
    in_address = _in_address(bytes(scope.get("query_string") or b""))
    if in_address is not None:
        # Only who holds a token is told more than that nobody is here.
        holder = in_address or shown
        return Denied(
            "a token in the address" + (f": {holder.name} now stands in logs, revoke it" if holder else ""),
            "the token stands in the address, where servers log it: send it in the Authorization header only, "
            "and have this one replaced"
            if holder
            else None,
        )
    if shown is None:
        return Denied("no token" if not given else "several tokens" if len(given) > 1 else "a wrong token")
    if len(origins) > 1 or (origins and not origin_allowed(origins[0].decode("latin-1"))):
        return Denied(f"a foreign Origin, with the token {shown.name}", name=shown.name)
    wrong = fault(shown)
    if wrong is not None:
        return Denied(wrong[1], name=shown.name)
    return shown


def _bearer(value: bytes) -> str | None:
    if len(value) > _MOST or value[:7].lower() != b"bearer ":
        return None
    try:
        return value[7:].strip().decode("ascii")
    except UnicodeDecodeError:
        return None


def _in_address(query: bytes) -> Grant | bool | None:
    """The grant of a token in the query; false for what only calls itself one, ``None`` for none."""
    if len(query) > _MOST:
        return False
    named = False
    for name, value in parse_qsl(query.decode("latin-1"), keep_blank_values=True):
        if name == "djust_inspector" and value == "1":
            continue
        found = find(value)
        if found is not None:
            return found
        named = named or "token" in name.lower() or name.lower() in ("authorization", "bearer")
    return False if named else None


def origin_allowed(origin: str) -> bool:
    """Whether an Origin is that of a host which this server serves."""
    parts = _ORIGIN.fullmatch(origin)
    return parts is not None and discovery.host_allowed(parts.group(1))
