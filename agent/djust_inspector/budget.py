"""What recording may cost this process, and what happens when it costs more.

Processor time is measured around the agent's own work (`guard.metered`), once for each way in from djust, and paid
from an account that fills with the share of a core that the settings allow. When it is empty, things that happen are
not recorded until it has filled again: the recording is thinned, never the server slowed. Memory is added up once a second; what is beyond the budget
is given up, the dearest pages last. Both are counted and told: in a ``gap`` frame, and in the description of
the server.
"""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Any

from . import forks, guard, options
from .hub import HUB

#: Seconds of the share that may be used at once, after a time in which little happened.
BURST_SECS = 4.0
#: Seconds between two looks at memory, and between two notes about what was left out.
EVERY_SECS = 1.0


class Budget:
    """The account of this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._left: float | None = None
        self._filled = 0.0
        self._looked = 0.0
        self._told = 0.0
        self._untold = 0
        self._timer: asyncio.TimerHandle | None = None
        #: Processor seconds of the agent's work since it was measured first.
        self.spent = 0.0
        #: Things that happened and were not recorded, and pages that were given up.
        self.thinned = 0
        self.pages = 0
        #: Bytes that were held at the last look.
        self.held = 0

    def spend(self, seconds: float) -> None:
        with self._lock:
            self.spent += seconds
            if self._left is not None:
                self._left -= seconds

    def allows(self, now: float | None = None) -> bool:
        """Whether something that begins now may be recorded; a refusal is counted and told of."""
        share = options.current().record.cpu
        guard.spend = None if share is None else _spend
        if share is None:
            return True
        now = time.monotonic() if now is None else now
        with self._lock:
            if self._left is None:
                self._left = share * BURST_SECS
            else:
                self._left = min(share * BURST_SECS, self._left + share * (now - self._filled))
            self._filled = now
            if self._left > 0:
                return True
            self.thinned += 1
            self._untold += 1
        self.tell(now)
        self._tell_later()
        return False

    def _tell_later(self) -> None:
        """Say what is still untold when it may be said, also if nothing happens any more."""
        if not self._untold or self._timer is not None:
            return
        try:
            self._timer = asyncio.get_running_loop().call_later(EVERY_SECS, self._told_late)
        except RuntimeError:  # a thread without a loop: the next step tells it
            return

    def _told_late(self) -> None:
        self._timer = None
        guard.guarded(self.tell)(time.monotonic())
        self._tell_later()

    def tell(self, now: float) -> None:
        """Say what was left out, at most once a second."""
        with self._lock:
            if not self._untold or now - self._told < EVERY_SECS:
                return
            count, self._untold, self._told = self._untold, 0, now
        share = options.current().record.cpu
        why = f"thinned: recording may use {share or 0:g} of a processor core here, and needed more"
        with HUB.lock:
            HUB.publish("gap", '"dropped":%d,"why":"%s"' % (count, why))

    def look(self) -> None:
        """Keep the memory within its budget. Called after each step, works at most once a second."""
        limit = options.current().record.memory
        now = time.monotonic()
        self.tell(now)
        if limit is None or now - self._looked < EVERY_SECS:
            return
        self._looked = now
        guard.guarded(self.reduce)(limit)

    def reduce(self, limit: int) -> None:
        """Give up what is beyond `limit` bytes: the backlog, kept page loads, lagging inspectors, the largest pages."""
        from . import sessions, shells

        weights = {session: session.weight() for session in list(sessions.SESSIONS.values())}
        pages = sum(weights.values())

        def held() -> int:
            lag = sum(inspector.bytes for inspector in HUB.inspectors)
            return pages + HUB.backlog_bytes + lag + shells.LOADS.size

        if held() > limit:
            HUB.forget_backlog()
        if held() > limit:
            shells.LOADS.clear()
        with HUB.lock:
            for inspector in sorted(HUB.inspectors, key=lambda i: -i.bytes):
                if held() > limit and inspector.queue:
                    inspector.drop()
        given_up = 0
        for session in sorted(weights, key=weights.__getitem__, reverse=True):
            if held() <= limit or not weights[session]:
                break
            pages -= weights[session]
            given_up += 1
            session.give_up()
        self.held = held()
        if given_up:
            self.pages += given_up
            megabytes = limit / 1024 / 1024
            what = "page is" if given_up == 1 else "pages are"
            why = f"{given_up} {what} not recorded any more: the agent may hold {megabytes:.3g} MB here, and needed more"
            with HUB.lock:
                HUB.publish("gap", '"dropped":0,"why":"%s"' % why)

    def describe(self) -> dict[str, Any]:
        """How the recording is bounded here, and what that left out."""
        record = options.current().record
        return {
            "share": record.share,
            "users": list(record.users),
            "paths": list(record.paths),
            "cpu": record.cpu,
            "memory": record.memory,
            "thinned": self.thinned,
            "pages_given_up": self.pages,
        }


BUDGET = Budget()


@forks.in_child
def _forked() -> None:
    """What a child does costs its own account."""
    global BUDGET
    BUDGET = Budget()


def _spend(seconds: float) -> None:
    BUDGET.spend(seconds)
