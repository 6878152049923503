"""The part of djust-inspector that runs inside the Django process.

It hooks djust from outside, records what happens on every LiveView session and serves one debug
WebSocket on the route of djust's own consumer. Nothing here may break, block or noticeably slow the
server: every hook is optional, every error inside stays inside, and with no inspector attached a
hook is one test of a flag.

Start reading at ``installer.py`` (what is hooked), ``hub.py`` (what is sent) and ``docs/PROTOCOL.md``.
"""

__version__ = "0.1.0"
PROTOCOL = 1


def install() -> bool:
    """Hook the djust of this process. Safe to call again; false where djust is not there or switched off."""
    from .installer import install as _install

    return _install()
