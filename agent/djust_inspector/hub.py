"""Frames on their way to the inspectors: numbering, backlog, queues, overflow.

Hooks call `publish` from the event loop and from worker threads; it never waits. Each attached
inspector has a queue bounded in bytes: what does not fit is dropped, counted and announced as a
``gap``. A bounded backlog lets an inspector that lost its connection resume.

Locks of the agent, in the order in which a thread may take them: a session's (`Session.lock`: the order of its
frames), the hub's (numbers and queues), those of single modules (`guard`, `budget`, `lockout`, `discovery`,
`shells`). Under the hub's lock a frame gets its number and is queued, and nothing else happens: no text is built,
nothing is logged, and no code of the project runs, which could wait for a lock that another thread holds while it
publishes.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
import threading
import time
import uuid
from collections import deque
from typing import Any, Callable

from . import forks, guard

#: Bytes of frames that one inspector may lag behind before frames are dropped.
QUEUE_BYTES = 48 * 1024 * 1024
#: Bytes of frames, answers and syncs together, beyond which an inspector is let go.
MOST_BYTES = 192 * 1024 * 1024
#: Bytes of frames kept for an inspector that comes back.
BACKLOG_BYTES = 32 * 1024 * 1024
#: Seconds during which recording goes on after the last inspector has left.
GRACE_SECS = 60.0

#: The one flag that every hook tests first. True while an inspector is attached or may come back.
ACTIVE = False


def size_of(text: str) -> int:
    """Bytes of memory that a text takes: up to four for each character. Costs the same for every text."""
    return sys.getsizeof(text)


class Inspector:
    """One attached inspector: its queue, filled from any thread, emptied by its own writer task.

    Made in the thread of `loop`, which is woken by a system call only from another thread.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.thread = threading.get_ident()
        self.ready = asyncio.Event()
        self.queue: deque[str] = deque()
        self.bytes = 0
        self.dropped = 0
        #: Frames of other workers, with what is called when they have left. Few: those workers wait for that.
        self.relayed: deque[tuple[list[str], Callable[[], None]]] = deque()
        self.closed = False
        #: The rest of its sync, while there is one: see `sync`.
        self.sync: Any = None
        #: Whether it may give commands that change something.
        self.writes = False
        #: Since when a frame is on its way out, by the monotonic clock.
        self.sending: float | None = None

    def put(self, text: str) -> None:
        """Queue a frame or count it as dropped. Call with the hub's lock held."""
        if self.closed:
            return
        size = size_of(text)
        if self.dropped or (self.bytes + size > QUEUE_BYTES and self.queue):
            # Nothing after a drop is of use before the sync that repairs it.
            self.dropped += 1
            self.drop()
        else:
            self.queue.append(text)
            self.bytes += size
        self.wake()

    def drop(self) -> None:
        """Give up what waits to be sent. Call with the hub's lock held."""
        self.dropped += len(self.queue)
        self.queue.clear()
        self.bytes = 0
        HUB.end_sync(self, whole=False)  # a new one will follow the gap

    def put_always(self, text: str) -> None:
        """Queue an answer or a part of a sync, which must not be dropped. Call with the lock held.

        One who asks and asks and never reads is let go.
        """
        if self.closed:
            return
        if self.bytes > MOST_BYTES:
            self.closed = True
            self.queue.clear()
            self.bytes = 0
            return
        self.queue.append(text)
        self.bytes += size_of(text)
        self.wake()

    def wake(self) -> None:
        if self.ready.is_set():  # the writer clears it before it looks at the queue
            return
        try:
            if threading.get_ident() == self.thread:
                self.ready.set()
            else:
                self.loop.call_soon_threadsafe(self.ready.set)
        except RuntimeError:  # its loop is closed: the inspector is gone
            self.closed = True


class Hub:
    """The frames of this process and who gets them."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.agent_id = uuid.uuid4().hex
        self.started = time.time()
        self.seq = 0
        self.inspectors: list[Inspector] = []
        self.backlog: deque[tuple[int, str]] = deque()
        self.backlog_bytes = 0
        #: The highest sequence number that an inspector must have seen to be able to resume.
        self.lost_upto = 0
        #: Sequence numbers used by syncs: (first, last). Resuming inside of one is impossible.
        self._sync_ranges: deque[tuple[int, int]] = deque(maxlen=64)
        #: Times without recording: (number after it, seconds).
        self._idle: deque[tuple[int, float]] = deque(maxlen=64)
        self._idle_since: float | None = None
        self._grace: Any = None
        #: When the grace time is over, by the monotonic clock: the timer may lie in a loop that has been closed.
        self._grace_ends: float | None = None
        #: Called with True when recording starts and with False when it ends.
        self.on_active: list[Callable[[bool], None]] = []
        self._counter = 0

    # -- publishing

    def next_key(self) -> str:
        """A new identity for a step of this process."""
        with self.lock:
            self._counter += 1
            return f"{self.agent_id[:12]}-{self._counter}"

    def frame(self, kind: str, body: str) -> str:
        """A numbered frame; `body` is its fields as JSON text without braces. Call with the lock held."""
        self.seq += 1
        return '{"t":"%s","seq":%d,"at":%.6f%s%s}' % (kind, self.seq, time.time(), "," if body else "", body)

    def publish(self, kind: str, body: str, page: str | None = None) -> None:
        """Send a frame to every inspector and keep it in the backlog. Never waits, never raises.

        `page` is the id of the session that it tells of: an inspector whose sync has not come to it is not sent the frame.
        """
        if not ACTIVE:
            return
        try:
            with self.lock:
                text = self.frame(kind, body)
                self.backlog.append((self.seq, text))
                self.backlog_bytes += size_of(text)
                while self.backlog_bytes > BACKLOG_BYTES and self.backlog:
                    seq, old = self.backlog.popleft()
                    self.backlog_bytes -= size_of(old)
                    self.lost_upto = seq
                for inspector in self.inspectors:
                    if page is None or inspector.sync is None or page not in inspector.sync.pages:
                        inspector.put(text)
        except Exception:
            guard.report("hub.publish")

    def forget_backlog(self) -> None:
        """Give up what is kept for an inspector that comes back."""
        with self.lock:
            self.lost_upto = self.seq
            self.backlog.clear()
            self.backlog_bytes = 0

    # -- coming and going

    def can_resume(self, agent_id: Any, seq: Any) -> bool:
        """Whether everything after `seq` is still here."""
        return (
            ACTIVE
            and agent_id == self.agent_id
            and type(seq) is int
            and self.lost_upto <= seq <= self.seq
            and not any(first <= seq < last for first, last in self._sync_ranges)
            and not any(each.sync is not None and each.sync.first <= seq for each in self.inspectors)
        )

    def unrecorded(self, seq: int | None) -> float | None:
        """Seconds since `seq` for which nothing was recorded, because no inspector was there."""
        if seq is None:
            return None
        return sum(secs for number, secs in self._idle if number > seq) or None

    def activate(self) -> None:
        """Start recording. Call before the first `attach` of an inspector, from its event loop."""
        global ACTIVE
        with self.lock:
            self._end_grace()
            if ACTIVE:
                return
            # Nothing was recorded while nobody was there: an old number cannot be resumed from.
            self.seq += 1
            self.lost_upto = self.seq
            self.backlog.clear()
            self.backlog_bytes = 0
            if self._idle_since is not None:
                self._idle.append((self.seq, time.monotonic() - self._idle_since))
                self._idle_since = None
            ACTIVE = True
        for callback in self.on_active:
            guard.guarded(callback)(True)

    def attach(self, inspector: Inspector) -> None:
        """Send live frames to it from now on. Call with the lock held, after beginning its sync."""
        self.inspectors.append(inspector)

    def skip(self) -> None:
        """Use a number for no frame. Call with the lock held."""
        self.seq += 1

    def replay(self, inspector: Inspector, seq: int) -> None:
        """Queue what came after `seq`. Call with the lock held."""
        for number, text in self.backlog:
            if number > seq:
                inspector.put_always(text)

    def end_sync(self, inspector: Inspector, whole: bool) -> None:
        """Remember the numbers of an inspector's sync: whoever was told a part of it cannot resume. Call with the lock held."""
        if inspector.sync is not None:
            if not whole:
                self.skip()  # the last number that was sent lies within it, too
            if len(self._sync_ranges) == self._sync_ranges.maxlen:
                self.lost_upto = max(self.lost_upto, self._sync_ranges[0][1])  # it is forgotten, and with it what it forbids
            self._sync_ranges.append((inspector.sync.first, self.seq))
            inspector.sync = None

    def detach(self, inspector: Inspector) -> None:
        """Forget an inspector; the last one starts the grace time."""
        with self.lock:
            inspector.closed = True
            self.end_sync(inspector, whole=False)
            if inspector in self.inspectors:
                self.inspectors.remove(inspector)
            if self.inspectors or self._grace_ends is not None:
                return
            self._begin_grace(inspector.loop)

    def overdue(self) -> bool:
        """Whether nobody is there any more and the grace time is over, which is then seen to. Asked when something begins.

        A loop that was closed, as by a server that ends in the middle of a process or between two tests, runs neither
        the timer of the grace time nor the farewell of its inspectors.
        """
        if self._grace_ends is not None:
            if time.monotonic() < self._grace_ends:
                return False
            self.stop()
            return True
        for inspector in list(self.inspectors):
            if inspector.loop.is_closed():
                self.detach(inspector)
        return not ACTIVE

    def _begin_grace(self, loop: asyncio.AbstractEventLoop) -> None:
        self._grace_ends = time.monotonic() + GRACE_SECS
        try:
            self._grace = loop.call_later(GRACE_SECS, self._expire)
        except RuntimeError:  # closed: whoever begins something next sees to it
            self._grace = None

    def _end_grace(self) -> None:
        if self._grace is not None:
            with contextlib.suppress(Exception):  # its loop may be closed
                self._grace.cancel()
        self._grace = self._grace_ends = None

    def stop(self) -> None:
        """End the recording now, if nobody is attached."""
        with self.lock:
            self._end_grace()
        self._expire()

    def _expire(self) -> None:
        global ACTIVE
        with self.lock:
            self._grace = self._grace_ends = None
            if self.inspectors or not ACTIVE:
                return
            ACTIVE = False
            self._idle_since = time.monotonic()
            self.backlog.clear()
            self.backlog_bytes = 0
        for callback in self.on_active:
            guard.guarded(callback)(False)


HUB = Hub()


@forks.in_child
def _forked() -> None:
    """A worker that was forked from a process with the agent in it is an agent of its own, with nobody attached."""
    global ACTIVE
    callbacks = HUB.on_active
    active, ACTIVE = ACTIVE, False
    HUB.__init__()  # type: ignore[misc]
    HUB.on_active = callbacks
    if active:
        for callback in callbacks:
            guard.guarded(callback)(False)
