"""Installing the agent: once per process, right after ``djust.websocket`` was imported.

``inject/sitecustomize.py`` calls `install_on_import`; the app config calls `install`. Whichever
comes first does the work.
"""

from __future__ import annotations

import atexit
import importlib.abc
import logging
import os
import sys
import threading
from typing import Any

from . import forks, guard

_lock = threading.RLock()  # importing djust.websocket below comes back here through the import hook
forks.renew(sys.modules[__name__], "_lock", threading.RLock)
_installed = False
TARGET = "djust.websocket"


def disabled() -> bool:
    """Whether the environment switches the agent off."""
    return os.environ.get("DJUST_INSPECTOR") == "0"


def install() -> bool:
    """Hook djust in this process; false where it cannot be imported, or environment or settings switch the agent off."""
    global _installed
    if disabled():
        return False
    with _lock:
        if _installed:
            return True
        try:
            if TARGET not in sys.modules:
                __import__(TARGET)
        except Exception:
            guard.report("import djust.websocket")
            return False
        if _installed:
            return True
        _installed = True
    try:
        from . import discovery, hooks, options

        if not options.current().enabled:
            return False
        for problem in options.current().problems:
            logging.getLogger("djust_inspector").error("%s", problem)
        hooks.install_all()
        discovery.start()
    except Exception:
        guard.report("install")
    return True


def install_on_import() -> None:
    """Install as soon as somebody imports ``djust.websocket``; costs nothing in programs that never do."""
    if disabled():
        return
    if TARGET in sys.modules:
        install()
        return
    if not any(type(finder) is _Finder for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())
    from . import listening

    listening.watch()
    atexit.register(_clean_after_reloader)


def _clean_after_reloader() -> None:
    """``runserver``'s reloader, which never imports djust's consumer, ends its server without a chance to clean up."""
    if "runserver" not in getattr(sys, "argv", ()) or _installed:
        return
    try:
        from . import discovery

        discovery.clean()
    except Exception:
        guard.report("clean")


class _Finder(importlib.abc.MetaPathFinder):
    """Lets the import machinery find ``djust.websocket`` as usual and runs `install` after its code."""

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> Any:
        if fullname != TARGET:
            return None
        try:
            for finder in sys.meta_path:
                if finder is self or not hasattr(finder, "find_spec"):
                    continue
                spec = finder.find_spec(fullname, path, target)
                if spec is not None:
                    if spec.loader is not None and hasattr(spec.loader, "exec_module"):
                        spec.loader = _Loader(spec.loader)
                    return spec
        except Exception:
            guard.report("find_spec")
        return None


class _Loader(importlib.abc.Loader):
    """The module's own loader, followed by `install`."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def create_module(self, spec: Any) -> Any:
        return self._inner.create_module(spec)

    def exec_module(self, module: Any) -> None:
        module.__spec__.loader = module.__loader__ = self._inner
        self._inner.exec_module(module)
        install()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)
