"""The way from worker to worker: signed messages over Django's channel layer.

Every process that serves a LiveView page listens on a channel of its own and belongs to one group, so that an
inspector which reached one of them is told of the pages of all. What is sent is signed with a key made from the
project's ``SECRET_KEY``: who can merely write to the channel layer can neither command nor invent. Nothing is
encrypted here. `crossing` says what the messages mean; this module only moves them, and does so on a channel layer
object of its own: djust's pages share one lock and one bounded queue in theirs.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import json
import logging
import time
from typing import Any, Callable

from . import access, discovery, forks, guard
from .hub import HUB

log = logging.getLogger("djust_inspector.access")

#: Seconds for which a send may find the other's channel full.
FULL_SECS = 60.0
#: Seconds between two tries of a channel layer that does not answer: at first, and at most.
RETRY_SECS = (1.0, 30.0)
#: Seconds after which a membership of the group is renewed: channel layers forget it after a day, or when they are emptied.
RENEW_SECS = 300.0
#: Seconds for the farewell of a worker that ends.
LEAVE_SECS = 0.5
_MAC_BYTES = 32
_TYPE = "djust_inspector"

Header = dict[str, Any]


def _derived(purpose: bytes) -> bytes:
    """A key for one purpose, from the project's secret, which Django does not let be empty."""
    from django.conf import settings
    from django.utils.encoding import force_bytes

    secret = force_bytes(settings.SECRET_KEY)
    return hmac.digest(secret, b"djust_inspector.relay.1 " + purpose, "sha256")


def group() -> str:
    """The group of this project's workers; other projects on the same channel layer have another."""
    return "djust_inspector." + hashlib.sha256(_derived(b"group")).hexdigest()[:32]


def seal(header: Header, body: bytes = b"") -> bytes:
    """A message, signed."""
    data = json.dumps(header, separators=(",", ":")).encode("ascii") + b"\n" + body
    return hmac.digest(_derived(b"sign"), data, "sha256") + data


def unseal(data: Any) -> tuple[Header, bytes] | None:
    """Header and body of a message that one of this project's workers has signed."""
    if type(data) is not bytes or len(data) <= _MAC_BYTES:
        return None
    signed = data[_MAC_BYTES:]
    if not hmac.compare_digest(hmac.digest(_derived(b"sign"), signed, "sha256"), data[:_MAC_BYTES]):
        return None
    header, _, body = signed.partition(b"\n")
    return json.loads(header), body


def shared_layer() -> bool:
    """Whether the project's default channel layer reaches other processes."""
    layer = getattr(discovery.settings(), "CHANNEL_LAYERS", None)
    backend = layer.get("default", {}).get("BACKEND") if type(layer) is dict else None
    return type(backend) is str and not backend.endswith("InMemoryChannelLayer")


class Relay:
    """This process's place among the workers."""

    def __init__(self) -> None:
        self.layer: Any = None
        self.channel: str | None = None
        #: Whether the channel layer answers, and whether it has failed since it did.
        self.up = False
        self.failed = False
        self.joined: asyncio.Event | None = None
        self.loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None
        #: What is done with a message, by its kind.
        self.on: dict[str, Callable[[Header, bytes], None]] = {}
        #: Messages that nobody of this project signed.
        self.refused = 0
        self._warned = -1e9

    def start(self) -> None:
        """Listen, from the loop that serves pages. Safe to call at every page."""
        if self._task is not None and not self._task.done() and self.loop is not None and not self.loop.is_closed():
            return
        if not (shared_layer() and access.exists()):
            return
        from . import crossing, farewell

        crossing.listen(self)
        farewell.prepare()
        self.up = False
        self.joined = asyncio.Event()
        self.loop = asyncio.get_running_loop()
        self._task = self.loop.create_task(self._run())

    async def stop(self) -> None:
        """Say farewell and listen no more."""
        from . import crossing

        if self._task is not None:
            await crossing.farewell_to_all()
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    async def _run(self) -> None:
        wait = RETRY_SECS[0]
        while True:
            renewing: asyncio.Future[Any] | None = None
            try:
                await self._join()
                renewing = asyncio.ensure_future(self._renew())
                while True:
                    message = await self.layer.receive(self.channel)
                    wait = RETRY_SECS[0]
                    self._take(message)
            except asyncio.CancelledError:
                with contextlib.suppress(BaseException):
                    await asyncio.wait_for(self._leave(), LEAVE_SECS)
                raise
            except Exception as error:
                if not self.failed:
                    name = type(error).__name__  # its text may hold an address with a password
                    log.warning("the channel layer does not answer, so workers do not see each other: %s", name)
                    self._has_failed(True)
            finally:
                self.up = False
                if renewing is not None:
                    renewing.cancel()
            await asyncio.sleep(wait)
            wait = min(RETRY_SECS[1], wait * 2)

    async def _join(self) -> None:
        from channels.layers import channel_layers

        self.layer = channel_layers.make_backend("default")
        self.channel = await self.layer.new_channel("djust_inspector")
        await self.layer.group_add(group(), self.channel)
        self.up = True
        self._has_failed(False)
        if self.joined is not None:
            self.joined.set()
        await self.tell_all({"k": "joined", "agent": HUB.agent_id, "back": self.channel})

    def _has_failed(self, failed: bool) -> None:
        """Remember it, and tell the inspectors here when that is news."""
        if failed != self.failed:
            self.failed = failed
            guard.guarded(_describe_anew)()

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(RENEW_SECS)
            await self.layer.group_add(group(), self.channel)

    async def _leave(self) -> None:
        if self.up:
            await self.layer.group_discard(group(), self.channel)

    def _take(self, message: Any) -> None:
        found = guard.guarded(unseal)(message.get("data") if type(message) is dict else None)
        if found is None:
            self.refused += 1
            if time.monotonic() - self._warned > 60.0:
                self._warned = time.monotonic()
                log.warning("refused a message between workers: it is not signed with this project's SECRET_KEY")
            return
        header, body = found
        handler = self.on.get(header.get("k", ""))
        if handler is not None:
            guard.guarded(handler)(header, body)

    async def tell(self, channel: str, header: Header, body: bytes = b"") -> None:
        """Send to one worker. Waits while its channel is full; raises what the channel layer raises."""
        from channels.exceptions import ChannelFull

        message = {"type": _TYPE, "data": seal(header, body)}
        end = time.monotonic() + FULL_SECS
        while True:
            try:
                await self.layer.send(channel, message)
                return
            except ChannelFull:
                if time.monotonic() > end:
                    raise
                await asyncio.sleep(0.02)

    async def tell_all(self, header: Header) -> None:
        """Send to every worker, this one included."""
        await self.layer.group_send(group(), {"type": _TYPE, "data": seal(header)})


def _describe_anew() -> None:
    from . import hub, server
    from .turns import safe_dumps

    described = server.changed() if hub.ACTIVE else None
    if described is not None:
        HUB.publish("server", '"server":' + safe_dumps(described))


RELAY = Relay()


@forks.in_child
def _forked() -> None:
    """A child has no loop yet from which it could listen."""
    RELAY.__init__()  # type: ignore[misc]
