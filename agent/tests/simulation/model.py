"""What must have been told: every thing that happened, exactly once or within a gap, with the state that it really had.

The model knows nothing of how the agent works. It is told by the views and by the consumer what happened (`Ledger`),
reads what each inspector got (`Log`), and compares.
"""

import contextlib
import dataclasses
import datetime
import decimal
import json
import math
import re
import uuid
from collections import Counter

from . import views
from .clock import EPOCH

REDACTED = re.compile(r"\[redacted:[0-9a-f]{10}\]")
HIDDEN = {"$t": "redacted"}
#: Simulated seconds around an attachment's ends in which something may have been told or not.
EDGE = 0.5
#: Frames that a sync consists of; they go to one inspector only.
OF_A_SYNC = {"config", "session", "page", "step", "state", "rate", "synced", "gap"}


# -- values, as docs/PROTOCOL.md says


def _is_assign(name):
    return name in ("count", "ticks", "rows", "odd", "done", "got", "password", "note", "other") or name.startswith("extra_")


def assigns(view):
    """The state of a simulated view as an inspector must see it."""
    return {name: _encode(name, value) for name, value in vars(view).items() if _is_assign(name)}


def _encode(name, value):
    if name == "password":
        return HIDDEN
    kind = type(value)
    if value is None or kind is bool:
        return value
    if kind is str:
        for secret in views.SECRETS:
            value = value.replace(secret, "[redacted]")
        try:
            value.encode()
        except UnicodeEncodeError:
            return {"$t": "str", "v": value.encode("utf-8", "backslashreplace").decode()}
        return value
    if kind is int:
        return value if abs(value) <= 2**53 else {"$t": "int", "v": str(value)}
    if kind is float:
        if math.isfinite(value):
            return value
        return {"$t": "float", "v": "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"}
    if kind is list:
        return [_encode("", item) for item in value]
    if kind is dict:
        if all(type(key) is str for key in value):
            return {key: _encode(key, item) for key, item in value.items()}
        return {"$t": "dict", "v": [[_encode("", key), _encode("", item)] for key, item in value.items()]}
    if kind in (set, frozenset):
        return {"$t": kind.__name__, "v": sorted((_encode("", item) for item in value), key=json.dumps)}
    if kind is tuple:
        return {"$t": "tuple", "v": [_encode("", item) for item in value]}
    if kind is bytes:
        import base64

        return {"$t": "bytes", "len": len(value), "v": base64.b64encode(value[:4096]).decode()}
    if kind is datetime.timedelta:
        return {"$t": "timedelta", "v": f"{value.total_seconds():g}"}
    if kind in (datetime.datetime, datetime.date):
        return {"$t": kind.__name__, "v": value.isoformat()}
    if kind in (decimal.Decimal, uuid.UUID):
        return {"$t": kind.__name__.lower(), "v": str(value)}
    raise TypeError(f"the model does not know {kind}")


def _told(value):
    """A told value without what differs from process to process."""
    if type(value) is str:
        return REDACTED.sub("[redacted]", value)
    if type(value) is list:
        return [_told(item) for item in value]
    if type(value) is dict:
        if value.get("$t") == "redacted":
            return HIDDEN
        return {key: _told(item) for key, item in value.items()}
    return value


def differences(expected, told):
    """Names of assigns that were told otherwise than they were."""
    told = {name: _told(value) for name, value in told.items() if _is_assign(name)}
    names = sorted({*expected, *told})
    absent = object()
    return {n: (expected.get(n, "(absent)"), told.get(n, "(absent)")) for n in names if expected.get(n, absent) != told.get(n, absent)}


# -- what happened


class Faults(list):
    """What is wrong, each with its kind, by which a fault that is being mended is known."""

    def append(self, text, kind="told"):
        super().append((kind, text))


@dataclasses.dataclass(eq=False)
class Happening:
    """One thing that happened on a page, and whether it must be told."""

    page: object
    keys: tuple  # how its step may be known; the first is what it should be
    began: float
    recorded: bool  # the agent was to record when it began
    thinned: bool = False  # the budget was used up when it began
    view: object = None
    ended: float = None
    before: dict = None
    after: dict = None
    required: bool = True
    note: str = ""

    def __str__(self):
        return f"{'/'.join(map(str, self.keys[0]))} on page {self.page.number} at {self.began:.3f}{' ' + self.note if self.note else ''}"


class Ledger:
    """What happened, in the order in which it ended."""

    def __init__(self, clock, find, is_recorded, child_comes):
        self.clock = clock
        #: Called by a view with itself, and the id and the view of a child that its render made.
        self.child_comes = child_comes
        self.find = find
        self.is_recorded = is_recorded
        self.happened = []
        self.faults = Faults()
        #: Messages of pages that are under way, by page: what a handler does belongs to them.
        self.marks = {}
        self.ticks = 0
        self.child_ids = 0
        #: Work that a handler started, by its mark: whether it is recorded is known when it starts.
        self.works = {}

    def begin(self, page, *keys, note=""):
        recorded, thinned = self.is_recorded(page)
        # What an inspector does itself, and a page's end, are told whatever they cost.
        return Happening(page, keys, self.clock.now, recorded, thinned and keys[0][0] not in ("jump", "close"), note=note)

    def end(self, happening, required=True):
        happening.ended = self.clock.now
        happening.required = required
        self.happened.append(happening)

    def next_tick(self):
        self.ticks += 1
        return self.ticks

    def work_starts(self, view, mark):
        page, _ = self.find(view)
        if page is not None:
            self.works[mark] = self.begin(page, ("async", f"work-{mark}"))

    def next_child(self):
        self.child_ids += 1
        return self.child_ids

    @contextlib.contextmanager
    def doing(self, view, kind, mark):
        """Called by a view around what it does."""
        page, identity = found = self.find(view)
        if page is not None:
            vars(view)["_simulated"] = found
        else:  # work that goes on after its page has ended or has another view
            page, identity = vars(view).get("_simulated", found)
        there = page is not None and found[0] is page and page.ended is None
        if page is None:
            yield
            return
        if kind == "event":
            happening = self.marks.get((page, mark))
        elif kind == "async":
            happening = self.works.pop(mark, None)
        else:
            happening = self.begin(page, (kind, mark))
            if kind == "tick" and page.paused:
                self.faults.append(f"page {page.number} ticked while its ticks were paused", "ticks")
        if happening is None:
            yield
            return
        happening.view = identity
        happening.before = assigns(view)
        try:
            yield
        finally:
            happening.after = assigns(view)
            if kind != "event":
                self.end(happening, required=there)


# -- what was told


class Log:
    """What one inspector got: the frames of an attachment, and of those that resumed it."""

    def __init__(self, name, began):
        self.name = name
        self.began = began  # simulated time
        self.ended = None
        self.frames = []
        #: Whether it read until its end.
        self.complete = True
        self.unrecorded = []  # intervals of time in which it was away and nothing had to be kept for it

    def steps(self):
        return [f for f in self.frames if f["t"] == "step" and not f["history"]]


def keys_of(step, state):
    """How a step is known: one key, or several where djust did several things at once."""
    kind, params = step["kind"], step["params"]
    if kind in ("event", "replay"):
        raw = json.loads(step["raw"]) if step["raw"] else None
        mark = raw.get("mark") if type(raw) is dict else None
        if type(mark) is not str and type(params) is dict:
            mark = params.get("mark")
        return [("event", mark if type(mark) is str else f"ref-{step['ref']}")]
    if kind == "push":
        events = params if type(params) is list else [params]
        return [("push", (e.get("payload") or {}).get("mark")) for e in events]
    if kind == "tick":
        return [("tick", str((state or {}).get("ticks")))]
    if kind == "mount":
        return [("mount", step["view"])]
    if kind == "jump":
        return [("jump", ((step["cause"] or {}).get("target") or {}).get("mark"))]
    if kind in ("url_change", "async", "hot_reload", "hvr", "reload"):
        return [(kind, step["name"])]
    return [(kind, None)]


def check(log, ledger, pages, everything=None):
    """What is wrong with what an inspector was told: (kind, text); `everything` is the log of one that missed nothing."""
    wrong = Faults()
    held = {}
    by_id = {page.id: page for page in pages if page.id}
    told = Counter()
    where = {}
    last_seq, closed = 0, {}
    dropped = 0

    def apply(session, view, state, what):
        """A told state put together; ``None`` where there is none."""
        if state is None or "missing" in state:
            return None
        if "set" in state:
            base = {}
            if state["base"] is not None:
                base = held.get((session, view, state["base"]))
                if base is None:
                    wrong.append(f"{what} builds on revision {state['base']}, which was never told", "sync")
                    return None
            value = {**base, **state["set"]}
            for name in state.get("del", ()):
                value.pop(name, None)
            held[(session, view, state["rev"])] = value
        found = held.get((session, view, state["rev"]))
        page = by_id.get(session)
        if found is None and not (page is not None and page.ended is not None and page.ended <= log.now):
            wrong.append(f"{what} is revision {state['rev']}, which was never told", "sync")
        return found

    happened = {}
    for happening in ledger.happened:
        for key in happening.keys:
            happened.setdefault((happening.page.id, key), []).append(happening)
    history = {}
    for frame in log.frames:
        log.now = frame.get("at", 0.0) - EPOCH
        if "seq" in frame:
            if frame["seq"] <= last_seq:
                wrong.append(f"frame {frame['seq']} came after {last_seq}")
            last_seq = frame["seq"]
        if frame["t"] == "gap":
            dropped += frame["dropped"]
            history = {}
        elif frame["t"] == "synced":
            history = {}
        elif frame["t"] == "state":
            page = by_id.get(frame["session"])
            apply(frame["session"], frame["view"], frame["state"], f"the state of page {page.number if page else '?'}")
        elif frame["t"] == "session":
            page = by_id.get(frame["session"])
            if page is None:
                wrong.append(f"session {frame['session']} is of no page")
            elif not page.was_wanted:
                wrong.append(f"page {page.number} is described, and not to be recorded")
            if frame["phase"] == "closed":
                closed[frame["session"]] = closed.get(frame["session"], 0) + 1
        elif frame["t"] == "step":
            session, view = frame["session"], frame["view"]
            page = by_id.get(session) if session is not None else None
            name = f"step {frame['kind']} {frame['name']!r} of page {page.number if page else session}"
            if frame["history"]:
                if frame["key"] in history:
                    wrong.append(f"{name} is twice in one history")
                history[frame["key"]] = True
                apply(session, view, frame["before"], name)
                apply(session, view, frame["after"], name)
                continue
            before = apply(session, view, frame["before"], name)
            after = apply(session, view, frame["after"], name)
            for key in keys_of(frame, after):
                found = happened.get((session, key)) or []
                if session is not None and not found:
                    wrong.append(f"{name} {key} tells what did not happen", "ticks" if key[0] == "tick" else "told")
                told[(session, key)] += 1
                where[(session, key)] = frame
                if len(found) != 1:
                    continue
                happening = found[0]
                if frame["kind"] in ("event", "tick", "async", "push") and happening.after is not None and happening.note != "cut":
                    if frame["kind"] != "mount" and view != happening.view:
                        wrong.append(f"{name} is told of view {view}, and happened on {happening.view}")
                    elif len(keys_of(frame, after)) == 1:
                        for side, mine, theirs in (("before", happening.before, before), ("after", happening.after, after)):
                            if mine is None or frame["kind"] == "async":
                                continue  # the state after work is that after its render, for which it may have to wait
                            if theirs is None:
                                wrong.append(f"{name} {key} has no state {side}")
                            elif differences(mine, theirs):
                                kind = "ticks" if key[0] == "tick" else "told"
                                wrong.append(f"{name} {key}, {side}, really/told: {short(differences(mine, theirs))}", kind)

    # Exactly once, or in a gap.
    end = log.ended if log.ended is not None else math.inf
    missing = []
    thinned = 0
    expected = Counter()
    possible = Counter()
    for happening in ledger.happened:
        place = [(happening.page.id, key) for key in happening.keys]
        count = next((each for each in place if told[each]), place[0])
        if happening.keys[0][0] == "mount" and happening.keys[0][1] is not None:
            possible[count] += not (happening.recorded and not happening.thinned)  # told when its page is looked at
        if happening.recorded and not happening.thinned:
            possible[count] += 1
            away = any(a <= happening.ended <= b for a, b in log.unrecorded)
            # Work is told when it has been rendered, for which it waits while a handler runs.
            late = 3.0 if happening.keys[0][0] == "async" else EDGE
            if happening.required and not away and log.began + EDGE < happening.began and happening.ended < end - late:
                expected[count] += 1
        elif happening.recorded and log.began + EDGE < happening.began and happening.ended < end - EDGE:
            thinned += 1
    sample = {}
    for happening in ledger.happened:
        for key in happening.keys:
            sample[(happening.page.id, key)] = happening
    for place, number in expected.items():
        if told[place] < number:
            missing.append((place, number - told[place]))
    for place, number in told.items():
        if place[0] is not None and place in sample and number > possible[place]:
            kind = "ticks" if place[1][0] == "tick" else "told"
            wrong.append(f"{sample[place]} is told {number} times, {possible[place]} allowed", kind)
    lost = sum(number for place, number in missing if kind_of(place, sample[place]) == "told")
    slow = [f for f in log.frames if f["t"] == "gap" and f["why"] == "slow"]
    thin = sum(f["dropped"] for f in log.frames if f["t"] == "gap" and f["why"].startswith("thinned"))
    if thinned > thin and log.complete and not slow:
        wrong.append(f"{thinned} things were left out for the budget's sake, {thin} are told", "thinned")
    for place, number in missing:
        kind = kind_of(place, sample[place])
        if not slow or (kind == "told" and lost > sum(f["dropped"] for f in slow)):
            wrong.append(f"{sample[place]} is not told" + (f" ({number} times)" if number > 1 else ""), kind)
    for page in pages:
        if page.ended is None or not page.id:
            continue
        if page.closed_recorded and log.began + EDGE < page.ended < end - EDGE and not closed.get(page.id):
            if not slow and not any(a <= page.ended <= b for a, b in log.unrecorded):
                wrong.append(f"the end of page {page.number} is not told", "cancelled" if not page.disconnected else "told" if page.path_known else "path")
    if everything is not None and everything is not log and log.complete and len(log.unrecorded) == 0:
        for text in _gaps(log, everything):
            wrong.append(text)
    return wrong


def _gaps(log, everything):
    """Whether gaps count the frames that are missing, no fewer and none that are there."""
    got = {f["seq"]: f["t"] for f in log.frames if f.get("seq")}
    first = next((f["seq"] for f in log.frames if f["t"] == "synced"), None)
    if first is None:
        return []
    start = next(f["seq"] for f in everything.frames if f["t"] == "synced")
    live = {f["seq"] for f in everything.frames if f.get("seq", 0) > start}
    odd = sorted({kind for seq, kind in got.items() if seq not in live and kind not in OF_A_SYNC})
    wrong = [f"a frame {kind!r} went to one inspector only" for kind in odd]
    last = max(got)
    missing = len([seq for seq in live if first < seq <= last and seq not in got])
    absent = last - first - len([seq for seq in got if seq > first])
    dropped = sum(f["dropped"] for f in log.frames if f["t"] == "gap" and f["why"] == "slow")
    if not missing <= dropped <= absent:
        wrong.append(f"{missing} frames are missing, the gaps count {dropped}, {absent} numbers were not seen")
    return wrong


def kind_of(place, happening):
    """The kind of fault that it is when this is not told."""
    if happening.note in ("deep", "cancelled"):
        return happening.note
    if place[1][0] == "close" and not happening.page.path_known:
        return "path"
    return "children" if place[1][0] == "mount" and place[1][1] is not None else "told"


def short(value):
    text = repr(value)
    return text if len(text) <= 400 else text[:400] + "…"
