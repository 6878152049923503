"""The settings block ``DJUST_INSPECTOR``, read strictly: what cannot be understood is told, and never opens anything.

Every member is described in ``docs/SECURITY.md``. A token that is not written as it should be is no token; a
sampling rule that is not is one that nothing fits.
"""

from __future__ import annotations

import datetime
import os
import re
from dataclasses import dataclass, field
from typing import Any

#: What a process without DEBUG may use where the settings say nothing: a share of one core, and megabytes.
STAGING_CPU = 0.25
STAGING_MEMORY_MB = 256

_HASH = re.compile(r"sha256:([0-9a-f]{64})")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")
#: Names of the tokens that are not in ``tokens``.
OWN_NAMES = ("environment", "settings", "development")


@dataclass(frozen=True)
class Named:
    """One of the ``tokens``: known by its hash only."""

    name: str
    digest: bytes
    #: Unix seconds from which on it is refused; ``None``: never.
    expires: float | None = None
    writes: bool = False


@dataclass(frozen=True)
class Record:
    """Which pages are recorded, and what that may cost the process."""

    #: The share of pages, by chance, from 0 to 1.
    share: float = 1.0
    #: Patterns of user names and of paths (``*`` and ``?``); empty: all.
    users: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    #: Share of one processor core, and bytes; ``None``: no bound.
    cpu: float | None = None
    memory: int | None = None

    @property
    def everything(self) -> bool:
        """Whether every page may be seen."""
        return self.share >= 1.0 and not self.users and not self.paths


@dataclass(frozen=True)
class Redaction:
    """What is hidden beside what names hide in any case."""

    names: frozenset[str] = frozenset()
    paths: tuple[str, ...] = ()
    types: frozenset[str] = frozenset()
    patterns: bool = True
    emails: bool = False


@dataclass(frozen=True)
class Options:
    """The whole block."""

    enabled: bool = True
    tokens: tuple[Named, ...] = ()
    #: A token in plain, for development; named ``settings``.
    token: str | None = None
    #: Whether tokens in plain may write when DEBUG is off.
    writes: bool = False
    #: How many proxies in front are believed about the client's address.
    trusted_proxies: int = 0
    #: Where ``manage.py djust_inspector`` and the processes meet; ``None``: beside the project.
    control_file: str | None = None
    record: Record = field(default_factory=Record)
    redact: Redaction = field(default_factory=Redaction)
    #: What was not understood, in words without values.
    problems: tuple[str, ...] = ()


def read(block: Any, debug: bool) -> Options:
    """The options of a settings block."""
    problems: list[str] = []
    if block is None:
        block = {}
    if type(block) is not dict:
        problems.append("DJUST_INSPECTOR is no dict: no token is taken")
        block = {}
    known = set(Options.__dataclass_fields__) - {"problems"}
    for key in block:
        if key not in known:
            problems.append(f"DJUST_INSPECTOR has no key {str(key)[:40]!r}")

    def get(name: str, kinds: tuple[type, ...], default: Any, closed: Any) -> Any:
        value = block.get(name, default)
        if type(value) in kinds or value is default:
            return value
        problems.append(f"DJUST_INSPECTOR[{name!r}] is a {type(value).__name__}, not a {kinds[0].__name__}")
        return closed

    control = block.get("control_file")
    if control is not None and not isinstance(control, (str, os.PathLike)):
        problems.append("DJUST_INSPECTOR['control_file'] is no path")
        control = None
    proxies = get("trusted_proxies", (int,), 0, 0)
    return Options(
        enabled=get("enabled", (bool,), True, False),
        tokens=_tokens(get("tokens", (dict,), {}, {}), problems),
        token=get("token", (str,), None, None) or None,
        writes=get("writes", (bool,), False, False),
        trusted_proxies=max(0, proxies),
        control_file=os.fspath(control) if control is not None else None,
        record=_record(get("record", (dict,), {}, None), debug, problems),
        redact=_redaction(get("redact", (dict,), {}, {}), problems),
        problems=tuple(problems),
    )


def _tokens(block: dict[Any, Any], problems: list[str]) -> tuple[Named, ...]:
    out = []
    for name, entry in block.items():
        if type(name) is not str or not _NAME.fullmatch(name) or name in OWN_NAMES:
            problems.append("a token's name is not taken: letters, digits and . _ @ - only, and none of the agent's own")
            continue
        try:
            out.append(_token(name, entry))
        except ValueError as error:
            problems.append(f"the token {name!r} is not taken: {error}")
    return tuple(out)


def _token(name: str, entry: Any) -> Named:
    if type(entry) is str:
        entry = {"hash": entry}
    if type(entry) is not dict:
        raise ValueError("it is neither a hash nor a dict with one")
    odd = [str(key)[:40] for key in entry if key not in ("hash", "expires", "writes")]
    if odd:
        raise ValueError(f"it has no key {odd[0]!r}")
    found = _HASH.fullmatch(entry["hash"]) if type(entry.get("hash")) is str else None
    if found is None:
        raise ValueError("its hash is not sha256: and 64 hexadecimal digits")
    writes = entry.get("writes", False)
    if type(writes) is not bool:
        raise ValueError("writes is neither True nor False")
    return Named(name, bytes.fromhex(found.group(1)), _moment(entry.get("expires")), writes)


def _moment(value: Any) -> float | None:
    """Unix seconds of a date or time. Without a zone it is in UTC; a date is its beginning."""
    if value is None:
        return None
    if type(value) is str:
        text = value[:-1] + "+00:00" if value.endswith("Z") else value
        try:
            value = datetime.datetime.fromisoformat(text)
        except ValueError:
            raise ValueError("expires is no date or time as in 2027-01-31 or 2027-01-31T18:00:00Z") from None
    elif type(value) is datetime.date:
        value = datetime.datetime(value.year, value.month, value.day)
    if type(value) is not datetime.datetime:
        raise ValueError("expires is neither text nor a date nor a time")
    if value.tzinfo is None:
        value = value.replace(tzinfo=datetime.timezone.utc)
    return value.timestamp()


def _texts(value: Any, what: str, problems: list[str]) -> tuple[str, ...] | None:
    if type(value) in (list, tuple, set, frozenset) and all(type(item) is str and item for item in value):
        return tuple(value)
    problems.append(f"{what} is no list of texts")
    return None


def _number(value: Any, most: float) -> float | None:
    return float(value) if type(value) in (int, float) and 0 <= value <= most else None


def _record(block: dict[Any, Any] | None, debug: bool, problems: list[str]) -> Record:
    nothing = Record(share=0.0)
    if block is None:
        return nothing
    where = "DJUST_INSPECTOR['record']"
    odd = [str(key)[:40] for key in block if key not in ("share", "users", "paths", "cpu", "memory_mb")]
    if odd:
        problems.append(f"{where} has no key {odd[0]!r}: nothing is recorded")
        return nothing
    share = _number(block.get("share", 1.0), 1.0)
    cpu, memory = block.get("cpu"), block.get("memory_mb")
    cpu = _number(cpu, 64.0) if "cpu" in block else None if debug else STAGING_CPU
    memory = _number(memory, 1e6) if "memory_mb" in block else None if debug else float(STAGING_MEMORY_MB)
    for name, value in (("share", share), ("cpu", cpu), ("memory_mb", memory)):
        if name in block and value is None:
            problems.append(f"{where}[{name!r}] is no number in its range: nothing is recorded")
            return nothing
    users = _texts(block.get("users", ()), f"{where}['users']", problems)
    paths = _texts(block.get("paths", ()), f"{where}['paths']", problems)
    if users is None or paths is None:
        return nothing
    return Record(share or 0.0, users, paths, cpu, None if memory is None else int(memory * 1024 * 1024))


def _redaction(block: dict[Any, Any], problems: list[str]) -> Redaction:
    where = "DJUST_INSPECTOR['redact']"
    for key in block:
        if key not in Redaction.__dataclass_fields__:
            problems.append(f"{where} has no key {str(key)[:40]!r}")

    def flag(name: str, default: bool) -> bool:
        value = block.get(name, default)
        if type(value) is not bool:
            problems.append(f"{where}[{name!r}] is neither True nor False")
            return True
        return value

    return Redaction(
        frozenset(_texts(block.get("names", ()), f"{where}['names']", problems) or ()),
        _texts(block.get("paths", ()), f"{where}['paths']", problems) or (),
        frozenset(_texts(block.get("types", ()), f"{where}['types']", problems) or ()),
        flag("patterns", True),
        flag("emails", False),
    )


_current: Options | None = None


def current() -> Options:
    """The options of this process. Read once, as Django's settings are; tests that override settings are followed."""
    global _current
    if _current is not None:
        return _current
    from . import discovery

    settings = discovery.settings()
    found = read(getattr(settings, "DJUST_INSPECTOR", None), discovery.debug())
    if settings is not None and settings.configured:
        from django.core.signals import setting_changed

        setting_changed.connect(_forget, dispatch_uid="djust_inspector.options")
        _current = found
    return found


def _forget(setting: str = "", **_: Any) -> None:
    global _current
    if setting in ("DJUST_INSPECTOR", "DEBUG"):
        _current = None
