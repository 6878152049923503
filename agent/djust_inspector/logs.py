"""Log records: of a step when one is open in the record's context, else a ``log`` frame.

The handler hangs on the root logger, and on those that do not propagate to it, only while an
inspector is attached. It changes no level: what the project filters stays filtered.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import traceback

from . import budget, guard, hub, options, redact
from .hidden import NOTHING
from .turns import current, describe_error, safe_dumps, without_agent

_busy = threading.local()


class Recorder(logging.Handler):
    """Turns records into log entries. Never raises and never logs.

    It keeps nothing between two records, so it needs no lock. With one, a thread that logs would hold it and wait for the
    hub's, while another holds that.
    """

    def handle(self, record: logging.LogRecord) -> bool:
        self.emit(record)
        return True

    @guard.metered
    def emit(self, record: logging.LogRecord) -> None:
        _as_without_us(record)
        if not hub.ACTIVE or getattr(_busy, "on", False) or record.__dict__.get("_djust_inspector"):
            return
        if record.name.split(".")[0] == "djust_inspector":  # who looks is no news of the project
            return
        _busy.on = True
        try:
            record.__dict__["_djust_inspector"] = True
            self._note(record)
        except Exception:
            guard.report("logs")
        finally:
            _busy.on = False

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        pass

    @staticmethod
    def _note(record: logging.LogRecord) -> None:
        turn = current()
        if turn is None and not (options.current().record.everything and budget.BUDGET.allows()):
            return  # it may be of a page that is not to be seen
        try:
            message = record.getMessage()
        except Exception:
            message = str(record.msg)
        known = NOTHING if turn is None else turn.known
        message = redact.redact_text(message[:100_000], known)
        trace = None
        info = record.exc_info
        if isinstance(info, tuple) and info[1] is not None:
            trace = "".join(traceback.format_exception(*info))[:200_000]
            trace = redact.redact_text(without_agent(trace), known)
        entry = {"level": record.levelname, "logger": record.name, "message": message}
        if turn is None:
            hub.HUB.publish("log", safe_dumps({**entry, "traceback": trace})[1:-1])
            return
        turn.add_log({**entry, "at": record.created, "traceback": trace})
        if record.levelno >= logging.ERROR:
            if isinstance(info, tuple) and isinstance(info[1], BaseException):
                shown = describe_error(info[1], known)
            else:
                shown = {"type": record.name, "message": message, "traceback": trace}
            if turn.kind == "reload":
                turn.log_error = shown
            elif trace is not None and turn.error is None:
                turn.log_error = shown


def _as_without_us(record: logging.LogRecord) -> None:
    """Show a record that no other handler gets: without this one, Python's last resort would have shown it."""
    try:
        last = logging.lastResort
        if last is None or record.levelno < last.level:
            return
        logger: logging.Logger | None = logging.getLogger(record.name)
        while logger is not None:
            if any(handler is not _recorder for handler in logger.handlers):
                return
            logger = logger.parent if logger.propagate else None
        last.handle(record)
    except Exception:
        guard.report("logs")


_recorder = Recorder(level=logging.NOTSET)


def _targets() -> list[logging.Logger]:
    """The root logger, and every logger whose records do not get there."""
    known = list(logging.getLogger().manager.loggerDict.values())
    return [
        logging.getLogger(),
        *(logger for logger in known if type(logger) is logging.Logger and not logger.propagate),
    ]


def set_active(active: bool) -> None:
    """Put the handler on, or take it off."""
    for logger in _targets():
        with contextlib.suppress(Exception):
            if not active:
                logger.removeHandler(_recorder)
            elif _recorder not in logger.handlers:
                logger.addHandler(_recorder)
