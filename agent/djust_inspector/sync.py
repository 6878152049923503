"""What an inspector is told that knows nothing yet: configuration, sessions, history, current states."""

from __future__ import annotations

from . import configuration, guard, history, sessions, shells
from .hub import HUB, Inspector
from .sessions import encodable


#: Characters of pages' surroundings in one sync; with more pages than that the rest goes without.
SHELLS = 16 * 1024 * 1024


def queue(inspector: Inspector, history: bool) -> None:
    """Queue a whole sync for one inspector. Call with the hub's lock held, so that nothing comes between."""
    first = HUB.seq + 1
    room = [SHELLS]
    text = guard.guarded(configuration.current)()
    if text is not None:
        inspector.put_always(HUB.frame("config", text))
    for session in sessions.recorded():
        guard.guarded(_session)(inspector, session, history, room)
    inspector.put_always(HUB.frame("synced", ""))
    HUB.note_sync(first, HUB.seq)


def _session(inspector: Inspector, session: sessions.Session, with_history: bool, room: list[int]) -> None:
    if session.phase == "connected" and session.root is not None:
        session.phase = "mounted"
    inspector.put_always(HUB.frame("session", session.describe()))
    shell = guard.guarded(shells.describe)(session) if room[0] > 0 and session.phase != "connected" else None
    if shell is not None:
        room[0] -= len(shell)
        session.shell_sent = True
        inspector.put_always(HUB.frame("page", shell))
    views = session.views()
    if with_history:
        for view_id, view in views.items():
            for step in guard.guarded(history.steps)(session, view_id, view) or []:
                inspector.put_always(HUB.frame("step", step))
    for view_id, view in views.items():
        stream = session.stream(view_id, view)
        if stream.rev is None:
            guard.guarded(stream.capture)(view)
        inspector.put_always(
            HUB.frame(
                "state", '"session":%s,"view":%s,"state":%s' % (encodable(session.id), encodable(view_id), stream.whole())
            )
        )
    from . import limits

    levels = guard.guarded(limits.describe)(session)
    if levels is not None:
        inspector.put_always(HUB.frame("rate", levels))
