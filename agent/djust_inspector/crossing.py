"""One attachment, several workers: an inspector whose WebSocket is in one process sees and commands the pages of all.

The worker that holds the WebSocket (`Others`) asks who is there, and again every two seconds. Each worker answers with a
number used once; with that the first opens a crossing, at whose other end a worker serves the inspector as if it were
attached there (`Served`): what it is told goes back in numbered messages, of which a few may be under way. A message that is
missing, or comes twice, or belongs to another crossing, is never taken; a crossing with a hole is opened anew and goes on after
the last frame that arrived, as an inspector that lost its connection does. Token, permission and revocation are the
business of the worker with the WebSocket alone.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import secrets
import time
from collections import deque
from typing import Any, Callable

from . import access, control, farewell, forks, guard, serving
from .hub import HUB, Inspector
from .relay import RELAY, Header, Relay

#: Seconds between two questions who is there.
ASK_SECS = 2.0
#: Seconds after which a worker that says nothing counts as ended, and an inspector that nobody asks for as gone.
SILENT_SECS = 7.0
#: Seconds after the first question, when who is there is told, unless a worker that was there before is still missing.
SETTLE_SECS = 0.5
#: Bytes of one message, and messages of one crossing that may be under way.
CHUNK = 128 * 1024
WINDOW = 16
#: Messages after which their arrival is told.
ACK_EVERY = 4
#: Crossings that a worker serves at once, and offers that it remembers.
MOST_SERVED = 64
_MOST_OFFERS = 256
#: Stands between two texts of a message: JSON never has it.
_BETWEEN = "\x1e"

OTHERS: dict[str, Others] = {}
SERVED: dict[str, Served] = {}


@forks.in_child
def _forked() -> None:
    OTHERS.clear()
    SERVED.clear()
_offers: dict[str, float] = {}
_tasks: set[asyncio.Task[Any]] = set()


def listen(relay: Relay) -> None:
    """Take the messages that this module means."""
    relay.on = {
        "joined": lambda header, body: _joined(header),
        "who": lambda header, body: _who(header),
        "here": lambda header, body: _here(header),
        "open": lambda header, body: _open(header),
        "do": lambda header, body: _to_served(header, lambda served: served.command(body)),
        "ack": lambda header, body: _to_served(header, lambda served: served.acked(header["upto"])),
        "close": lambda header, body: _to_served(header, lambda served: served.leave()),
        "frames": lambda header, body: _to_asker(header, lambda seen: seen.frames(header, body)),
        "alive": lambda header, body: _to_asker(header, lambda seen: seen.alive(header)),
        "left": lambda header, body: _to_asker(header, lambda seen: seen.left(header)),
    }


def _spawn(work: Any) -> asyncio.Task[Any]:
    task = asyncio.ensure_future(work)
    _tasks.add(task)
    task.add_done_callback(_done)
    return task


def _done(task: asyncio.Task[Any]) -> None:
    _tasks.discard(task)
    if not task.cancelled():
        task.exception()  # what the channel layer could not take shows as silence, and is repaired as such


class _Line:
    """The numbered messages of one crossing in one direction."""

    def __init__(self, crossing: str, channel: str) -> None:
        self.crossing = crossing
        self.channel = channel
        self.sent = 0
        self.got = 0
        self._lock = asyncio.Lock()

    async def say(self, kind: str, body: bytes = b"", **more: Any) -> int:
        """Send the next message; its number."""
        async with self._lock:  # numbered in the order in which they leave
            self.sent += 1
            number = self.sent
            await RELAY.tell(self.channel, {"k": kind, "c": self.crossing, "n": number, **more}, body)
        return number


# -- the worker that holds the WebSocket


class Seen:
    """Another worker, as one attachment here sees it."""

    def __init__(self, others: Others, agent: str, crossing: str, channel: str) -> None:
        self.others = others
        self.agent = agent
        self.line = _Line(crossing, channel)
        self.open = True
        self.heard = time.monotonic()
        #: The number of the question after which it was opened.
        self.asked = others.asked
        self.welcomed = False
        self._part: list[bytes] = []
        self._acked = 0
        #: Numbers of commands whose answer is still to come.
        self.pending: set[Any] = set()

    def taken(self, header: Header) -> bool:
        """Whether this is the next message. One that was taken already is nothing; one that is missing breaks the crossing."""
        number = header["n"]
        if not self.open or type(number) is not int or number <= self.line.got:
            return False
        if number > self.line.got + 1:
            self.lost()
            return False
        self.line.got = number
        self.heard = time.monotonic()
        return True

    def lost(self, channel: str | None = None) -> None:
        """Give the crossing up, to open it anew. What was commanded in it may or may not have happened."""
        self.open = False
        self.fail("timeout", "the way to the worker broke before the answer came")
        self.line.channel = channel or self.line.channel
        _spawn(self._again())

    async def _again(self) -> None:
        await self.line.say("close")
        await self.others.ask(self.line.channel)

    def fail(self, code: str, why: str) -> None:
        from . import commands

        pending, self.pending = self.pending, set()
        for number in pending:
            commands.answer(self.others.inspector, number, commands.Refused(code, why))

    def frames(self, header: Header, body: bytes) -> None:
        self._part.append(body)
        if header.get("more"):
            self.delivered(header["n"])
            return
        texts = b"".join(self._part).decode("utf-8", "surrogatepass").split(_BETWEEN)
        self._part = []
        shown = [self._marked(text) for text in texts]
        self.others.inspector.relayed.append((shown, lambda: self.delivered(header["n"])))
        self.others.inspector.ready.set()
        if not self.welcomed:
            self.welcomed = True
            self.others.changed()

    def _marked(self, text: str) -> str:
        """A frame with the worker that it is from; where it can be resumed is remembered."""
        if text.startswith('{"t":"answer","id":'):
            self.pending.discard(json.loads(text[19 : text.index(",", 19)]))
            return text
        head, found, rest = text.partition(',"seq":')
        if not found or len(head) > 40:
            return text
        self.others.points[self.agent] = int(rest[: rest.index(",")])
        return f'{head},"worker":"{self.agent}"{found}{rest}'

    def delivered(self, number: int) -> None:
        if self.open and number - self._acked >= ACK_EVERY:
            self._acked = number
            _spawn(self.line.say("ack", upto=self._acked))

    def alive(self, header: Header) -> None:
        if header["back"] != self.line.channel:  # it listens elsewhere by now
            self.lost(header["back"])
        elif header.get("waits") and self._acked:  # for a message that said so and was lost
            _spawn(self.line.say("ack", upto=self._acked))

    def left(self, header: Header) -> None:
        if header.get("stays"):
            self.lost()
        else:
            self.others.end(self, str(header["why"]))


class Others:
    """The other workers of one attachment."""

    def __init__(self, inspector: Inspector, name: str, points: dict[str, int]) -> None:
        self.inspector = inspector
        self.name = name
        #: The last frame that arrived, by worker.
        self.points = points
        self.known = frozenset(points)
        self.id = secrets.token_hex(16)
        self.asked = 0
        self.seen: dict[str, Seen] = {}
        self._settled = False

    async def run(self) -> None:
        """Find the other workers and keep them, until cancelled."""
        OTHERS[self.id] = self
        try:
            await self._look()
        except Exception:
            guard.report("crossing.look")
        finally:
            OTHERS.pop(self.id, None)
            for seen in self.seen.values():
                if seen.open:
                    _spawn(seen.line.say("close"))

    async def _look(self) -> None:
        if RELAY.joined is not None:
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(RELAY.joined.wait(), SILENT_SECS)
        begun = time.monotonic()
        while True:
            if RELAY.up:
                await _tried(self.ask())
            await asyncio.sleep(ASK_SECS if self._settled else SETTLE_SECS)
            if not self._settled and (self._complete() or time.monotonic() - begun > ASK_SECS):
                self._settled = True
                self.changed()
            silent = time.monotonic() - SILENT_SECS
            for seen in [seen for seen in self.seen.values() if seen.heard < silent]:
                self.end(seen, f"it said nothing for {SILENT_SECS:.0f} s")

    def _complete(self) -> bool:
        """Whether every worker that the inspector knows from before has answered."""
        there = {HUB.agent_id, *(agent for agent, seen in self.seen.items() if seen.welcomed)}
        return self.known <= there

    async def ask(self, channel: str | None = None) -> None:
        """Ask all workers, or the one that listens on `channel`, who is there."""
        self.asked += 1
        question = {"k": "who", "h": self.id, "n": self.asked, "agent": HUB.agent_id, "back": RELAY.channel}
        await (RELAY.tell_all(question) if channel is None else RELAY.tell(channel, question))

    def here(self, header: Header) -> None:
        """A worker is there, and offers a crossing."""
        agent = str(header["agent"])
        known = self.seen.get(agent)
        if known is not None and known.open and header["n"] <= known.asked:
            return  # an answer to a question from before the one that it serves
        seen = self.seen[agent] = Seen(self, agent, f"{self.id}:{header['w']}", header["back"])
        if known is not None:
            seen.welcomed = known.welcomed
            known.fail("timeout", "the way to the worker broke before the answer came")
        point = self.points.get(agent)
        writes = self.inspector.writes
        _spawn(seen.line.say("open", seq=point, writes=writes, name=self.name, back=RELAY.channel))

    def forward(self, command: dict[str, Any]) -> bool:
        """Send a command to the worker that it is for; false when that is this one."""
        from . import commands

        worker, number = command.get("worker"), command.get("id")
        if worker is None or worker == HUB.agent_id:
            return False
        seen = self.seen.get(worker) if type(worker) is str else None
        refused = None
        if seen is None:
            refused = commands.Refused("no_session", "the worker of this page has ended", "Reload the page in the browser")
        elif not seen.open:
            refused = commands.Refused("busy", "the way to the page's worker is being repaired", "Try again")
        elif len(seen.pending) >= serving.MAX_COMMANDS:
            refused = commands.Refused("busy", "too many commands at once")
        if refused is not None or seen is None:
            commands.answer(self.inspector, number, refused)
            return True
        seen.pending.add(number)
        body = json.dumps(command).encode("ascii")
        if len(body) > serving.MAX_FRAME:
            seen.fail("bad_request", "the command is too large for another worker")
            return True
        _spawn(seen.line.say("do", body))
        return True

    def end(self, seen: Seen, why: str) -> None:
        """A worker is not there any more."""
        if self.seen.get(seen.agent) is not seen:
            return
        del self.seen[seen.agent]
        if seen.open:
            seen.open = False
            _spawn(seen.line.say("close"))
        access.note("worker %s ended for the attachment of %s: %s", seen.agent[:12], self.name, why)
        seen.fail("no_session", f"the worker of this page has ended: {why}")
        self.changed()

    def changed(self) -> None:
        """Tell the inspector whose pages it sees."""
        if not self._settled:
            return
        agents = [HUB.agent_id, *(agent for agent, seen in self.seen.items() if seen.welcomed)]
        with HUB.lock:
            self.inspector.put_always('{"t":"workers","agents":%s}' % json.dumps(agents))


async def _tried(work: Any) -> None:
    """Await what may fail with the channel layer, which the relay's own loop reports."""
    try:
        await work
    except asyncio.CancelledError:
        raise
    except Exception:
        return


def _joined(header: Header) -> None:
    if header["agent"] != HUB.agent_id:
        for others in OTHERS.values():
            _spawn(others.ask(header["back"]))


def _here(header: Header) -> None:
    others = OTHERS.get(header["h"])
    if others is not None and header["agent"] != HUB.agent_id:
        others.here(header)


def _to_asker(header: Header, then: Callable[[Seen], None]) -> None:
    others = OTHERS.get(header["c"].partition(":")[0])
    for seen in others.seen.values() if others is not None else ():
        if seen.line.crossing == header["c"]:
            if seen.taken(header):
                then(seen)
            return


# -- a worker at the other end


class Served:
    """An inspector that is attached to another worker, as this one serves it."""

    def __init__(self, header: Header) -> None:
        self.id: str = header["c"]
        self.name = str(header["name"])
        self.point = header["seq"]
        self.line = _Line(self.id, header["back"])
        self.line.got = header["n"]
        self.inspector = Inspector(asyncio.get_running_loop())
        self.inspector.writes = header["writes"] is True
        self.asked = 0
        self.lease = time.monotonic() + SILENT_SECS
        #: Numbers of the messages with frames that have not arrived yet, as far as is known.
        self._under_way: deque[int] = deque()
        self._stays = False
        self.task: asyncio.Task[Any] | None = None
        self._room = asyncio.Event()
        self._commands: asyncio.Queue[str | None] = asyncio.Queue(2 * serving.MAX_COMMANDS)

    async def run(self) -> None:
        """Serve until the other worker, or this one, ends it."""
        access.note("attached through another worker: %s, %s", self.name, "may write" if self.inspector.writes else "read-only")
        HUB.activate()
        farewell.prepare()
        ended: serving.End | None = None
        try:
            self._greet()
            ended = await serving.serve(
                self.inspector,
                self._deliver,
                self._commands.get,
                self._fault,
                lambda command: serving.forbidden(self.inspector, command, self.name, self.inspector.writes),
                batch=CHUNK // 2,
            )
            self._stays = ended is None or ended[0] != "off"
        finally:
            SERVED.pop(self.id, None)
            HUB.detach(self.inspector)
            access.note("detached, through another worker: %s%s", self.name, f", {ended[1]}" if ended else "")
            if ended is not None and ended[0] == "off":
                HUB.stop()
            try:
                await asyncio.wait_for(self.line.say("left", why=ended[1] if ended else "it ended", stays=self._stays), 0.5)
            except Exception:
                pass  # silence says the same, later

    def _greet(self) -> None:
        from . import configuration, sync

        guard.guarded(configuration.refresh)()
        with HUB.lock:
            resumed = HUB.can_resume(HUB.agent_id, self.point)
            if not resumed:
                HUB.skip()
            self.inspector.put_always(
                '{"t":"worker","agent":"%s","pid":%d,"resumed":%s,"from":%d,"unrecorded":%s}'
                % (HUB.agent_id, os.getpid(), json.dumps(resumed), HUB.seq, json.dumps(HUB.unrecorded(self.point)))
            )
            if resumed:
                HUB.replay(self.inspector, self.point)
            else:
                sync.begin(self.inspector, history=True)
            HUB.attach(self.inspector)

    def _fault(self) -> serving.End | None:
        if control.current().off:
            return "off", "the agent was switched off"
        if time.monotonic() > self.lease:
            return "gone", "the worker that it is attached to says nothing"
        return None

    async def _deliver(self, texts: list[str]) -> None:
        data = _BETWEEN.join(texts).encode("utf-8", "surrogatepass")
        for start in range(0, len(data), CHUNK):
            while len(self._under_way) >= WINDOW:
                self._room.clear()
                await self._room.wait()
            more = {"more": True} if start + CHUNK < len(data) else {}
            self._under_way.append(await self.line.say("frames", data[start : start + CHUNK], **more))

    def asked_for(self, number: int, channel: str) -> None:
        """The other worker still wants it, unless it listens elsewhere by now and would not hear of it."""
        if number <= self.asked:
            return
        self.asked = number
        if channel != self.line.channel:
            self.leave()
            return
        self.lease = time.monotonic() + SILENT_SECS
        _spawn(self.line.say("alive", waits=len(self._under_way) >= WINDOW, back=RELAY.channel))

    def acked(self, upto: int) -> None:
        while self._under_way and self._under_way[0] <= upto:
            self._under_way.popleft()
        self._room.set()

    def command(self, body: bytes) -> None:
        self._commands.put_nowait(body.decode("ascii"))

    def leave(self) -> None:
        if not self._commands.full():
            self._commands.put_nowait(None)
        self.lease = 0.0


def _who(header: Header) -> None:
    if header["agent"] == HUB.agent_id or control.current().off or not access.exists():
        return
    for served in SERVED.values():
        if served.id.partition(":")[0] == header["h"]:
            served.asked_for(header["n"], header["back"])
            return
    now = time.monotonic()
    for old in [offer for offer, until in _offers.items() if until < now] or list(_offers)[: -_MOST_OFFERS + 1]:
        del _offers[old]
    number = secrets.token_hex(16)
    _offers[f"{header['h']}:{number}"] = now + SILENT_SECS
    answer = {"k": "here", "h": header["h"], "n": header["n"], "w": number, "agent": HUB.agent_id, "back": RELAY.channel}
    _spawn(RELAY.tell(header["back"], answer))


def _open(header: Header) -> None:
    until = _offers.pop(header["c"], 0.0)
    if until < time.monotonic() or len(SERVED) >= MOST_SERVED or control.current().off:
        return
    served = SERVED[header["c"]] = Served(header)
    served.task = _spawn(served.run())


async def farewell_to_all() -> None:
    """End what this worker serves for others, because it ends itself."""
    tasks = [served.task for served in SERVED.values() if served.task is not None]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _to_served(header: Header, then: Callable[[Served], None]) -> None:
    served = SERVED.get(header["c"])
    if served is None or type(header["n"]) is not int or header["n"] <= served.line.got:
        return
    if header["n"] > served.line.got + 1:
        served.leave()  # a command may have been lost: to be opened anew
        return
    served.line.got = header["n"]
    then(served)
