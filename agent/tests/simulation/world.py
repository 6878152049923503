"""The simulated world: what happens, in which order, and to whom. Everything comes from one seed."""

import asyncio
import contextlib
import fnmatch
import gc
import hashlib
import json
import logging
import os
import random
import select
import sys
import tempfile
from collections import Counter, deque

import harness
from django.test import override_settings
from djust.push import apush_to_view
from djust.websocket import LiveViewConsumer
from djust_inspector import budget, guard, hub, sessions, turns
from djust_inspector.hub import HUB

from . import clock, meter, model, views

#: Simulated seconds that recording goes on without an inspector.
GRACE = hub.GRACE_SECS
#: Seconds for which the agent may hold the event loop, on a machine as fast as `meter.NOMINAL` says.
MOST_HELD = 0.005
#: Handlers that take a mark and little else, and how often each is called.
HANDLERS = {"change": 6, "nothing": 1, "boom": 2, "slow": 4, "edit": 3, "mutate": 2, "become": 4, "grow": 2, "login": 1, "start": 3}
ODD_FRAMES = [
    "{not json",
    "[]",
    "7",
    '"text"',
    "null",
    "{}",
    '{"type": 5}',
    '{"type": "wibble"}',
    '{"type": ["event"]}',
    '{"type": "event"}',
    '{"type": "event", "event": 7, "params": {}}',
    '{"type": "event", "event": null, "params": [1]}',
    '{"type": "event", "event": "change", "params": "text"}',
    '{"type": "url_change", "params": 3, "uri": 4}',
    '{"type": "event", "event": "\\ud800", "params": {"\\ud800": 1e999}}',
    '{"type": "request_html"}',
    '{"type": "presence_heartbeat"}',
    '{"type": "ping"}',
    '{"type": "event", "event": "_private", "params": {}}',
    '{"type": "event", "event": "get_context_data", "params": {}}',
]


class Consumer(LiveViewConsumer):
    """djust's own, which tells the ledger what comes to it."""

    simulated = None

    async def receive(self, text_data=None, bytes_data=None, **kwargs):
        page = self.simulated
        with page.receiving(text_data, bytes_data):
            await super().receive(text_data=text_data, bytes_data=bytes_data, **kwargs)

    async def hotreload(self, event):
        page = self.simulated
        kind = "hvr" if event.get("hvr_meta") else "hot_reload"
        happening = page.world.ledger.begin(page, (kind, str(event.get("file", "")).rsplit("/", 1)[-1]))
        try:
            await super().hotreload(event)
        finally:
            page.world.ledger.end(happening)

    async def disconnect(self, code):
        page = self.simulated
        page.disconnected = True
        happening = page.world.ledger.begin(page, ("close", None))
        try:
            await super().disconnect(code)
        finally:
            page.closed_recorded = happening.recorded
            page.world.ledger.end(happening)


class Page:
    """A browser page."""

    def __init__(self, world, number, kind, place):
        self.world = world
        self.number = number
        self.kind = kind
        self.place = place
        self.path = None
        self.path_known = False  # whether somebody was there when it told its path
        self.id = None
        self.consumer = Consumer()
        self.consumer.simulated = self
        self.socket = harness.Page(app=self._app, client=f"10.0.{number // 250}.{number % 250}")
        self.socket.sink = self._sent
        self.ref = 0
        self.messages = deque()  # sent and not yet received: (text, mark)
        self.errors = 0
        self.paused = False
        self.ended = None
        self.closed_recorded = False
        self.disconnected = False
        self.was_wanted = False
        self.children = {}  # id: the child views that were seen under it
        self.wire = []
        self.cut = False
        self.whole = True

    async def _app(self, scope, receive, send):
        scope = {**scope, "user": None, "session": None, "url_route": {"kwargs": {}}}
        try:
            await self.consumer(scope, receive, send)
        finally:
            self.ended = self.world.clock.now
            if not self.disconnected:
                # A consumer that is cancelled is not told that its page has gone; its page has ended all the same.
                happening = self.world.ledger.begin(self, ("close", None), note="cancelled")
                self.closed_recorded = happening.recorded
                self.world.ledger.end(happening)

    def _sent(self, message):
        if message["type"] == "websocket.close":
            self.socket.close_code = message.get("code", 1000)
        text = message.get("text")
        if text is None:
            return
        self.wire.append(("out", len(text.encode("utf-8", "surrogatepass"))))
        if '"type": "error"' in text[:80] or '"type":"error"' in text[:80]:
            self.errors += 1
        if self.id is None:
            self.id = json.loads(text).get("session_id")

    async def open(self):
        await self.socket.to_app.put({"type": "websocket.connect"})
        self.socket.task = asyncio.ensure_future(self.socket.app(self.socket.scope, self.socket.to_app.get, self.socket._send))
        await asyncio.sleep(0.01)
        self.id = self.id or self.consumer.session_id
        self.world.is_recorded(self)

    def send(self, message, mark=None):
        text = message if type(message) is str else json.dumps(message)
        self.messages.append((text, mark))
        self.socket.to_app.put_nowait({"type": "websocket.receive", "text": text})

    def mount(self, redirect=False):
        url = views.address(self.place, self.kind)
        path = f"simulation.views.{self.kind.__name__}"
        if redirect:
            self.send({"type": "live_redirect_mount", "view": path, "params": {}, "url": url})
        else:
            self.send({"type": "mount", "view": path, "params": {}, "url": url, "has_prerendered": False, "client_timezone": None})

    @property
    def alive(self):
        return self.ended is None and self.socket.close_code is None

    # -- what comes to its consumer

    def receiving(self, text, data):
        return _Receiving(self, text, data)

    def child_views(self):
        """The page's views: the root under ``None``, children under their ids."""
        root = self.consumer.view_instance
        found = {None: root} if root is not None else {}
        waiting = [root] if root is not None else []
        while waiting:
            for identity, child in list((getattr(waiting.pop(), "_child_views", None) or {}).items()):
                if identity not in found:
                    found[identity] = child
                    waiting.append(child)
        return found

    def see_children(self, recorded):
        """Expect a mount of each child that was not seen before."""
        for identity, child in self.child_views().items():
            if identity is not None:
                self.child_comes(identity, child).required |= recorded

    def child_comes(self, identity, child):
        """A child that a page's render made. It need not be told: the next render may replace it."""
        seen = self.children.setdefault(identity, [])
        for each, happening in seen:
            if each is child:
                return happening
        happening = self.world.ledger.begin(self, ("mount", identity))
        self.world.ledger.end(happening, required=False)
        seen.append((child, happening))
        return happening


class _Receiving:
    """One message of a page, from its arrival at the consumer to the end of what it causes."""

    def __init__(self, page, text, data):
        self.page = page
        self.text = text
        self.data = data

    def __enter__(self):
        page, ledger = self.page, self.page.world.ledger
        size = len(self.data) if self.data is not None else len((self.text or "").encode("utf-8", "surrogatepass"))
        page.wire.append(("in", size))
        _, self.mark = page.messages.popleft()
        try:
            message = json.loads(self.text) if self.text is not None else None
        except (ValueError, RecursionError):
            message = None
        kind = message.get("type") if type(message) is dict else None
        self.kind = kind if type(kind) is str else None
        self.errors = page.errors
        if kind in ("mount", "live_redirect_mount"):
            page.path = message["url"]
            page.path_known = page.world.active
        keys = [("error", None)]
        note = ""
        if self.mark in page.world.deep:
            note = "deep"
        if size > 65_536:
            keys = [("event", self.mark), ("error", None)]
            note = "too large"
        elif kind == "event":
            keys = [("event", self.mark or f"ref-{message.get('ref') if type(message.get('ref')) is int else None}")]
        elif kind in ("request_html", "presence_heartbeat"):
            keys = [("message", None), ("error", None)]
        elif kind in ("mount", "live_redirect_mount"):
            keys = [("mount", None)]
        elif kind == "url_change":
            keys = [("url_change", message.get("uri") if type(message.get("uri")) is str and message["uri"] else "url_change")]
            if message.get("uri") is not None and type(message["uri"]) is not str:
                keys = [("url_change", str(message["uri"]))]
        self.happening = ledger.begin(page, *keys, note=note)
        if kind == "event" and self.mark:
            ledger.marks[(page, self.mark)] = self.happening
        page.world.note(f"page {page.number} receives {kind} {self.mark or ''}")

    def __exit__(self, kind, error, trace):
        page, ledger = self.page, self.page.world.ledger
        ledger.marks.pop((page, self.mark), None)
        required = True
        if self.kind not in ("event", "mount", "live_redirect_mount", "url_change"):
            # Nothing that is told, unless djust answered by an error.
            required = page.errors > self.errors
            if not required and self.happening.keys[0][0] != "message":
                return
        if isinstance(error, asyncio.CancelledError):
            page.cut = True
            self.happening.note = "cut"
            required = self.happening.before is not None  # its handler had begun
        if self.kind in ("mount", "live_redirect_mount") and self.happening.recorded:
            page.was_wanted = True
        ledger.end(self.happening, required)
        page.see_children(self.happening.recorded and not self.happening.thinned)


class Inspector:
    """One attached inspector, or one that comes and goes."""

    def __init__(self, world, name):
        self.world = world
        self.name = name
        self.log = None
        self.logs = []
        self.socket = None
        self.texts = []
        self.asked = {}
        self.answers = {}
        self.stalled_at = None
        self.welcome = None

    def attach(self, resume=False):
        """Begin to attach. A new attachment that is not resumed has a log of its own."""
        world = self.world
        point = None
        if resume and self.log is not None and self.last_seq is not None:
            point = [{"agent": self.agent, "seq": self.last_seq}]
        self.resuming = point is not None
        self.socket = harness.Inspector()
        self.socket.sink = self._sent
        self.number = 0
        self.asked, self.answers = {}, {}
        self.welcome = None
        self.stalled_at = None
        socket = self.socket
        socket.to_app.put_nowait({"type": "websocket.connect"})
        hello = {"t": "hello", "protocol": 1, "inspector": self.name, "writes": True, "workers": False, "resume": point}
        socket.to_app.put_nowait({"type": "websocket.receive", "text": json.dumps(hello)})
        socket.task = asyncio.ensure_future(_inspected(socket.scope, socket.to_app.get, socket._send))
        world.note(f"inspector {self.name} attaches{' again' if resume else ''}")

    def _sent(self, message):
        if message["type"] == "websocket.close":
            self.socket.close_code = message.get("code", 1000)
        text = message.get("text")
        if text is None:
            return
        frame = json.loads(text, parse_constant=harness.Inspector.constant)
        kind = frame["t"]
        if kind == "welcome":
            self.welcome = frame
            self.agent = frame["agent"]
            now = self.world.clock.now
            if frame["resumed"]:
                if not self.resuming:
                    self.world.wrong.append(f"inspector {self.name} is resumed and did not ask for it")
                self.log.ended = None
            else:
                self.log = model.Log(f"{self.name}.{len(self.logs)}", now)
                self.logs.append(self.log)
        elif kind == "answer":
            if frame["id"] in self.answers:
                self.world.wrong.append(f"command {frame['id']} of {self.name} is answered twice")
            self.answers[frame["id"]] = frame
        else:
            if self.welcome is None:
                # What must come first was given up. Made up for, so that what follows is compared, too.
                self.world.fault("answers", f"inspector {self.name} was not welcomed: the first frame is {kind!r}")
                self.welcome = {"resumed": False}
                self.log = model.Log(f"{self.name}.{len(self.logs)}", self.world.clock.now)
                self.logs.append(self.log)
            self.log.frames.append(frame)

    @property
    def last_seq(self):
        seqs = [f["seq"] for f in self.log.frames[-1:] if "seq" in f] if self.log else []
        return seqs[0] if seqs else None

    @property
    def attached(self):
        return self.socket is not None and not self.socket.task.done()

    def stall(self):
        self.socket.stalled = asyncio.Event()
        self.stalled_at = self.world.clock.now
        self.world.note(f"inspector {self.name} reads no more")

    def go_on(self):
        self.socket.stalled.set()
        self.socket.stalled = None
        self.stalled_at = None
        self.world.note(f"inspector {self.name} reads again")

    def command(self, do, **fields):
        self.number += 1
        self.asked[self.number] = do
        self.socket.to_app.put_nowait(
            {"type": "websocket.receive", "text": json.dumps({"t": "command", "id": self.number, "do": do, **fields})}
        )
        return self.number

    async def leave(self, rudely):
        """Close, or vanish."""
        self.world.note(f"inspector {self.name} leaves{' rudely' if rudely else ''}")
        if self.log is not None:
            self.log.ended = self.world.clock.now if self.stalled_at is None else self.stalled_at
        if rudely:
            self.socket.task.cancel()
        else:
            self.socket.to_app.put_nowait({"type": "websocket.disconnect", "code": 1000})
        await asyncio.wait([self.socket.task], timeout=5)
        self.world.active_until = self.world.clock.now + GRACE
        if not self.socket.task.done():
            self.world.wrong.append(f"the attachment of {self.name} does not end")


async def _inspected(scope, receive, send):
    await LiveViewConsumer()(scope, receive, send)


class World:
    """One run."""

    def __init__(self, seed, known=frozenset(), actions=None):
        self.seed = seed
        self.known = known
        self.rng = random.Random(seed)
        self.clock = clock.Clock()
        self.actions = actions or self.rng.randint(40, 110)
        self.trail = deque(maxlen=60)
        self.digest = hashlib.sha256()
        self.wrong = []
        self.pages = []
        self.inspectors = []
        self.empty = False  # the budget
        self.deep = set()  # marks of events that are nested deeply
        self.marks = 0
        self.active_until = 0.0
        self.meter = meter.Meter()
        self.ledger = model.Ledger(self.clock, self.find, self.is_recorded, self.child_comes)
        self.counts = Counter()

    # -- for the ledger

    def find(self, view):
        for page in self.pages:
            for identity, each in page.child_views().items():
                if each is view:
                    return page, identity
        return None, None

    def is_recorded(self, page):
        """Whether the agent was to record what begins on a page now, and whether its budget was used up."""
        if self.record.get("paths") and not any(fnmatch.fnmatchcase(page.path or "", p) for p in self.record["paths"]):
            return False, False
        page.was_wanted = True
        return self.active, self.active and self.empty

    @property
    def active(self):
        return any(i.attached for i in self.inspectors) or self.clock.now < self.active_until

    def note(self, text):
        line = f"{self.clock.now:9.3f} {text}"
        self.trail.append(line)
        self.digest.update(line.encode("utf-8", "backslashreplace"))

    def mark(self):
        self.marks += 1
        return f"t{self.marks}"

    def child_comes(self, parent, identity, child):
        page, _ = self.find(parent)
        if page is None:  # while its own mount is under way
            page = next((p for p in self.pages if p.consumer is getattr(parent, "_ws_consumer", None)), None)
        if page is not None:
            page.child_comes(identity, child)

    # -- actions

    def living(self, mounted=True):
        return [p for p in self.pages if p.alive and (not mounted or p.consumer.view_instance is not None)]

    async def new_page(self):
        if len(self.living(False)) >= 14:
            return
        rng = self.rng
        kind = rng.choices(views.KINDS, [4, 4, 1, 2, 3, 1])[0]
        page = Page(self, len(self.pages), kind, rng.choice(views.PLACES))
        self.pages.append(page)
        self.note(f"page {page.number} opens: {kind.__name__} at {page.place}")
        await page.open()
        page.mount()
        if rng.random() < 0.8:
            await asyncio.sleep(0.05)

    def click(self, page=None):
        rng = self.rng
        pages = self.living()
        if not pages:
            return
        page = page or rng.choice(pages)
        name = rng.choices(list(HANDLERS), list(HANDLERS.values()))[0]
        mark = self.mark()
        params = {"mark": mark, **self.parameters(name)}
        children = [c for c in page.child_views() if c is not None]
        if children and rng.random() < 0.4:
            params["view_id"] = rng.choice(sorted(children))
        page.ref += 1
        self.note(f"page {page.number} sends {name} {mark} {params.get('view_id', '')}")
        page.send({"type": "event", "event": name, "params": params, "ref": page.ref}, mark)

    def parameters(self, name):
        rng = self.rng
        if name in ("change", "edit", "mutate", "grow"):
            return {"n": rng.randint(1, 900)}
        if name == "slow":
            return {"secs": rng.choice([0.001, 0.05, 0.3, 1.5])}
        if name == "become":
            return {"what": rng.choice(sorted(views.ODD))}
        if name == "login":
            return {"password": rng.choice(views.SECRETS)}
        if name == "start":
            return {"secs": rng.choice([0.001, 0.2, 2.0]), "fails": rng.random() < 0.3}
        return {}

    def burst(self):
        pages = self.living()
        if pages:
            page = self.rng.choice(pages)
            for _ in range(self.rng.randint(5, 40)):
                self.click(page)

    def odd_event(self):
        """An event that djust refuses, or whose parameters are odd."""
        pages = self.living()
        if not pages:
            return
        rng, page, mark = self.rng, self.rng.choice(self.living()), self.mark()
        which = rng.choice(["unknown", "unfit", "child", "large", "too large", "deep", "wide", "redirected"])
        event, params = "change", {"mark": mark}
        if which == "unknown":
            event = "no_such_handler"
        elif which == "unfit":
            params["n"] = "many"
        elif which == "child":
            params["view_id"] = "no_such_child"
        elif which == "large":
            params["blob"] = "x" * 60_000
        elif which == "too large":
            params["blob"] = "é" * 60_000
        elif which == "wide":
            params["list"] = list(range(8_000))
        self.note(f"page {page.number} sends an odd event: {which} {mark}")
        page.ref += 1
        text = json.dumps({"type": "event", "event": event, "params": params, "ref": page.ref})
        if which == "deep":
            depth = rng.choice([50, 200, 600, 900])
            text = text[:-1].replace('"params": {', '"params": {"deep": ' + "[" * depth + "]" * depth + ", ", 1) + "}"
            self.deep.add(mark)
        page.send(text, mark)

    def odd_frame(self):
        pages = self.living(False)
        if pages:
            page, text = self.rng.choice(pages), self.rng.choice(ODD_FRAMES)
            self.note(f"page {page.number} sends {text[:40]}")
            page.send(text)

    def redirect(self):
        pages = [p for p in self.living() if p.kind is not views.Ticking or self.rng.random() < 0.5]
        if pages:
            page = self.rng.choice(pages)
            page.kind = self.rng.choice([views.WithChildren, views.WithOtherChildren, views.Plain, views.Ticking])
            page.place = self.rng.choice([page.place, page.place, *views.PLACES])
            self.note(f"page {page.number} is redirected to {page.kind.__name__} at {page.place}")
            page.mount(redirect=True)

    def change_url(self):
        pages = self.living()
        if pages:
            page, mark = self.rng.choice(pages), self.mark()
            page.send({"type": "url_change", "params": {"tab": mark}, "uri": f"{page.path}?tab={mark}"})

    async def push(self):
        kind, mark = self.rng.choice(views.KINDS), self.mark()
        self.note(f"push {mark} to {kind.__name__}")
        await apush_to_view(f"simulation.views.{kind.__name__}", handler="on_push", payload={"mark": mark})

    async def close_page(self):
        pages = self.living(False)
        if pages:
            page = self.rng.choice(pages)
            self.note(f"page {page.number} closes")
            page.socket.to_app.put_nowait({"type": "websocket.disconnect", "code": self.rng.choice([1000, 1001, 1006])})

    async def cancel_page(self):
        """The server ends a page's consumer in the middle of whatever it does."""
        pages = self.living(False)
        if pages:
            page = self.rng.choice(pages)
            self.note(f"page {page.number} is cancelled")
            page.cut = True
            page.socket.task.cancel()
            await asyncio.sleep(0)

    async def reload(self):
        name = f"style-{self.mark()}.css"
        self.note(f"{name} is saved")
        await LiveViewConsumer.broadcast_reload("/project/" + name)

    async def come(self):
        free = [i for i in self.inspectors[1:] if not i.attached]
        if not free and len(self.inspectors) < 6:
            free = [Inspector(self, f"i{len(self.inspectors)}")]
            self.inspectors += free
        if free:
            free[0].attach()
            await asyncio.sleep(0.01)

    async def come_and_go(self):
        """One that vanishes and comes back at once, as over a bad network."""
        there = [i for i in self.inspectors[1:] if i.attached and i.stalled_at is None and i.log]
        if there:
            inspector = self.rng.choice(there)
            synced = any(f["t"] == "synced" for f in inspector.log.frames[-400:])
            await inspector.leave(self.rng.random() < 0.5)
            await asyncio.sleep(self.rng.choice([0.0, 0.5, 5.0]))
            inspector.attach(resume=True)
            await asyncio.sleep(0.05)
            if synced and inspector.welcome and not inspector.welcome["resumed"] and not self.record:
                if not any(f["t"] == "gap" for f in inspector.logs[-2].frames):
                    self.wrong.append(f"inspector {inspector.name} is not resumed from {inspector.resuming}")

    async def go(self):
        there = [i for i in self.inspectors[1:] if i.attached]
        if there:
            await self.rng.choice(there).leave(self.rng.random() < 0.5)

    def stall(self):
        there = [i for i in self.inspectors[1:] if i.attached and i.stalled_at is None and i.log]
        if there:
            self.rng.choice(there).stall()

    def go_on(self):
        there = [i for i in self.inspectors[1:] if i.attached and i.stalled_at is not None]
        if there:
            self.rng.choice(there).go_on()

    async def command(self):
        there = [i for i in self.inspectors[1:] if i.attached and i.stalled_at is None and i.welcome]
        pages = self.living()
        if not there or not pages:
            return
        rng = self.rng
        inspector, page = rng.choice(there), rng.choice(pages)
        do = rng.choice(["sync", "config", "ring", "ticks", "preview", "jump", "dispatch"])
        fields = {"session": page.id, "view": None}
        if do == "ticks":
            page.paused = not page.paused if page.kind is views.Ticking else False
            fields["paused"] = page.paused
        elif do in ("preview", "jump"):
            fields |= {"set": {"count": rng.randint(1, 99)}, "target": {"mark": self.mark()}}
        elif do == "dispatch":
            fields |= {"event": "change", "params": {"mark": self.mark()}}
        self.note(f"inspector {inspector.name} asks for {do} of page {page.number}")
        happening = None
        if do == "jump":
            happening = self.ledger.begin(page, ("jump", fields["target"]["mark"]))
        elif do == "dispatch":
            happening = self.ledger.begin(page, ("event", fields["params"]["mark"]))
            happening.thinned = False
            self.ledger.marks[(page, fields["params"]["mark"])] = happening
        number = inspector.command(do, **fields)
        await asyncio.sleep(3.0 if do in ("jump", "dispatch", "ticks") else rng.choice([0.0, 0.2]))
        answer = inspector.answers.get(number)
        if do == "dispatch":
            self.ledger.marks.pop((page, fields["params"]["mark"]), None)
        if do == "ticks" and not (answer and answer["ok"]):
            page.paused = bool(page.consumer.__dict__.get("_djust_inspector") and page.consumer._djust_inspector.ticks_paused)
        if happening is not None:
            done = answer is not None and answer["ok"]
            self.ledger.end(happening, required=done and page.alive and inspector.attached)

    def exhaust(self):
        if "cpu" in self.record and not self.empty:
            self.note("the budget is used up")
            self.empty = True
            budget.BUDGET.allows()  # opens the account
            budget.BUDGET.spend(1e6)

    def refill(self):
        if self.empty:
            self.note("the budget is full again")
            self.empty = False
            budget.BUDGET.spend(-1e6)

    def fork(self):
        """A child process must not go on recording what nobody reads."""
        if not hasattr(os, "register_at_fork") or not sys.platform.startswith("linux"):
            return
        self.note("the process is forked")
        read, write = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                os.write(write, json.dumps(_in_the_child()).encode())
            finally:
                os._exit(0)
        os.close(write)
        try:
            ready, _, _ = select.select([read], [], [], 20)
            told = os.read(read, 65_536) if ready else b'["it hangs"]'
            if not ready:
                os.kill(child, 9)
        finally:
            os.close(read)
            os.waitpid(child, 0)
        for fault in json.loads(told or b'["it died"]'):
            self.fault("fork", f"after a fork the child {fault}")

    def fault(self, kind, text):
        if kind in self.known:
            self.counts["known: " + kind] += 1
        else:
            self.wrong.append(text)

    # -- the run

    ACTIONS = {
        "new_page": 8,
        "click": 40,
        "burst": 2,
        "odd_event": 5,
        "odd_frame": 4,
        "redirect": 4,
        "change_url": 3,
        "push": 5,
        "close_page": 3,
        "cancel_page": 2,
        "reload": 2,
        "come": 3,
        "come_and_go": 2,
        "go": 1,
        "stall": 1,
        "go_on": 2,
        "command": 5,
        "exhaust": 1,
        "refill": 2,
        "fork": 1,
    }

    async def run(self):
        rng = self.rng
        hub.QUEUE_BYTES = self.queue_bytes
        first = Inspector(self, "i0")
        self.inspectors.append(first)
        if not self.lonely:
            first.attach()
            await asyncio.sleep(0.05)
        for _ in range(2):
            await self.new_page()
        for _ in range(self.actions):
            name = rng.choices(list(self.ACTIONS), list(self.ACTIONS.values()))[0]
            self.counts[name] += 1
            done = getattr(self, name)()
            if asyncio.iscoroutine(done):
                await done
            for inspector in self.inspectors:
                if inspector.attached and inspector.stalled_at is not None and self.clock.now - inspector.stalled_at > 40:
                    inspector.go_on()
            if rng.random() < 0.6:
                await asyncio.sleep(rng.choice([0.0, 0.001, 0.02, 0.02, 0.3, 1.1]))
        # Everybody reads again, everything comes to its end.
        self.refill()
        for inspector in self.inspectors:
            if inspector.attached and inspector.stalled_at is not None:
                inspector.go_on()
        await asyncio.sleep(5.0)
        self.look_at_turns()
        for page in self.living(False):
            page.socket.to_app.put_nowait({"type": "websocket.disconnect", "code": 1000})
        await asyncio.sleep(5.0)
        for page in self.pages:
            if not page.socket.task.done():
                self.wrong.append(f"page {page.number} does not end")
        self.look_at_answers()
        for inspector in self.inspectors:
            if inspector.attached:
                await inspector.leave(False)
        await asyncio.sleep(GRACE + 5.0)
        for page in self.pages:
            if page.consumer._tick_task is not None:  # djust lets those of a cancelled consumer tick on
                page.consumer._tick_task.cancel()
        await asyncio.sleep(0)
        self.look_at_the_end()

    def look_at_answers(self):
        for inspector in self.inspectors:
            if inspector.attached:
                for number, do in inspector.asked.items():
                    if number not in inspector.answers:
                        self.fault("answers", f"the command {do} of {inspector.name} was never answered")

    def look_at_turns(self):
        """While nothing happens nothing is under way, and streams are those of views that are there."""
        gc.collect()
        open_turns = [o for o in gc.get_objects() if type(o) is turns.Turn and (o.session is not None or o.before or o.html)]
        if open_turns:
            kinds = sorted({f"{t.kind} of {t.session.id if t.session else None}" for t in open_turns})
            self.fault("turns", f"{len(open_turns)} turns are kept while nothing happens: {kinds[:4]}")
        del open_turns
        for page in self.pages:
            session = sessions.SESSIONS.get(page.id)
            if session is None:
                continue
            if page.ended is not None:
                self.fault("cancelled", f"page {page.number} has ended, and its session is kept")
                continue
            gone = {each for each in session.streams if type(each) is str} - set(page.child_views())
            if gone and not self.record:
                self.fault("streams", f"page {page.number} keeps the states of children that are gone: {sorted(gone)}")

    def look_at_the_end(self):
        if hub.ACTIVE or HUB.inspectors or HUB.backlog or HUB._grace is not None:
            self.wrong.append("the hub goes on recording after everybody has left")
        left = [s for s in sessions.SESSIONS.values()]
        if left:
            self.fault("cancelled", f"{len(left)} sessions are left at the end")
        for error, details in guard.errors.items():
            self.fault("deep" if "RecursionError" in error else "errors", f"an error of the agent: {error} {details['traceback'][-300:]}")

    def compare(self):
        """Everything that was told, with everything that happened."""
        for kind, fault in self.ledger.faults:
            self.fault(kind, fault)
        everything = self.inspectors[0].logs[0] if not self.lonely and self.inspectors[0].logs else None
        if everything is not None and any(f["t"] == "gap" and f["why"] == "slow" for f in everything.frames):
            everything = None
        for inspector in self.inspectors:
            for log in inspector.logs:
                for kind, fault in model.check(log, self.ledger, self.pages, everything):
                    self.fault(kind, f"{log.name}: {fault}")
                for frame in log.frames:
                    told = [frame.get(field) for field in ("t", "seq", "at", "session", "view", "kind", "name", "status", "dropped")]
                    self.digest.update(json.dumps(told).encode())
        if everything is not None:
            for page in self.pages:
                self.compare_frames(page, everything)

    def compare_frames(self, page, log):
        """Each frame on the wire is told with exactly one step."""
        if page.cut or not page.closed_recorded or self.record:
            return
        told = Counter()
        for step in log.steps():
            if step["session"] == page.id:
                told.update((frame["dir"], frame["bytes"]) for frame in step["frames"])
        really = Counter(page.wire)
        if told != really:
            deep = any(h.page is page and h.note == "deep" for h in self.ledger.happened)
            self.fault("deep" if deep else "told", f"frames of page {page.number}: told too often {dict(told - really)}, not told {dict(really - told)}")


def _as_at_first():
    """Let the agent be as in a process that has just begun: what it says hangs on what it said."""
    from djust_inspector import configuration, server

    guard.errors.clear()
    guard.changed.clear()
    budget.BUDGET = budget.Budget()
    sessions.SESSIONS.clear()
    sessions._closed.clear()
    configuration._last = server._last = None
    listeners = HUB.on_active
    HUB.__init__()
    HUB.on_active = listeners


def _in_the_child():
    wrong = []
    if hub.ACTIVE:
        wrong.append("records")
    if HUB.inspectors:
        wrong.append("has inspectors")
    if HUB.backlog:
        wrong.append("keeps a backlog")
    if sessions.SESSIONS:
        wrong.append("has the sessions of its parent")
    if hub.ACTIVE:
        before = HUB.seq
        logging.getLogger("lab").warning("in the child")
        if HUB.seq != before:
            wrong.append("queues what nobody reads")
    return wrong


class Failed(AssertionError):
    """Something was told otherwise than it was."""


def simulate(seed, known=frozenset(), actions=None):
    """One run; raises `Failed` with the seed and the last actions. The world, for who wants to know more."""
    world = World(seed, known, actions)
    rng = world.rng
    world.lonely = rng.random() < 0.25
    world.queue_bytes = rng.choice([hub.QUEUE_BYTES, 400_000, 60_000])
    world.record = rng.choice([{}, {}, {}, {"paths": ["/seen/*"]}, {"cpu": 0.5}, {"cpu": 0.5, "paths": ["/seen/*"]}])
    queue_bytes = hub.QUEUE_BYTES
    views.LEDGER = world.ledger
    from channels.layers import channel_layers
    from django.conf import settings

    channel_layers.backends.clear()
    allowed = [*settings.LIVEVIEW_ALLOWED_MODULES, "simulation.views"]
    block = {"record": world.record} if world.record else {}
    uninstall = world.meter.install()
    try:
        with (
            quiet(),
            world.clock.instead_of_the_machines(rng),
            override_settings(ROOT_URLCONF="simulation.views", LIVEVIEW_ALLOWED_MODULES=allowed, DJUST_INSPECTOR=block),
        ):
            _as_at_first()
            loop = clock.Loop(world.clock)
            loop.around = (world.meter.begin, world.meter.end)
            try:
                asyncio.set_event_loop(loop)
                loop.run_until_complete(world.run())
                left = [t for t in asyncio.all_tasks(loop)]
                if left:
                    world.fault("tasks", f"{len(left)} tasks are left at the end: {sorted(map(str, left))[:3]}")
                    for task in left:
                        task.cancel()
                    loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
            except clock.Stuck as error:
                world.wrong.append(str(error))
            finally:
                asyncio.set_event_loop(None)
                loop.close()
            world.compare()
        slowness = meter.slowness()
        for where, held in world.meter.longest.items():
            if held > MOST_HELD * slowness:
                world.fault("held", f"the agent held the event loop {1000 * held:.1f} ms in {where}, here {1000 * MOST_HELD * slowness:.1f} are allowed")
    finally:
        uninstall()
        hub.QUEUE_BYTES = queue_bytes
        views.LEDGER = None
        channel_layers.backends.clear()
    if world.wrong:
        trail = "\n  ".join(world.trail)
        faults = "\n  ".join(world.wrong[:40])
        more = f"\n  … and {len(world.wrong) - 40} more" if len(world.wrong) > 40 else ""
        raise Failed(f"seed {seed}:\n  {faults}{more}\nthe last actions:\n  {trail}")
    return world



@contextlib.contextmanager
def quiet():
    """Let djust's own log lines go nowhere: there are many, and each is expected. The agent's handler comes later, and sees them."""
    names = ("djust", "lab", "django", "asyncio", "djust_inspector", "")
    handlers = {handler: handler.level for name in names for handler in logging.getLogger(name).handlers}
    for handler in handlers:
        handler.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for handler, level in handlers.items():
            handler.setLevel(level)
