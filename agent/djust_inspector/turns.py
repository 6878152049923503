"""One thing that happens in a session, from its beginning to the ``step`` frame that tells of it.

A turn is found through a context variable, which asyncio tasks and ``sync_to_async`` threads
inherit; so SQL, log records, renders and frames find the step to which they belong. A turn that has
ended is closed: what a task started by it does later belongs to that task's own turn, or to none.
A task may live as long as the server, and its context with it: what a context holds is a place, which
the turn leaves when it is closed.
"""

from __future__ import annotations

import contextlib
import contextvars
import functools
import json
import time
import traceback
from typing import Any, Callable

from . import budget, forks, guard, hub, redact, sessions
from .guard import F
from .hidden import NOTHING, Known
from .hub import HUB
from .sessions import NO_VIEW, Session, encodable
from .streams import hidden_names
from .walker import Walker

_dumps = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode



class Place:
    """Where a context finds its turn for as long as that is open, and then no more than the key of its step."""

    __slots__ = ("key", "turn")

    def __init__(self, turn: Turn) -> None:
        self.turn: Turn | None = turn
        self.key: str | None = None


_place: "contextvars.ContextVar[Place | None]" = contextvars.ContextVar("djust_inspector_turn", default=None)


class _Current:
    """The turn of this context."""

    @staticmethod
    def get() -> Turn | None:
        place = _place.get()
        return None if place is None else place.turn

    @staticmethod
    def began() -> str | None:
        """The key of the step in which began what runs here, when that step has ended."""
        place = _place.get()
        return None if place is None else place.key

    @staticmethod
    def set(turn: Turn) -> "contextvars.Token[Place | None]":
        return _place.set(turn.place)

    @staticmethod
    def reset(token: "contextvars.Token[Place | None]") -> None:
        with contextlib.suppress(ValueError):  # a coroutine that nobody awaits any more is ended in another context
            _place.reset(token)


CURRENT = _Current()


@forks.in_child
def _forked() -> None:
    """What happens in a child is no part of the step in which it was forked."""
    _place.set(None)


#: Entries that one step keeps of each sort; a loop with thousands of queries is still told as such.
MAX_SQL = 2000
MAX_LOGS = 500


class Turn:
    """What is known so far about one thing that is happening."""

    def __init__(self, session: Session | None, kind: str | None, name: str = "") -> None:
        self.session = session
        self.page = session.id if session is not None else None
        self.kind = kind
        self.name = name
        self.key: str | None = None
        self.started = time.time()
        self.clock = time.perf_counter()
        self.view: Any = None
        self.view_id: str | None = None
        self.component: str | None = None
        self.params: str | None = None
        self.given: dict[str, Any] | None = None  # parameters as they came, for a handler that is never called
        self.raw: str | None = None
        self.ref: Any = None
        self.before: dict[str, str] | None = None
        self.after: dict[str, str] | None = None
        self.fresh = False  # nothing was held before: `before` is null
        self.error: dict[str, Any] | None = None
        self.status: str | None = None
        self.errors: list[dict[str, Any]] = []
        self.sent: list[str] = []
        self.cause: dict[str, Any] | None = None
        self.sql: list[tuple[str, str | None, float, float, str | None, bool]] = []
        self.sql_dropped = 0
        self.logs: list[dict[str, Any]] = []
        self.handler_ms: float | None = None
        self.render_ms: float | None = None
        self.html: str | None = None
        self.html_is_inside = False  # of the root element already, as it goes over the socket
        self.handled = False
        self.swap: tuple[bool, str, bool] | None = None
        self.swap_depth = 0
        self.quiet = False  # emit only when something came of it
        self.over_http = False  # by djust's HTTP fallback: no frame and no hook tells of the end of its handler
        self.log_error: dict[str, Any] | None = None  # of the last ERROR record with a traceback
        self.place = Place(self)
        self.outcome: tuple[str, dict[str, Any] | None] | None = None  # once it is released
        self.reached = False  # likewise: whether it got as far as a view
        self.closed = False
        self.published = False
        self.writes: dict[str, Any] = {}  # what `causes` noted between the last look and `before`
        self.looked = self.started  # when the state was looked at last
        self._hidden: tuple[Any, frozenset[str]] = (None, frozenset())

    @property
    def known(self) -> Known:
        """The secrets that the page is known to hold."""
        return NOTHING if self.session is None else self.session.known

    def hidden(self, view: Any) -> frozenset[str]:
        """The names that `view` hides, looked up once a turn."""
        if view is not self._hidden[0]:
            self._hidden = (view, hidden_names(view) if view is not None else frozenset())
        return self._hidden[1]

    def close(self) -> None:
        """End it: nothing more belongs to it, and contexts hold it no longer."""
        self.closed = True
        self.place.turn = None
        self.place.key = self.key if self.published else None
        if self.session is not None:
            self.session.running.discard(self)
            self.session.open_keys.discard(self.key)

    def release(self) -> None:
        """Let go of all that its step has told; whoever still asks for it wants its name and its end."""
        self.outcome = self.result()
        self.before = self.after = self.params = self.given = self.raw = self.html = None
        self.log_error = self.error = None
        self.sql, self.logs, self.errors, self.writes = [], [], [], {}
        self.reached = self.view is not None
        self.session = self.view = None
        self._hidden = (None, frozenset())

    # -- states

    def look_before(self, view: Any) -> None:
        """Encode the state before the change, once."""
        if self.before is not None or self.session is None or view is None:
            return
        view_id = self.session.id_of(view)
        if view_id is NO_VIEW:
            return
        self.view, self.view_id = view, view_id
        stream = self.session.stream(view_id, view)
        if stream.rev is None and not self.fresh:  # its mount was not recorded
            mounted(self.session, view_id, view, self.started)
        self.writes, stream.writes = stream.writes, {}
        self.looked = time.time()
        self.before = stream.encode(view, self.hidden(view))

    def look_after(self, view: Any) -> None:
        """Encode the state after the change; a later look replaces an earlier one."""
        if self.session is None or view is None:
            return
        if self.view is None:
            view_id = self.session.id_of(view)
            if view_id is NO_VIEW:
                return
            self.view, self.view_id = view, view_id
        if self.view is view:
            self.looked = time.time()
            self.after = self.session.stream(self.view_id, view).encode(view, self.hidden(view))

    # -- what comes of it

    def raised(self, error: BaseException, status: str = "raised") -> None:
        """The project's code raised; the first one counts."""
        if self.status is None:
            self.status = status
            self.error = describe_error(error, self.known)

    def add_log(self, entry: dict[str, Any]) -> None:
        if len(self.logs) < MAX_LOGS:
            self.logs.append(entry)

    def add_sql(self, sql: str, params: str | None, ms: float, at: float, db: str | None, many: bool) -> None:
        """Keep a query: its text and parameters, how long it took and when, and on which database."""
        if len(self.sql) < MAX_SQL:
            self.sql.append((sql, params, ms, at, db, many))
        else:
            self.sql_dropped += 1

    def result(self) -> tuple[str, dict[str, Any] | None]:
        """The step's status and error."""
        if self.outcome is not None:
            return self.outcome
        frame = self.errors[0] if self.errors else None
        shown = None
        if frame is not None:
            shown = {
                "type": str(frame.get("code") or frame.get("type") or "error"),
                "message": redact.redact_text(str(frame.get("error", "")), self.known),
                "traceback": redact.redact_text(frame["traceback"], self.known) if type(frame.get("traceback")) is str else None,
            }
            if type(frame.get("validation_details")) is dict:
                shown["details"] = redact.redact_json(frame["validation_details"], known=self.known)
        if self.status is not None:
            error = self.error or shown
            if error is not None and shown is not None and not error.get("traceback"):
                error = {**error, "traceback": shown["traceback"]}
            return self.status, error
        if self.log_error is not None and self.over_http and self.handled and frame is not None and self.render_ms is None:
            return "raised", self.log_error
        if self.kind == "message" and frame is None and self.log_error is None:
            failed = [entry for entry in self.logs if entry["level"] in ("ERROR", "CRITICAL")]
            if failed:  # djust catches what these handlers raise, and logs it without a traceback
                return "raised", {"type": failed[0]["logger"], "message": failed[0]["message"], "traceback": None}
        if self.log_error is not None and (self.kind in ("push", "async", "tick", "message") or frame is not None):
            if frame is None:
                return "raised", self.log_error
            if "validation_details" not in frame:
                return "failed", self.log_error
        if frame is not None:
            if "validation_details" in frame:
                return "invalid", shown
            return "failed", shown
        return "ok", None


def current(session: Session | None = None) -> Turn | None:
    """The turn of this context if it is still open (and belongs to `session`, when one is given)."""
    turn = CURRENT.get()
    if turn is None or turn.closed or (session is not None and turn.session is not session):
        return None
    return turn


def describe_error(error: BaseException, known: Known = NOTHING) -> dict[str, Any]:
    """An exception as the protocol's error object. Its message is the one thing of it that is asked."""
    try:
        message = str(error)
    except Exception:
        message = "(the exception's message cannot be read)"
    try:
        trace = "".join(traceback.format_exception(type(error), error, error.__traceback__))
    except Exception:
        trace = "".join(traceback.format_tb(error.__traceback__))
    return {
        "type": type(error).__qualname__,
        "message": redact.redact_text(message[:20_000], known),
        "traceback": redact.redact_text(without_agent(trace)[:200_000], known),
    }


def without_agent(trace: str) -> str:
    """A traceback without the agent's own frames, which are no news to anybody."""
    lines = trace.splitlines(keepends=True)
    out, skip = [], False
    for line in lines:
        if line.startswith('  File "'):
            skip = "djust_inspector" in line and "/tests/" not in line
        elif not line.startswith("    "):
            skip = False
        if not skip:
            out.append(line)
    return "".join(out)


def typed(value: Any, hidden: frozenset[str] = frozenset(), known: Known = NOTHING) -> str:
    """A value as typed JSON text, redacted."""
    return Walker(hidden, known=known).clean(value)


def typed_params(params: Any, hidden: frozenset[str] = frozenset(), known: Known = NOTHING) -> str:
    """Parameters as typed JSON text. A form event names its field beside its value, which is hidden by it."""
    return Walker(hidden, known=known, messages=True).clean(params)


@guard.metered
def finish(turn: Turn, error: BaseException | None = None) -> None:
    """Close a turn and send its step, unless nothing came of it. Never raises."""
    if turn.closed:
        return
    session = turn.session
    try:
        _finish(turn, session, error)
    except Exception:
        guard.report("finish")
        guard.guarded(lost)(turn, session)
    finally:
        turn.close()
        guard.guarded(turn.release)()


def _finish(turn: Turn, session: Session | None, error: BaseException | None) -> None:
    if error is not None and isinstance(error, Exception):
        turn.raised(error, "failed")
    if turn.kind is None:
        if not turn.errors or session is None:
            _left_out(turn, session)
            return
        turn.kind, turn.name = "error", turn.name or "message"
    if turn.kind == "message" and turn.errors and turn.name not in MESSAGES:
        turn.kind = "error"  # of a kind that djust does not know
    if session is not None and turn.after is None and turn.kind not in ("close", "rate_limited", "error"):
        views = session.views()
        turn.look_after(views.get(turn.view_id) if turn.view_id in views else None)
    status, _ = turn.result()
    if turn.quiet and status == "ok" and not set(turn.sent) - _NO_NEWS and not turn.logs and not turn.sql:
        stream = session.stream(turn.view_id) if session is not None else None
        # A tick that djust left out, because an event was under way, looked at nothing: what changed meanwhile is not its own.
        is_skipped = turn.kind == "tick" and turn.before is None
        if is_skipped or stream is None or turn.after is None or turn.after == stream.texts:
            _left_out(turn, session)
            return
    publish_step(turn)
    if session is not None:
        _after_step(turn, session)
    budget.BUDGET.look()


#: Messages of the browser that djust knows and that are no event.
MESSAGES = frozenset(
    """ping upload_register upload_resume upload_chunk upload_complete upload_cancel presence_heartbeat cursor_move
    request_html debug_panel_open debug_panel_close bug_capture_share""".split()
)
#: Frames to the browser that tell nothing: a quiet turn which sent no other is none.
_NO_NEWS = frozenset(["pong"])


def _left_out(turn: Turn, session: Session | None) -> None:
    """Nothing came of a turn. What it sent and received lies with the next step."""
    turn.close()
    if session is not None and turn.kind in (None, "message"):
        session.message = (turn.name, time.time()) if turn.name != "ping" else session.message
        guard.guarded(send_rate)(session)


def lost(turn: Turn | None, session: Session | None) -> None:
    """Say that a step could not be told. What it may have changed is told as a whole by the next one."""
    if not hub.ACTIVE:
        return
    what = " ".join(filter(None, (turn.kind, turn.name))) if turn is not None else "message"
    why = f"a step ({redact.redact_address(what[:200])}) could not be recorded: an error in the agent, which its advice shows"
    with HUB.lock:
        if session is not None:
            stream = session.streams.get(turn.view_id if turn is not None else None)
            if stream is not None:
                stream.restart()
        HUB.publish("gap", '"dropped":1,"why":%s' % encodable(why))


def begins(function: F) -> F:
    """A function that begins a turn: guarded, and where it fails what it was about is told as lost."""

    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except Exception:
            guard.report(function.__qualname__)
            guard.guarded(lost)(None, None)
            return None

    return wrapper  # type: ignore[return-value]


async def run(
    turn: Turn, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any], end: Callable[..., None] | None = None
) -> Any:
    """Await djust's own function inside of a turn, and finish that. `end` looks at the turn before it is told."""
    token = CURRENT.set(turn)
    error: BaseException | None = None
    try:
        return await function(*args, **kwargs)
    except BaseException as raised:
        error = raised
        raise
    finally:
        CURRENT.reset(token)
        if end is not None:
            guard.guarded(end)(turn, error)
        finish(turn, error)
        error = None  # its traceback has this frame


def around(begin: Callable[..., Turn | None], end: Callable[..., None] | None = None) -> Callable[[Any], Any]:
    """A hook of an asynchronous function of djust, which runs inside of the turn that `begin` makes of its arguments."""
    begin = begins(begin)

    def make(original: Any) -> Any:
        async def hooked(*args: Any, **kwargs: Any) -> Any:
            turn = begin(args, kwargs) if hub.ACTIVE else None
            if turn is None:
                return await original(*args, **kwargs)
            return await run(turn, original, args, kwargs, end)

        return hooked

    return make


def mounted(session: Session, view_id: str | None, view: Any, started: float | None = None) -> None:
    """Send the mount of a view of which nothing was told yet: a child, or one whose own step was left out."""
    turn = Turn(session, "mount", type(view).__qualname__)
    turn.started = started or turn.started
    turn.view, turn.view_id, turn.fresh = view, view_id, True
    turn.look_after(view)
    publish_step(turn)
    turn.close()
    turn.release()


@guard.guarded
def _after_step(turn: Turn, session: Session) -> None:
    if turn.kind == "mount" and session.root is not None:
        session.phase = "mounted"
        sessions.link_successor(session)
        from . import shells

        shells.publish(session)
    if turn.kind not in ("close", "rate_limited"):
        views = session.views()
        for view_id, view in views.items():
            if session.stream(view_id, view).rev is None:
                mounted(session, view_id, view)
        session.drop_streams(views)
    if turn.kind != "close":
        sessions.publish(session)
    send_rate(session)
    if turn.kind in ("mount", "hvr", "hot_reload") or guard.changed.is_set():
        guard.changed.clear()
        from . import server

        described = server.changed()
        if described is not None:
            HUB.publish("server", '"server":' + safe_dumps(described))
        from . import configuration

        text = configuration.changed(session)
        if text is not None:
            HUB.publish("config", text)


@guard.metered
def publish_step(turn: Turn) -> None:
    """Send the step of a turn. Revisions are given here, so that they grow in the order of the frames."""
    from . import sync

    session = turn.session
    status, error = turn.result()
    ms = (time.perf_counter() - turn.clock) * 1000
    timing = "null"
    if turn.handler_ms is not None or turn.render_ms is not None:
        timing = '{"handler":%s,"render":%s}' % (_rounded(turn.handler_ms), _rounded(turn.render_ms))
    if turn.sql_dropped:
        turn.cause = {**(turn.cause or {}), "sql_dropped": turn.sql_dropped}
    html = "null"
    if session is not None:
        version = turn.known.version
        html = _html(turn, session) or "null"
        if turn.known.version != version:  # a field of the page has a value that is an ordinary assign
            turn.before, turn.after = turn.known.hide_each(turn.before), turn.known.hide_each(turn.after)
    if turn.key is None:
        turn.key = HUB.next_key()
    if turn.params is None:
        root = session.root if session is not None else None
        turn.params = "null" if turn.given is None else typed_params(turn.given, turn.hidden(root), turn.known)
    outside = ""
    if session is not None and turn.before is not None and session.stream(turn.view_id).differs(turn.before):
        outside = guard.guarded(_outside)(turn, session) or ""
    if session is not None:
        sync.ahead(session)
    with session.lock if session is not None else contextlib.nullcontext():
        before = after = "null"
        if session is not None:
            stream = session.stream(turn.view_id)
            if turn.fresh:
                stream.restart()
            elif turn.before is not None:
                before = stream.commit(turn.before)
            else:
                before = stream.same()
            if turn.after is not None:
                old = stream.texts
                after = stream.commit(turn.after)
                if stream.texts is not old:
                    now = time.time()
                    changed = [name for name, text in turn.after.items() if old.get(name) != text]
                    stream.touched.update((name, (turn.key, now)) for name in changed)
                stream.looked, stream.last_key = turn.looked, turn.key
            elif not turn.fresh:
                after = stream.same()
        turn.published = True
        turn.close()
        known = turn.known
        frames = session.take_frames(turn) if session is not None else "[]"
        HUB.publish(
            "step",
            '"key":%s,"session":%s,"view":%s,"component":%s,"kind":"%s","name":%s,"params":%s,"raw":%s,"ref":%s,'
            '"started":%.6f,"ms":%.3f,"timing":%s,"before":%s,"after":%s,"status":"%s","error":%s,"cause":%s,'
            '"sql":[%s],"logs":[%s],"frames":%s,"html":%s,"history":false%s'
            % (
                encodable(turn.key),
                encodable(session.id if session is not None else None),
                encodable(turn.view_id),
                encodable(turn.component),
                turn.kind,
                encodable(known.hide(redact.redact_address(turn.name, known))),
                known.hide_json(turn.params),
                encodable(None if turn.raw is None else known.hide_json(turn.raw)),
                turn.ref if type(turn.ref) is int else "null",
                turn.started,
                ms,
                timing,
                before,
                after,
                status,
                safe_dumps(known.hide_all(error)),
                safe_dumps(known.hide_all(turn.cause)),
                ",".join(_query(entry, known) for entry in turn.sql),
                ",".join(safe_dumps(known.hide_all(entry)) for entry in turn.logs),
                frames,
                html,
                outside,
            ),
            page=None if session is None else session.id,
        )


def _query(entry: tuple[str, str | None, float, float, str | None, bool], known: Known) -> str:
    sql, params, ms, at, db, many = entry
    return '{"sql":%s,"params":%s,"ms":%.3f,"at":%.6f,"db":%s,"many":%s}' % (
        encodable(known.hide(sql)),
        encodable(None if params is None else known.hide(params)),
        ms,
        at,
        encodable(db),
        "true" if many else "false",
    )


def _outside(turn: Turn, session: Session) -> str:
    """The ``outside`` field: who may have changed the state since the last step."""
    from . import causes

    found = causes.explain(turn, session)
    return ',"outside":' + safe_dumps(turn.known.hide_all(found)) if found else ""


def safe_dumps(value: Any) -> str:
    """Strict JSON of an object that the agent itself has put together."""
    if value is None:
        return "null"
    try:
        text = _dumps(value)
        text.encode("utf-8")
        return text
    except (ValueError, TypeError, UnicodeEncodeError):
        return Walker().text(value)


def _rounded(value: float | None) -> str:
    return "null" if value is None else "%.3f" % value


@guard.guarded
def _html(turn: Turn, session: Session) -> str:
    """The ``html`` field: the page after this turn's render, when it is not what was sent last."""
    raw = turn.html
    if raw is None or raw == session.raw_html:
        return "null"
    session.raw_html = raw
    view = session.root
    text = raw
    if view is not None and not turn.html_is_inside:
        strip = getattr(view, "_strip_comments_and_whitespace", None)
        extract = getattr(view, "_extract_liveview_content", None)
        if strip is not None and extract is not None:
            text = extract(strip(raw))
    text = session.known.hide(redact.redact_value(text, session.known))
    if text == session.html:
        return "null"
    session.html = text
    version = getattr(session.consumer, "_last_sent_version", 0)
    return '{"version":%d,"text":%s}' % (version if type(version) is int else 0, encodable(text))


def send_rate(session: Session) -> None:
    """Send the session's rate-limit levels, at most four times a second; the last change is never left out."""
    if not hub.ACTIVE or session.rate_timer is not None:
        return
    wait = session.rate_at + 0.25 - time.monotonic()
    if wait > 0:
        if session.loop is not None and session.loop.is_running():
            try:
                session.rate_timer = session.loop.call_later(wait, _late_rate, session)
            except RuntimeError:
                pass
        return
    from . import limits

    session.rate_at = time.monotonic()
    text = limits.describe(session)
    if text is not None:
        HUB.publish("rate", text)


@guard.guarded
def _late_rate(session: Session) -> None:
    session.rate_timer = None
    if session.id in sessions.SESSIONS:
        send_rate(session)
