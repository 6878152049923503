"""Settings of a staging server for the tests, and what its log says."""

import contextlib
import hashlib
import logging
import secrets

from django.test import override_settings


def make_token():
    """A token of 256 random bits, and what stands in the settings for it."""
    token = "djins_" + secrets.token_urlsafe(32)
    return token, "sha256:" + hashlib.sha256(token.encode()).hexdigest()


@contextlib.contextmanager
def settings(monkeypatch, block, debug=False):
    """`DEBUG` off and this settings block."""
    monkeypatch.delenv("DJUST_INSPECTOR_TOKEN", raising=False)
    with override_settings(DEBUG=debug, DJUST_INSPECTOR=block):
        yield


@contextlib.contextmanager
def log_of(name="djust_inspector"):
    """The lines that are logged meanwhile."""
    lines = []

    class Keep(logging.Handler):
        def emit(self, record):
            lines.append(record.getMessage())

    logger, handler = logging.getLogger(name), Keep()
    level = logger.level
    logger.setLevel(logging.DEBUG)
    logger.addHandler(handler)
    try:
        yield lines
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
