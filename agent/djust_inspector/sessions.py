"""The LiveView sessions of this process, and how one is described to an inspector.

Sessions are registered also while nobody is attached, so that an inspector which comes late sees
all of them. Everything else is read from djust's own objects when it is needed, past descriptors
and lazy objects: describing a session makes no query.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import inspect
import json
import os
import sys
import threading
import time
import types
from collections import deque
from fnmatch import fnmatchcase
from typing import Any

from . import budget, forks, guard, options, redact
from .hidden import Known
from .hub import HUB, size_of
from .streams import FIRST_REV, Stream, hidden_names
from .walker import Walker, _class_dict, _class_mro, class_name, component_parts, own_dict, text_of

dumps = json.dumps
_encode_str = json.encoder.encode_basestring  # the C version where there is one

#: Frames outside any step that one session keeps for its next step.
_PENDING_FRAMES = 400
_PENDING_BYTES = 8 * 1024 * 1024
#: A frame's text beyond this many characters is cut; its true size stays known.
FRAME_TEXT = 1024 * 1024
#: In place of a view's id, for a view that is none of a page's.
NO_VIEW: Any = object()


def bytes_of(text: str) -> int:
    """Bytes of a text on the wire."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


class Session:
    """One browser page: its consumer, the streams of its views, and what was sent about it last."""

    def __init__(self, consumer: Any) -> None:
        self.consumer = consumer
        self.id: str = consumer.session_id
        self.opened = time.time()
        self.path: str | None = None
        #: The path at which the browser loaded the document; live navigation changes `path` only.
        self.loaded_path: str | None = None
        self.close: dict[str, Any] | None = None
        self.close_reason: str | None = None
        self.phase = "connected"
        #: How its messages travel: "websocket", "sse", or "http" for one request at a time.
        self.transport = "websocket"
        #: Held while revisions are given and the frame with them is sent: frames of a page leave in their order.
        self.lock = threading.RLock()
        self.succeeds: str | None = None
        self.ticks_paused = False
        #: Whether what happens now is left out, and whether all is from now on: see ``budget.py``.
        self.thinned = False
        self.given_up = False
        self.limit: dict[str, Any] | None = None
        #: Where the numbers of a new stream's revisions begin: beyond those of all that were dropped.
        self.first_rev = FIRST_REV
        self.last_view = "null"
        self.last_children = ""
        try:
            self.loop: asyncio.AbstractEventLoop | None = asyncio.get_running_loop()
        except RuntimeError:
            self.loop = None
        self.forget()

    def forget(self) -> None:
        """Drop what is only of use while an inspector is attached."""
        self.streams: dict[Any, Stream] = {}
        self._known: Known | None = None
        #: Turn, direction, time, true size and text of each frame that no step has told of yet.
        self.frames: deque[tuple[Any, str, float, int, str]] = deque()
        self.frame_bytes = 0
        self.html: str | None = None
        self.raw_html: str | None = None
        self.sent: str | None = None
        self.seen: tuple[Any, ...] = ()
        self.described_at = 0.0
        self.rate_at = 0.0
        self.rate_timer: Any = None
        self.shell_sent = False
        #: For `causes`: background work that is under way, and the last message that was no step, with its time.
        self.running: set[Any] = set()
        #: Keys of steps that djust's own ring has already and that are still to be told.
        self.open_keys: set[str | None] = set()
        self.message: tuple[str, float] | None = None

    @property
    def known(self) -> Known:
        """The secrets that the page is known to hold; the first are those that its request brought along."""
        if self._known is None:
            self._known = Known()
            guard.guarded(redact.learn_headers)((getattr(self.consumer, "scope", None) or {}).get("headers"), self._known)
        return self._known

    # -- what is recorded of it

    def wanted(self) -> bool:
        """Whether this page is one of those that the settings let be recorded, by what is known of it now."""
        record = options.current().record
        if record.paths:
            path = self.path or page_path(self.root)
            if path is None or not any(fnmatchcase(path.partition("?")[0], pattern) for pattern in record.paths):
                return False
        return self.selected()

    def selected(self) -> bool:
        """Whether this page may be recorded wherever it goes: by the share of pages and by its user."""
        record = options.current().record
        if self.given_up:
            return False
        if record.share < 1.0 and _chance(self.id) >= record.share:
            return False
        if record.users:
            user = user_name(self.scope)
            if user is None or not any(fnmatchcase(user, pattern) for pattern in record.users):
                return False
        return True

    def weight(self) -> int:
        """Roughly the bytes of memory that are held for it."""
        texts = sum(stream.size() for stream in self.streams.values())
        return texts + self.frame_bytes + size_of(self.html or "") + size_of(self.raw_html or "")

    def give_up(self) -> None:
        """Record no more of this page: it is too dear. No command reaches it any more, so its ticks are let go."""
        self.given_up = True
        self.forget()
        if self.ticks_paused:
            from . import ticks

            ticks.release(self)

    # -- views

    @property
    def scope(self) -> dict[str, Any]:
        """The ASGI scope of its connection, or what stands for that where there is none."""
        return self.__dict__.get("http_scope") or getattr(self.consumer, "scope", None) or {}

    @property
    def root(self) -> Any:
        return getattr(self.consumer, "view_instance", None)

    def views(self) -> dict[str | None, Any]:
        """The root view under ``None`` and its children, of any depth, under their ids."""
        root = self.root
        if root is None:
            return {}
        out: dict[str | None, Any] = {None: root}
        waiting = [root]
        while waiting and len(out) < 500:
            children = own_dict(waiting.pop()).get("_child_views")
            if type(children) is dict:
                for identity, child in list(children.items()):
                    if type(identity) is str and identity not in out:
                        out[identity] = child
                        waiting.append(child)
        return out

    def id_of(self, view: Any) -> Any:
        """The id under which `view` is one of this session's views, ``None`` for the root; `NO_VIEW` for none of them."""
        for identity, candidate in self.views().items():
            if candidate is view:
                return identity
        return NO_VIEW

    def stream(self, view_id: str | None, view: Any = None) -> Stream:
        """The stream of the view that has this id now, given as `view` by who will encode it.

        Another view under an id that was used before, as on the next page or after a redirect, begins anew.
        """
        stream = self.streams.get(view_id)
        if stream is not None and (view is None or stream.is_of(view)):
            return stream
        if stream is not None:
            self.first_rev = max(self.first_rev, stream.next_rev)
        stream = self.streams[view_id] = Stream(self.known, self.first_rev)
        if view is not None:
            stream.is_of(view)
        return stream

    def drop_streams(self, views: dict[str | None, Any]) -> None:
        """Forget the streams of children that are gone; `views` are those that are there."""
        if None in views:  # else the page is between two views, and a sticky child may come back
            for view_id in [known for known in self.streams if known not in views]:
                self.first_rev = max(self.first_rev, self.streams.pop(view_id).next_rev)

    # -- frames

    @guard.metered
    def add_frame(self, turn: Any, direction: str, text: str | None, data: bytes | None, is_read: bool = True) -> None:
        """Keep a WebSocket frame for the step of `turn`, or for the next step. Of one that nobody reads, its size alone."""
        if self.thinned and turn is None:
            return
        size = len(data or b"") if text is None else bytes_of(text)
        if not is_read:
            shown = f"({size} bytes, more than djust's max_message_size)"
        elif text is None:
            shown = "(%d bytes, binary)" % size  # what it says is not understood, so nothing in it can be hidden
        else:
            try:
                shown = redact.redact_frame(text, self.hidden(), self.known)[:FRAME_TEXT]
            except RecursionError:
                shown = f"({size} bytes, nested too deeply to be looked through for secrets)"
            except Exception:
                guard.report("add_frame")
                shown = f"({size} bytes, which could not be looked through for secrets)"
        self.frames.append((turn, direction, time.time(), size, shown))
        self.frame_bytes += size_of(shown)
        while self.frames and (len(self.frames) > _PENDING_FRAMES or self.frame_bytes > _PENDING_BYTES):
            self.frame_bytes -= size_of(self.frames.popleft()[4])

    def take_frames(self, turn: Any) -> str:
        """The frames of `turn` and the loose ones, as a JSON list; they are not kept any longer."""
        mine, others = [], deque()
        for entry in self.frames:
            owner, direction, at, size, shown = entry
            if owner is None or owner is turn or owner.closed:
                text = encodable(self.known.hide(shown))  # what the state hid may have come after it
                mine.append('{"dir":"%s","at":%.6f,"bytes":%d,"text":%s}' % (direction, at, size, text))
                self.frame_bytes -= size_of(shown)
            else:
                others.append(entry)
        self.frames = others
        return "[" + ",".join(mine) + "]"

    def hidden(self) -> frozenset[str]:
        """The names that any view of this page hides."""
        out = options.current().redact.names
        for view in self.views().values():
            out |= hidden_names(view)
        return out

    # -- description

    def glance(self) -> tuple[Any, ...]:
        """What a description consists of, as far as it can change at any event; cheap to get and compare."""
        scope = self.scope
        out: list[Any] = [self.phase, self.path, str(self.close), self.succeeds, self.ticks_paused]
        out += id(unwrap(scope.get("user"))), session_key(scope)
        for identity, view in self.views().items():
            components = own_dict(view).get("_components")
            out += identity, id(view), id(type(view))
            out += map(id, list(components.values()) if type(components) is dict else ())
        return tuple(out)

    def describe(self) -> str:
        """The fields of a ``session`` frame as JSON text."""
        scope = self.scope
        headers = dict(scope.get("headers") or [])
        agent = headers.get(b"user-agent")
        client = getattr(self.consumer, "_client_ip", None) or (scope.get("client") or [None])[0]
        views = self.views()
        root = views.pop(None, None)
        described = [guard.guarded(describe_view)(identity, view, self) or "null" for identity, view in views.items()]
        if root is not None:
            self.last_view = guard.guarded(describe_view)(None, root, self) or "null"
            self.last_children = ",".join(described)
        return (
            '"session":%s,"phase":"%s","client":%s,"user":%s,"django_session":%s,"user_agent":%s,"path":%s,'
            '"view":%s,"children":[%s],"pid":%d,"opened":%.6f,"close":%s,"succeeds":%s,"transport":"%s"'
            % (
                dumps(self.id),
                self.phase,
                dumps(client),
                encodable(self.known.hide(redact.look(user_name(scope) or "")) or None),
                dumps(pseudonym(scope)),
                dumps(agent.decode("latin-1")[:400] if agent else None),
                encodable(self.known.hide(redact.redact_address(self.path or page_path(root) or "", self.known)) or None),
                # A page that has closed is described with the views that it had.
                self.last_view if root is not None or self.phase == "closed" else "null",
                self.last_children if root is not None or self.phase == "closed" else "",
                os.getpid(),
                self.opened,
                dumps(self.close),
                dumps(self.succeeds),
                self.transport,
            )
        )


SESSIONS: dict[str, Session] = {}
#: Pages closed lately: (session id, Django session or client, path, when), for `succeeds`.
_closed: deque[tuple[str, Any, str | None, float]] = deque(maxlen=200)


def _chance(identity: str) -> float:
    """A number from 0 to 1 that is always the same for a page."""
    return int.from_bytes(hashlib.sha256(identity.encode()).digest()[:6], "big") / 2**48


def register(consumer: Any) -> Session | None:
    """The session of a consumer, registered on first sight."""
    session = own_dict(consumer).get("_djust_inspector")
    if session is None and getattr(consumer, "session_id", None):
        session = consumer.__dict__["_djust_inspector"] = Session(consumer)
        SESSIONS[session.id] = session
    return session or None  # false after its end


def of(consumer: Any) -> Session | None:
    """The session of a consumer, if it is one that is recorded."""
    session = register(consumer)
    return session if session is not None and session.wanted() else None


def begin(consumer: Any) -> Session | None:
    """The session of a consumer in which something begins now, if that is to be recorded."""
    session = of(consumer)
    if session is None or HUB.overdue():
        return None
    session.thinned = not budget.BUDGET.allows()
    return None if session.thinned else session


def recorded() -> list[Session]:
    """The sessions of which an inspector is told."""
    return [session for session in list(SESSIONS.values()) if session.wanted()]


def publish(session: Session, force: bool = False) -> None:
    """Send the session's description when it changed: at once what a glance shows, the rest once a second."""
    now, seen = time.monotonic(), session.glance()
    if not force and seen == session.seen and now - session.described_at < 1.0:
        return
    session.seen, session.described_at = seen, now
    text = session.describe()
    if force or text != session.sent:
        session.sent = text
        HUB.publish("session", text)


def link_successor(session: Session) -> None:
    """Find the closed page of which this one is the reload or the reconnection."""
    if session.succeeds is not None:
        return
    who, path, now = _who(session), session.path or page_path(session.root), time.time()
    for entry in reversed(_closed):
        if entry[1] == who and entry[2] == path and now - entry[3] < 300:
            session.succeeds = entry[0]
            _closed.remove(entry)
            return


def closed(session: Session) -> None:
    """Remember a page that ended, and forget the rest of it."""
    _closed.append((session.id, _who(session), session.path or page_path(session.root), time.time()))
    if SESSIONS.get(session.id) is session:  # an SSE page chooses its id, so another may have the same
        del SESSIONS[session.id]
    if session.rate_timer is not None:
        session.rate_timer.cancel()
    # The consumer may live on, held by a task of the project. It gets no second session.
    session.consumer.__dict__["_djust_inspector"] = False


@forks.in_child
def _forked() -> None:
    """The pages are the parent's."""
    SESSIONS.clear()
    _closed.clear()


def _who(session: Session) -> Any:
    scope = session.scope
    return pseudonym(scope) or anonymous(scope)


def anonymous(scope: dict[str, Any]) -> Any:
    """What tells one without a Django session from others: the address and the browser."""
    headers = dict(scope.get("headers") or [])
    return ((scope.get("client") or [None])[0], headers.get(b"user-agent"))


# -- reading djust's and Django's objects


def encodable(text: str | None) -> str:
    """A plain JSON string also for text with lone surrogates; ``null`` for ``None``."""
    if text is None:
        return "null"
    if not text.isascii():
        text = text.encode("utf-8", "backslashreplace").decode("utf-8")
    return _encode_str(text)


def unwrap(lazy: Any) -> Any:
    """What a lazy object holds already, without making it load anything."""
    for _ in range(4):
        fields = own_dict(lazy)
        if "_wrapped" not in fields:
            return lazy
        lazy = fields["_wrapped"]
    return None


def user_name(scope: dict[str, Any]) -> str | None:
    """The name of the logged-in user, when it is loaded already."""
    user = unwrap(scope.get("user"))
    fields = own_dict(user)
    for cls in _class_mro(type(user)):
        field = _class_dict(cls).get("USERNAME_FIELD")
        if type(field) is str:
            name = fields.get(field)
            return str.__str__(name) if type(name) is str else None
    return None


def session_key(scope: dict[str, Any]) -> str | None:
    """The key of the Django session, when it is loaded already."""
    fields = own_dict(unwrap(scope.get("session")))
    key = fields.get("_SessionBase__session_key") or fields.get("_session_key")
    return key if type(key) is str else None


def pseudonym(scope: dict[str, Any]) -> str | None:
    """A stable name for a Django session that does not reveal its key."""
    key = session_key(scope)
    if key is None:
        return None
    from django.conf import settings

    secret = getattr(settings, "SECRET_KEY", "") or ""
    secret = secret if isinstance(secret, bytes) else str(secret).encode()
    return hmac.new(secret, key.encode(), hashlib.sha256).hexdigest()[:12]


def page_path(view: Any) -> str | None:
    """The path of the page as the view's request has it."""
    path = own_dict(own_dict(view).get("request")).get("path") if view is not None else None
    return path if type(path) is str else None


def class_attribute(view: Any, name: str, default: Any = None) -> Any:
    """A class-level option as the view sees it: its own attribute, else the class's, never a descriptor."""
    fields = own_dict(view)
    if name in fields:
        return fields[name]
    for cls in _class_mro(type(view)):
        if name in _class_dict(cls):
            return _class_dict(cls)[name]
    return default


def _names(value: Any) -> list[str]:
    if type(value) is dict:
        return [k for k in value if type(k) is str]
    return [n for n in value if type(n) is str] if type(value) in (list, tuple, set, frozenset) else []


def describe_view(identity: str | None, view: Any, session: Session) -> str:
    """A VIEW as JSON text."""
    buffer = own_dict(view).get("_time_travel_buffer")
    ring = None
    if buffer is not None:
        entries = own_dict(buffer).get("_buf")
        if type(entries) is deque:
            ring = {"len": len(entries), "max": entries.maxlen}
    components = own_dict(view).get("_components")
    listed = []
    handlers = [handler_texts(type(view), None)]
    if type(components) is dict:
        for key, component in list(components.items()):
            cls = component_parts(component)[0]
            listed.append({"id": key if type(key) is str else None, "class": class_name(cls)})
            handlers.append(handler_texts(cls, key if type(key) is str else None))
    template = class_attribute(view, "template_name")
    tick = class_attribute(view, "tick_interval")
    return (
        '{"id":%s,"class":%s,"template":%s,"sticky":%s,"time_travel":%s,"ring":%s,"tick_ms":%s,"ticks_paused":%s,'
        '"temporary_assigns":%s,"static_assigns":%s,"use_actors":%s,"components":%s,"handlers":[%s],%s}'
        % (
            dumps(identity),
            dumps(class_name(type(view))),
            dumps(template if type(template) is str else None),
            dumps(class_attribute(view, "sticky") is True),
            dumps(class_attribute(view, "time_travel_enabled") is True),
            dumps(ring),
            dumps(tick if type(tick) in (int, float) else None),
            dumps(session.ticks_paused and identity is None),
            dumps(_names(class_attribute(view, "temporary_assigns"))),
            dumps(_names(class_attribute(view, "static_assigns"))),
            dumps(class_attribute(view, "use_actors") is True),
            dumps(listed),
            ",".join(text for text in handlers if text),
            _place(type(view)),
        )
    )


_class_cache: dict[tuple[int, str | None], tuple[type, str]] = {}


def handler_texts(cls: type, component: str | None) -> str:
    """The event handlers of a class as JSON texts joined by commas; read from the class only, and once."""
    cached = _class_cache.get((id(cls), component))
    if cached is not None and cached[0] is cls:
        return cached[1]
    found: dict[str, Any] = {}
    for base in reversed(_class_mro(cls)):
        for name, member in list(_class_dict(base).items()):
            if type(member) in (staticmethod, classmethod):
                member = member.__func__
            if type(member) is types.FunctionType and not name.startswith("_"):
                marks = member.__dict__.get("_djust_decorators")
                if type(marks) is dict and "event_handler" in marks:
                    found[name] = member
                    continue
            found.pop(name, None)
    text = ",".join(_handler_text(name, function, component) for name, function in sorted(found.items()))
    if len(_class_cache) > 2000:
        _class_cache.clear()
    _class_cache[(id(cls), component)] = (cls, text)
    return text


def _handler_text(name: str, function: Any, component: str | None) -> str:
    params = []
    try:
        signature = inspect.signature(inspect.unwrap(function))
    except (TypeError, ValueError):
        signature = None
    for index, param in enumerate(signature.parameters.values() if signature else ()):
        if index == 0 and param.name in ("self", "cls"):
            continue
        if param.kind in (param.VAR_KEYWORD, param.VAR_POSITIONAL):
            continue
        annotation = param.annotation
        kind = None
        if annotation is not param.empty:
            kind = annotation if type(annotation) is str else getattr(annotation, "__name__", None) or str(annotation)
        text = '{"name":%s,"type":%s,"required":%s' % (
            dumps(param.name),
            dumps(kind),
            dumps(param.default is param.empty),
        )
        if param.default is not param.empty:
            text += ',"default":' + Walker().named(param.name, param.default)
        params.append(text + "}")
    doc = function.__doc__
    first = doc.strip().splitlines()[0][:300] if type(doc) is str and doc.strip() else ""
    return '{"name":%s,"params":[%s],"component":%s,"doc":%s}' % (
        dumps(name),
        ",".join(params),
        dumps(component),
        encodable(first),
    )


def _place(cls: type) -> str:
    """``"file":…,"line":…`` of a class."""
    cached = _class_cache.get((id(cls), "\0place"))
    if cached is not None and cached[0] is cls:
        return cached[1]
    module = sys.modules.get(_class_dict(cls).get("__module__") or "")
    file, line = getattr(module, "__file__", None), None
    if type(file) is str:
        try:
            line = inspect.getsourcelines(cls)[1]
        except (OSError, TypeError, SyntaxError, IndexError):
            line = None
    text = '"file":%s,"line":%s' % (dumps(file), dumps(line))
    _class_cache[(id(cls), "\0place")] = (cls, text)
    return text


__all__ = ["SESSIONS", "Session", "of", "publish", "text_of"]
