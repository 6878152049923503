"""What surrounds the live part of a page: kept at each page load, sent once a page is known.

The WebSocket carries only what is inside of the page's root element. The document around it, with
its styles, goes over HTTP, long before and mostly while nobody is attached. So each page load
leaves a reference to its text here, a few dozen at most; it is cut up, cleaned and completed with
stylesheets only when an inspector wants it. A load and a page belong together by their Django session;
without one they are matched by path alone, and only with DEBUG, where there is one visitor. Nothing is fetched: a stylesheet is read from disk when
it is one of the server's own static files.
"""

from __future__ import annotations

import html as entities
import os
import threading
from collections import OrderedDict
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import unquote, urlsplit

from . import discovery, forks, guard, markup, redact
from .hidden import NOTHING, Known
from .hub import HUB, size_of
from .sessions import Session, dumps, encodable, page_path, unwrap
from .walker import own_dict

#: Page loads that are kept, the latest of each path and Django session.
MAX_PAGES = 64
#: Bytes of documents that are kept together, and of a single one.
MAX_TEXT = 16 * 1024 * 1024
MAX_DOCUMENT = 4 * 1024 * 1024
#: Bytes of one stylesheet, and of all of a page.
MAX_STYLE = 512 * 1024
MAX_STYLES = 2 * 1024 * 1024
#: Stylesheets whose texts are kept once they were read.
MAX_READ = 16
#: Links that are looked at in one document.
MAX_LINKS = 200


class Load:
    """One page load: the document as djust finished it, and its address in parts."""

    __slots__ = ("document", "scheme", "host", "path", "query")

    def __init__(self, document: str, scheme: str, host: str, path: str, query: str) -> None:
        self.document = document
        self.scheme = scheme
        self.host = host
        self.path = path
        self.query = query


class Loads:
    """The latest page loads, by path and key of the Django session. Pages load in threads."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.entries: OrderedDict[tuple[str, str | None], Load] = OrderedDict()
        self.size = 0

    def add(self, key: str | None, load: Load) -> None:
        with self.lock:
            old = self.entries.pop((load.path, key), None)
            if old is not None:
                self.size -= size_of(old.document)
            if size_of(load.document) > MAX_DOCUMENT:
                return
            self.entries[(load.path, key)] = load
            self.size += size_of(load.document)
            while len(self.entries) > MAX_PAGES or self.size > MAX_TEXT:
                self.size -= size_of(self.entries.popitem(last=False)[1].document)

    def find(self, path: str, key: str | None) -> Load | None:
        with self.lock:
            return self.entries.get((path, key))

    def clear(self) -> None:
        with self.lock:
            self.entries.clear()
            self.size = 0


LOADS = Loads()
forks.renew(LOADS, "lock", threading.Lock)


def make_inject(original: Any) -> Any:
    """Around the last thing that djust does to a document before it becomes the response."""

    def _inject_client_script(*args: Any, **kwargs: Any) -> Any:
        document = original(*args, **kwargs)
        _loaded(guard.argument(args, kwargs, 0, "self"), document)
        return document

    return _inject_client_script


@guard.guarded
def _loaded(view: Any, document: Any) -> None:
    request = own_dict(view).get("request")
    if type(document) is not str or request is None:
        return
    fields = own_dict(request)
    meta, path = fields.get("META"), fields.get("path")
    if type(meta) is not dict or type(path) is not str:
        return
    key = _key(fields.get("session"))
    if key is None and not discovery.debug():
        return  # nothing tells whose it is: another visitor's page would be shown with it
    load = Load(document, request.scheme, meta.get("HTTP_HOST") or "", path, meta.get("QUERY_STRING") or "")
    LOADS.add(key, load)


def _key(session: Any) -> str | None:
    fields = own_dict(unwrap(session))
    key = fields.get("_SessionBase__session_key") or fields.get("_session_key")
    return key if type(key) is str else None


def _find(session: Session) -> Load | None:
    """The load that made this page: of the same path, by the same Django session."""
    path = session.loaded_path or page_path(session.root)
    if path is None:
        return None
    scope = session.scope
    # The session may not be loaded yet; its cookie is there in any case.
    load = LOADS.find(urlsplit(path).path, _key(scope.get("session")) or _cookie(scope))
    if load is not None:
        session.loaded_path = path
    return load


def _cookie(scope: dict[str, Any]) -> str | None:
    from django.conf import settings

    for name, value in scope.get("headers") or []:
        if name == b"cookie":
            try:
                morsel = SimpleCookie(value.decode("latin-1")).get(settings.SESSION_COOKIE_NAME)
            except CookieError:
                return None
            return morsel.value if morsel is not None else None
    return None


def describe(session: Session) -> str | None:
    """The fields of a ``page`` frame as JSON text; ``None`` where the page load was not seen."""
    load = _find(session)
    if load is None:
        return None
    parts = _split(load)
    if parts is None:
        return None
    known = session.known
    before, after = (known.hide(clean(part, known)) for part in parts)
    styles = ",".join(
        '{"href":%s,"text":%s}' % (encodable(href), encodable(text)) for href, text in stylesheets(load)
    )
    return '"session":%s,"page":{"url":%s,"before":%s,"after":%s,"styles":[%s]}' % (
        dumps(session.id),
        encodable(known.hide(_url(load, known))),
        encodable(before),
        encodable(after),
        styles,
    )


@guard.guarded
def publish(session: Session) -> None:
    """Send the page's surroundings, once. Called when the page has mounted."""
    if session.shell_sent:
        return
    session.shell_sent = True
    text = describe(session)
    if text is not None:
        HUB.publish("page", text)


def _split(load: Load) -> tuple[str, str] | None:
    """The document up to the inside of the root element and from there on, as djust itself finds that."""
    from djust.live_view import LiveView

    view: Any = LiveView  # for an instance, of which neither function reads anything
    document = load.document
    root = view._extract_liveview_root_with_wrapper(view, document)
    inside = view._extract_liveview_content(view, document)
    start = document.find(root)
    end = start + root.rfind("</")
    if inside == document or start < 0 or document[end - len(inside) : end] != inside:
        return None
    return document[: end - len(inside)], document[end:]


def _url(load: Load, known: Known = NOTHING) -> str:
    address = f"{load.scheme}://{load.host}{load.path}" + (f"?{load.query}" if load.query else "")
    return redact.redact_address(address, known)


# -- cleaning


def clean(text: str, known: Known = NOTHING) -> str:
    """A part of a document without its scripts, which never run in an inspector, and without secrets."""
    return redact.redact_value(markup.without_scripts(text), known)


# -- stylesheets


def stylesheets(load: Load) -> list[tuple[str, str]]:
    """(href, text) of the document's stylesheets that are static files of this server."""
    found: dict[str, str] = {}
    left = MAX_STYLES
    for attributes in markup.tags(load.document, "link", MAX_LINKS):
        href = entities.unescape(attributes.get("href", "")).strip()
        if "stylesheet" not in attributes.get("rel", "").lower().split() or not href or href in found:
            continue
        name = _static_name(href, load)
        if name is None:
            continue
        text = guard.guarded(_read_style)(name, min(left, MAX_STYLE)) or ""
        left -= len(text)
        found[href] = text
    return list(found.items())


def _static_name(href: str, load: Load) -> str | None:
    """The name under which a static file of this server is known; ``None`` for everything else."""
    from django.conf import settings

    prefix = getattr(settings, "STATIC_URL", None)
    address = urlsplit(href)
    if not prefix or address.scheme not in ("", "http", "https") or address.netloc not in ("", load.host):
        return None
    own = urlsplit(prefix)
    # A server whose static files are somebody else's has none of its own.
    if own.netloc not in ("", load.host) or not address.path.startswith(own.path):
        return None
    return unquote(address.path[len(own.path) :])


#: Stylesheets read lately, by path, as they were then: many pages share a few.
_read: OrderedDict[str, tuple[tuple[int, int], str]] = OrderedDict()


def _read_style(name: str, limit: int) -> str:
    """The text of a static file; empty when it cannot be found or is too large."""
    from django.contrib.staticfiles import finders
    from django.contrib.staticfiles.storage import staticfiles_storage
    from django.core.exceptions import SuspiciousFileOperation

    try:
        path = finders.find(name)
        if path is None and getattr(staticfiles_storage, "location", None):
            path = staticfiles_storage.path(name)  # collected, under a name with a hash in it
    except (SuspiciousFileOperation, ValueError):
        return ""  # a name that leads out of the folders
    if path is None:
        return ""
    try:
        about = os.stat(path)
        if about.st_size > limit:
            return ""
        version = (about.st_mtime_ns, about.st_size)
        known = _read.get(path)
        if known is not None and known[0] == version:
            return known[1]
        with open(path, "rb") as file:
            text = file.read(limit).decode("utf-8", "replace")
    except OSError:
        return ""
    _read[path] = (version, text)
    while len(_read) > MAX_READ:
        _read.popitem(last=False)
    return text
