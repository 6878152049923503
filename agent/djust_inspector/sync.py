"""What an inspector is told that knows nothing yet: configuration, sessions, history, current states.

A sync is told page by page, as the inspector's queue has room, so that neither its size nor the number of pages
holds the event loop or fills the memory. Live frames go on meanwhile: those of a page that was told are queued
behind it; a page in which something is about to happen is told first (`ahead`); what still comes of a page that
was not told is left out, because its part of the sync will hold it.
"""

from __future__ import annotations

from . import configuration, guard, history, sessions, shells
from .hub import HUB, Inspector, size_of
from .sessions import Session, encodable

#: Bytes of pages' surroundings in one sync; with more pages than that the rest goes without.
SHELLS = 16 * 1024 * 1024


class Sync:
    """The rest of a sync: pages of which one inspector was not told yet, in the order in which they opened."""

    def __init__(self, first: int, history: bool) -> None:
        #: The number that its inspector was told last before it. Nobody can resume from that, or from one within the sync.
        self.first = first
        self.history = history
        self.pages = {session.id: None for session in sessions.recorded()}
        self.room = SHELLS


def begin(inspector: Inspector, history: bool) -> None:
    """Begin a whole sync for one inspector, in place of one that is under way. Call with the hub's lock held.

    A greeting before it has a number of its own (`HUB.skip`), so that others can still resume from theirs.
    """
    HUB.end_sync(inspector, whole=False)
    inspector.sync = Sync(HUB.seq, history)
    text = configuration.latest()
    if text is not None:
        inspector.put_always(HUB.frame("config", text))
    inspector.wake()


def step(inspector: Inspector) -> None:
    """Queue the next page of a sync, or its end. Call without a lock, from the inspector's own event loop."""
    with HUB.lock:
        sync = inspector.sync
        if sync is None:
            return
        identity = next(iter(sync.pages), None)
        if identity is None:
            inspector.put_always(HUB.frame("synced", ""))
            HUB.end_sync(inspector, whole=True)
            return
    session = sessions.SESSIONS.get(identity)
    if session is not None and session.wanted():
        _page(inspector, sync, session, always=True)
    with HUB.lock:
        sync.pages.pop(identity, None)


@guard.guarded
def ahead(session: Session) -> None:
    """Tell of a page to every inspector that is not told of it yet, before something new is told of it."""
    for inspector in list(HUB.inspectors):
        sync = inspector.sync
        if sync is not None and session.id in sync.pages:
            _page(inspector, sync, session, always=False)


@guard.guarded
def _page(inspector: Inspector, sync: Sync, session: Session, always: bool) -> None:
    with session.lock:  # no step of this page comes between
        frames = list(_frames(sync, session))
        with HUB.lock:
            if inspector.sync is not sync or session.id not in sync.pages:
                return
            del sync.pages[session.id]
            for kind, body in frames:
                text = HUB.frame(kind, body)
                if always:
                    inspector.put_always(text)
                else:
                    inspector.put(text)


def _frames(sync: Sync, session: Session) -> list[tuple[str, str]]:
    """The frames of one page, without their numbers: its description, surroundings, history, states, rate limits."""
    if session.phase == "connected" and session.root is not None:
        session.phase = "mounted"
    frames = [("session", session.describe())]
    shell = guard.guarded(shells.describe)(session) if sync.room > 0 and session.phase != "connected" else None
    if shell is not None:
        sync.room -= size_of(shell)
        session.shell_sent = True
        frames.append(("page", shell))
    views = session.views()
    if sync.history:
        for view_id, view in views.items():
            frames += [("step", step) for step in guard.guarded(history.steps)(session, view_id, view) or []]
    for view_id, view in views.items():
        stream = session.stream(view_id, view)
        if stream.rev is None:
            guard.guarded(stream.capture)(view)
        names = encodable(session.id), encodable(view_id)
        frames.append(("state", '"session":%s,"view":%s,"state":%s' % (*names, stream.whole())))
    from . import limits

    levels = guard.guarded(limits.describe)(session)
    if levels is not None:
        frames.append(("rate", levels))
    return frames
