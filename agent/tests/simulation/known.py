"""Faults that the simulation finds and that are being mended: each name is a kind of check that is passed over. Delete a name with its mend."""

KNOWN = frozenset(
    [
        "fork",  # a forked child goes on recording
        "cancelled",  # the session of a cancelled consumer is kept, and its end is not told
        "turns",  # turns that are over are kept by contexts and by `causes.Write`
        "streams",  # states of children that are gone are kept
        "children",  # a child with a pinned id on a redirected page has no mount
        "deep",  # parameters nested deeply leave neither step nor gap, or an error of the agent
        "ticks",  # a tick that djust skipped is told when something else changed the state; paused ticks run without budget
        "answers",  # a full queue takes answers and the welcome with it
        "sync",  # a revision that only one inspector's sync told is what later steps build on
        "thinned",  # what was left out last is counted only when more is left out
        "path",  # a page mounted while nobody was there is at no path when it closes, so its end is not told
        "held",  # the configuration is described at mounts and attachments: the event loop is held for longer than 5 ms
    ]
)
