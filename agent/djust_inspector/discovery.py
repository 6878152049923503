"""The discovery file: how a local inspector finds this server and its token.

Written once the process listens, mode 0600 in a folder of mode 0700, and removed when it ends. Only
in DEBUG, or when ``djust-inspector run`` started the process.
"""

from __future__ import annotations

import atexit
import json
import os
import secrets
import signal
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from . import PROTOCOL, __version__, forks, guard, listening, options

_lock = threading.RLock()
forks.renew(sys.modules[__name__], "_lock", threading.RLock)
_path: Path | None = None
_written: dict[str, Any] | None = None
_scope_address: tuple[str, int] | None = None
_scope_path: str | None = None
_secure = False
_own_token: str | None = None
_started = time.time()
#: Seconds during which the process's sockets are looked up, where no listen call was seen.
_POLL_SECS = 60.0


@forks.in_child
def _forked() -> None:
    """The file is the parent's. A child writes its own once a page comes to it."""
    global _path, _written, _scope_path
    _path = _written = _scope_path = None


def settings() -> Any:
    """Django's settings, or ``None`` while they cannot be read."""
    try:
        from django.conf import settings as found

        return found if found.configured or os.environ.get("DJANGO_SETTINGS_MODULE") else None
    except Exception:
        return None


def debug() -> bool:
    return getattr(settings(), "DEBUG", False) is True


def plain_token() -> tuple[str, str] | None:
    """The token that is known in plain, with its name; ``None`` when there is none."""
    global _own_token
    given = os.environ.get("DJUST_INSPECTOR_TOKEN")
    if given:
        return "environment", given
    found = options.current().token
    if found:
        return "settings", found
    if not debug():
        return None
    with _lock:
        if _own_token is None:
            made = secrets.token_urlsafe(32)
            _own_token = guard.guarded(_shared_with_siblings)(made) or made
        return "development", _own_token


def _shared_with_siblings(made: str) -> str | None:
    """The token that the processes of one parent have in common, as a connection reaches any of them; `made`, for the first."""
    from . import server

    if os.name != "posix" or server.autoreload() is not None:  # a reloader has one child at a time
        return None
    where = _own_folder()
    file = where / f"{os.getppid()}.token"
    handle, temporary = tempfile.mkstemp(dir=where, prefix=".new-")  # created with mode 0600
    try:
        with os.fdopen(handle, "w", encoding="ascii") as out:
            out.write(made)
        try:
            os.link(temporary, file)  # whole from the start, and by one of them only
        except FileExistsError:
            about = os.stat(file)
            if about.st_uid != os.getuid() or about.st_mode & 0o077:
                return None
            return file.read_text(encoding="ascii")
        return made
    finally:
        os.unlink(temporary)


def _own_folder() -> Path:
    """The folder, made and closed to others where it can be."""
    where = folder()
    where.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        os.chmod(where, 0o700)
    except OSError:
        pass
    return where


def token() -> str | None:
    """The token for the discovery file."""
    found = plain_token()
    return None if found is None else found[1]


def started_by_run() -> bool:
    """Whether ``djust-inspector run`` started this process, for a developer on this machine."""
    return bool(os.environ.get("DJUST_INSPECTOR_RUN"))


def writes_in_environment() -> bool:
    """Whether the environment lets the holder of a token in plain write also without DEBUG."""
    return os.environ.get("DJUST_INSPECTOR_WRITES") == "1"


def folder() -> Path:
    """Where discovery files are."""
    given = os.environ.get("DJUST_INSPECTOR_RUNTIME_DIR")
    if given:
        return Path(given)
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    if runtime and os.path.isdir(runtime):
        return Path(runtime) / "djust-inspector"
    return Path.home() / ".cache" / "djust-inspector" / "servers"


def wanted() -> bool:
    return debug() or started_by_run()


def start() -> None:
    """Watch for the address and write the file when it is known. Called once, after the hooks are in."""
    listening.watch()
    listening.on_address.append(refresh)
    atexit.register(_at_exit)
    _before_fatal_signals()
    refresh()
    if _written is None:
        threading.Thread(target=_poll, name="djust-inspector-listen", daemon=True).start()


def _poll() -> None:
    deadline = time.monotonic() + _POLL_SECS
    while time.monotonic() < deadline and _written is None:
        time.sleep(0.2)
        try:
            found = listening.from_proc()
            if listening.port_from_argv(sys.argv) is None or _written is None:
                for host, port in found:
                    listening.note(host, port)
        except Exception:
            guard.report("discovery._poll")
            return


def see_scope(scope: dict[str, Any]) -> None:
    """Learn the true address and path from a request, where the guess was wrong or missing."""
    global _scope_address, _scope_path, _secure
    server = scope.get("server")
    path = (scope.get("root_path") or "") + (scope.get("path") or "")
    secure = scope.get("scheme") in ("wss", "https")
    address = (server[0], server[1]) if server and type(server[1]) is int else None
    if path == _scope_path and secure == _secure and (address is None or _written is not None):
        return
    _scope_path, _secure = path, secure
    if address is not None and _scope_address is None and not listening.addresses:
        _scope_address = address
    refresh()


def url() -> str | None:
    """The address of this server for a client on this machine."""
    candidates = list(listening.addresses)
    found = listening.pick(sys.argv, candidates) or _scope_address
    if found is None:
        return None
    host, port = found
    if host in ("0.0.0.0", ""):
        host = "127.0.0.1"
    if host == "127.0.0.1" and not host_allowed("127.0.0.1") and host_allowed("localhost"):
        host = "localhost"
    if host == "::":
        host = "::1"
    if ":" in host:
        host = f"[{host}]"
    return f"{'https' if _secure or _tls_in_argv() else 'http'}://{host}:{port}"


def host_allowed(host: str) -> bool:
    """Whether ``ALLOWED_HOSTS`` takes a request for `host`, as Django decides it."""
    found = settings()
    allowed = list(getattr(found, "ALLOWED_HOSTS", None) or [])
    if not allowed and debug():
        allowed = [".localhost", "localhost", "127.0.0.1", "[::1]"]
    try:
        from django.http.request import validate_host

        return bool(validate_host(host.lower(), allowed))
    except Exception:
        return False


def _tls_in_argv() -> bool:
    return any(a.startswith(("--ssl-keyfile", "--ssl-certfile", "ssl:")) for a in sys.argv)


def ws_path() -> str:
    """The path at which the consumer is routed: as seen, else as the ASGI application says, else djust's own."""
    return _scope_path or _routed_path() or "/ws/live/"


def _routed_path() -> str | None:
    try:
        name = getattr(settings(), "ASGI_APPLICATION", None)
        module = sys.modules.get(name.rsplit(".", 1)[0]) if type(name) is str else None
        app = getattr(module, name.rsplit(".", 1)[1], None) if module is not None else None
        consumer = getattr(sys.modules.get("djust.websocket"), "LiveViewConsumer", None)
        app = getattr(app, "application_mapping", {}).get("websocket")
        for _ in range(20):
            if app is None:
                return None
            routes = getattr(app, "routes", None)
            if routes is not None:
                for route in routes:
                    handler = getattr(route.callback, "consumer_class", None)
                    pattern = str(getattr(route, "pattern", ""))
                    if (
                        handler is not None
                        and issubclass(handler, consumer)
                        and "<" not in pattern
                        and "(" not in pattern
                    ):
                        return "/" + pattern.lstrip("^/").rstrip("$")
                return None
            app = getattr(app, "application", None) or getattr(app, "inner", None)
    except Exception:
        guard.report("discovery._routed_path")
    return None


@guard.guarded
def refresh() -> None:
    """Write the file if the address is known and its content is new."""
    global _path, _written
    with _lock:
        address = url()
        if address is None or not wanted():
            return
        secret = token()
        if secret is None:
            return
        import djust

        content = {
            "protocol": PROTOCOL,
            "pid": os.getpid(),
            "started": _started,
            "cwd": os.getcwd(),
            "project": project(),
            "url": address,
            "ws_path": ws_path(),
            "token": secret,
            "run": os.environ.get("DJUST_INSPECTOR_RUN"),
            "agent": __version__,
            "djust": getattr(djust, "__version__", "?"),
            "debug": debug(),
        }
        if content == _written:
            return
        where = _own_folder()
        _clean(where)
        handle, temporary = tempfile.mkstemp(dir=where, prefix=".new-")  # created with mode 0600
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(content, file)
        target = where / f"{os.getpid()}.json"
        os.replace(temporary, target)
        _path, _written = target, content


def project() -> str:
    """The project's name: that of its folder of settings' parent, as a developer would say it."""
    base = getattr(settings(), "BASE_DIR", None)
    return os.path.basename(str(base).rstrip("/\\")) if base else os.path.basename(os.getcwd())


def _clean(where: Path) -> None:
    """Remove files of processes that are gone."""
    for file in [*where.glob("*.json"), *where.glob("*.token")]:
        if file.stem.isdigit() and int(file.stem) != os.getpid() and not _alive(int(file.stem)):
            file.unlink(missing_ok=True)


def _alive(pid: int) -> bool:
    if os.name == "nt":  # os.kill(pid, 0) would end the process there
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def remove() -> None:
    """Remove this process's file. A forked child does not remove its parent's."""
    global _path
    try:
        with _lock:
            if _path is not None and _written is not None and _written["pid"] == os.getpid():
                _path.unlink(missing_ok=True)
                _path = None
    except Exception:
        pass


def _at_exit() -> None:
    """Remove this process's file, and that of a child: a reloader that ends kills its server outright."""
    remove()
    try:
        clean()
    except Exception:
        pass


def clean() -> None:
    """Remove the files of processes that are gone."""
    where = folder()
    if where.is_dir():
        _clean(where)


def _before_fatal_signals() -> None:
    """Remove the file also where a signal ends the process without ``atexit``.

    uvicorn raises the signal that stopped it a second time, with the default action; a process that
    nobody taught a SIGTERM handler dies of it at once.
    """
    try:
        raise_signal = signal.raise_signal

        def removing(number: int) -> None:
            remove()
            raise_signal(number)

        signal.raise_signal = removing  # type: ignore[assignment]
        if threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:

            def on_term(number: int, frame: Any) -> None:
                remove()
                signal.signal(signal.SIGTERM, signal.SIG_DFL)
                os.kill(os.getpid(), number)

            signal.signal(signal.SIGTERM, on_term)
    except Exception:
        guard.report("discovery._before_fatal_signals")
