"""One thing that happens in a session, from its beginning to the ``step`` frame that tells of it.

A turn is found through a context variable, which asyncio tasks and ``sync_to_async`` threads
inherit; so SQL, log records, renders and frames find the step to which they belong. A turn that has
ended is closed: what a task started by it does later belongs to that task's own turn, or to none.
"""

from __future__ import annotations

import contextvars
import json
import time
import traceback
from typing import Any

from . import budget, guard, hub, redact, sessions
from .hidden import NOTHING, Known
from .hub import HUB
from .sessions import Session, encodable
from .streams import hidden_names
from .walker import Walker

_dumps = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode

CURRENT: "contextvars.ContextVar[Turn | None]" = contextvars.ContextVar("djust_inspector_turn", default=None)

#: Entries that one step keeps of each sort; a loop with thousands of queries is still told as such.
MAX_SQL = 2000
MAX_LOGS = 500


class Turn:
    """What is known so far about one thing that is happening."""

    def __init__(self, session: Session | None, kind: str | None, name: str = "") -> None:
        self.session = session
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
        self.log_error: dict[str, Any] | None = None  # of the last ERROR record with a traceback
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

    # -- states

    def look_before(self, view: Any) -> None:
        """Encode the state before the change, once."""
        if self.before is not None or self.session is None or view is None:
            return
        self.view = view
        self.view_id = self.session.id_of(view)
        stream = self.session.stream(self.view_id)
        self.writes, stream.writes = stream.writes, {}
        self.looked = time.time()
        self.before = stream.encode(view, self.hidden(view))

    def look_after(self, view: Any) -> None:
        """Encode the state after the change; a later look replaces an earlier one."""
        if self.session is None or view is None:
            return
        if self.view is None:
            self.view = view
            self.view_id = self.session.id_of(view)
        if self.view is view:
            self.looked = time.time()
            self.after = self.session.stream(self.view_id).encode(view, self.hidden(view))

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
        if self.log_error is not None and (self.kind in ("push", "async", "tick") or frame is not None):
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


@guard.guarded
def finish(turn: Turn, error: BaseException | None = None) -> None:
    """Close a turn and send its step, unless nothing came of it."""
    if turn.closed:
        return
    if error is not None and isinstance(error, Exception):
        turn.raised(error, "failed")
    session = turn.session
    if turn.kind is None:
        if turn.errors and session is not None:
            turn.kind, turn.name = "error", turn.name or "message"
        else:
            turn.closed = True
            if session is not None:
                session.message = (turn.name, time.time()) if turn.name != "ping" else session.message
                guard.guarded(send_rate)(session)
            return
    if session is not None and turn.after is None and turn.kind not in ("close", "rate_limited", "error"):
        views = session.views()
        turn.look_after(views.get(turn.view_id) if turn.view_id in views else None)
    status, _ = turn.result()
    if turn.quiet and status == "ok" and not turn.sent and not turn.logs and not turn.sql:
        stream = session.stream(turn.view_id) if session is not None else None
        if stream is None or turn.after is None or turn.after == stream.texts:
            turn.closed = True
            return
    publish_step(turn)
    if session is not None:
        _after_step(turn, session)
    budget.BUDGET.look()


@guard.guarded
def _after_step(turn: Turn, session: Session) -> None:
    if turn.kind == "mount" and session.root is not None:
        session.phase = "mounted"
        sessions.link_successor(session)
        from . import shells

        shells.publish(session)
        for view_id, view in session.views().items():
            if view_id is not None and session.stream(view_id).rev is None:
                child = Turn(session, "mount", type(view).__qualname__)
                child.view, child.view_id, child.fresh = view, view_id, True
                child.look_after(view)
                publish_step(child)
    elif turn.kind in ("event", "jump", "replay", "push", "async", "tick", "hvr", "hot_reload", "url_change"):
        views = session.views()
        for view_id, view in views.items():
            if view_id is not None and view_id not in session.streams:
                child = Turn(session, "mount", type(view).__qualname__)
                child.view, child.view_id, child.fresh = view, view_id, True
                child.look_after(view)
                publish_step(child)
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

        text = configuration.changed()
        if text is not None:
            HUB.publish("config", text)


@budget.metered
def publish_step(turn: Turn) -> None:
    """Send the step of a turn. Revisions are given here, so that they grow in the order of the frames."""
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
    with HUB.lock:
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
        turn.closed = turn.published = True
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
