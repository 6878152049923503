"""What the agent costs an event, beside what djust's own time-travel recording costs it.

    python agent/bench/cost.py [--json] [--rounds N] [--only WORD]

Needs djust and ``tests/project/requirements.txt``. Real events go through djust's own consumer, in this
process, in four ways whose blocks alternate: djust alone, djust with ``time_travel_enabled``, with the
agent but nobody attached, and with an inspector attached. A block's time is that of the whole process,
so it has what happens after an event's answer too: attached, it ends when the inspector has its step.
A figure is the tenth percentile of the rounds, and a cost the difference of two. The garbage collector
runs between the blocks only, which favours djust: it copies the state, in many small objects.
"""

import argparse
import asyncio
import gc
import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

BENCH = Path(__file__).resolve().parent
ROOT = BENCH.parent.parent
#: Without the agent, with djust's recording, with the agent and nobody there, with an inspector.
WAYS = ("alone", "recorded", "detached", "attached")
#: Processor time of a block of djust alone, roughly; short, so that a round has the same neighbours on the machine.
BLOCK_SECONDS = 0.03
#: Seconds that a block may take; one timer per block, as each event's own would be part of what is measured.
DEADLINE = 60.0


def prepare():
    """Set up the example project with the agent in it. What the environment names already is left so."""
    scratch = tempfile.mkdtemp(prefix="djust-inspector-cost-")
    for name, value in {
        "DEMO_DB": os.path.join(scratch, "db.sqlite3"),
        "DEMO_RATE": "loose",
        "DEMO_HOT_RELOAD": "0",
        "DEMO_LOG_LEVEL": "ERROR",
        "DEMO_MAX_EVENTS": "10",  # a long ring takes memory, not time
        "DJUST_INSPECTOR_RUNTIME_DIR": os.path.join(scratch, "runtime"),
        "DJUST_INSPECTOR_TOKEN": "the-token-of-the-benchmark",
        "DJANGO_SETTINGS_MODULE": "config.settings",
    }.items():
        os.environ.setdefault(name, value)
    sys.dont_write_bytecode = True
    sys.path[:0] = [str(ROOT / "agent"), str(ROOT / "agent" / "tests"), str(ROOT / "tests" / "project")]
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0, interactive=False)
    import djust_inspector

    assert djust_inspector.install()
    import config.urls  # noqa: F401  (loads the project's views)


def hooked():
    """Every place in which the agent has put a hook: (owner, name, the hook, what was there before)."""
    found = []
    modules = [m for n, m in list(sys.modules.items()) if n.split(".")[0] in ("djust", "django") and m is not None]
    for module in modules:
        classes = [v for v in vars(module).values() if type(v) is type and v.__module__ == module.__name__]
        for owner in [module, *classes]:
            for name, value in list(vars(owner).items()):
                function = value.__func__ if type(value) is classmethod else value
                if "_djust_inspector" in getattr(function, "__dict__", ()):
                    before = function.__wrapped__
                    found.append((owner, name, value, classmethod(before) if type(value) is classmethod else before))
    return found


class Client:
    """A page or an inspector that reads no more of a frame than its beginning, as its time counts too."""

    def __init__(self, socket, awaited):
        self.socket = socket
        self.awaited = awaited  # how the frame begins that ends a wait
        self.arrived = None
        self.at = 0.0
        socket.sink = self.take

    def take(self, message):
        text = message.get("text")
        if text is None:
            return
        text.encode()  # as a server does
        if self.arrived is not None and not self.arrived.done() and text.startswith(self.awaited):
            self.at = time.process_time()
            self.arrived.set_result(None)

    def next(self):
        self.arrived = asyncio.get_running_loop().create_future()
        return self.arrived


class Bench:
    """The four pages of one case, and the blocks of events on them."""

    def __init__(self, case):
        self.case = case
        self.hooks = hooked()
        self.pages = {}
        self.number = 0

    async def open(self):
        import harness

        for way in WAYS:
            name = self.case.__name__ + ("Recorded" if way == "recorded" else "")
            page = await harness.Page().mount("cost_views." + name)
            self.pages[way] = Client(page, ('{"type": "patch"', '{"type": "noop"', '{"type": "html_update"'))

    async def close(self):
        for client in self.pages.values():
            await client.socket.close()

    def set_hooks(self, on):
        for owner, name, hook, before in self.hooks:
            setattr(owner, name, hook if on else before)

    async def event(self, way, inspector):
        """One event; the processor time until its answer."""
        self.number += 1
        page = self.pages[way]
        message = {"type": "event", "event": "edit", "params": {"row": self.number * 7919}, "ref": self.number}
        step = inspector.next() if inspector is not None else None
        answer = page.next()
        start = time.process_time()
        await page.socket.send(json.dumps(message))
        await answer
        if step is not None:
            await step
        return page.at - start

    async def block(self, way, events):
        """Seconds per event: (processor, processor until the answer, wall)."""
        import harness
        from djust_inspector.hub import HUB

        inspector = None
        self.set_hooks(way in ("detached", "attached"))
        if way == "attached":
            inspector = Client(await harness.Inspector().attach(), '{"t":"step"')
        await self.event(way, inspector)
        gc.collect()
        gc.disable()
        try:
            cpu, wall, answered = time.process_time(), time.perf_counter(), 0.0
            for _ in range(events):
                answered += await self.event(way, inspector)
            cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        finally:
            gc.enable()
            self.set_hooks(True)
            if inspector is not None:
                await inspector.socket.close()
                HUB._grace.cancel()
                HUB._expire()
        return cpu / events, answered / events, wall / events

    async def run(self, rounds):
        """Blocks in alternation; per way a list of what `block` returned, the first round left out."""
        await self.open()
        cpu, _, _ = await asyncio.wait_for(self.block("alone", 2), DEADLINE)
        events = max(1, min(40, round(BLOCK_SECONDS / cpu)))
        blocks = {way: [] for way in WAYS}
        for number in range(rounds + 1):
            for way in WAYS if number % 2 else reversed(WAYS):
                found = await asyncio.wait_for(self.block(way, events), DEADLINE)
                if number:
                    blocks[way].append(found)
        await self.close()
        return blocks


def low(seconds):
    """The lowest tenth's upper end in microseconds: what else runs on the machine only ever adds time."""
    ordered = sorted(seconds)
    return ordered[len(ordered) // 10] * 1e6


def summary(case, size, blocks):
    """Microseconds per event: djust alone, and what each other way adds to it."""

    def added(way, what):
        return low(b[what] for b in blocks[way]) - low(b[what] for b in blocks["alone"])

    recorded, attached = added("recorded", 0), added("attached", 0)
    return {
        "case": case.__name__,
        "title": case.title,
        "state_bytes": size,
        "event_us": round(low(b[0] for b in blocks["alone"]), 1),
        "event_median_us": round(statistics.median(b[0] for b in blocks["alone"]) * 1e6, 1),
        "recorded_us": round(recorded, 1),
        "attached_us": round(attached, 1),
        "attached_before_answer_us": round(added("attached", 1), 1),
        "detached_us": round(added("detached", 0), 1),
        "recorded_wall_us": round(added("recorded", 2), 1),
        "attached_wall_us": round(added("attached", 2), 1),
        "ratio": round(attached / recorded, 3) if recorded > 0 else None,
    }


def states_alone(case, rounds):
    """Microseconds for an event's two states alone: (djust's captures and their JSON, the agent's texts).

    djust encodes an entry that is too large for its frame three times; here it does so once.
    """
    from djust import time_travel
    from djust_inspector.streams import Stream

    view, stream = case(), Stream()
    view.mount(None)
    view.time_travel_enabled, view._time_travel_buffer = True, time_travel.TimeTravelBuffer(10)
    djust, agent = [], []
    stream.capture(view)
    for number in range(rounds * 4):
        before = time.process_time()
        snapshot = time_travel.record_event_start(view, "edit", {"row": number}, number)
        middle = time.process_time()
        stream.commit(stream.encode(view))
        begun = time.process_time()
        view.edit(row=number)
        ended = time.process_time()
        time_travel.record_event_end(view, snapshot)
        json.dumps(snapshot.to_dict(), default=str)
        last = time.process_time()
        stream.commit(stream.encode(view))
        agent.append(begun - middle + time.process_time() - last)
        djust.append(middle - before + last - ended)
    return low(djust), low(agent)


def measure(case, rounds):
    """The summary of one case."""
    from django.conf import settings
    from djust_inspector.streams import Stream

    allowed = settings.LIVEVIEW_ALLOWED_MODULES
    if "cost_views" not in allowed:
        settings.LIVEVIEW_ALLOWED_MODULES = [*allowed, "cost_views"]
    view = case()
    view.mount(None)
    size = sum(len(name) + len(text) + 4 for name, text in Stream().encode(view).items())
    row = summary(case, size, asyncio.run(Bench(case).run(rounds)))
    djust, agent = states_alone(case, rounds)
    ratio = round(agent / djust, 3)
    return {**row, "states_djust_us": round(djust, 1), "states_agent_us": round(agent, 1), "states_ratio": ratio}


def main():
    options = argparse.ArgumentParser(description="Cost of the agent per event, beside djust's own recording")
    options.add_argument("--json", action="store_true", help="print one JSON object")
    options.add_argument("--rounds", type=int, default=25, help="rounds per case")
    options.add_argument("--only", default="", help="run the cases whose class name has this word")
    chosen = options.parse_args()
    prepare()
    import cost_views
    import djust

    head = "%-39s %8s %8s %8s %8s %11s %6s %10s %9s %8s %6s"
    if not chosen.json:
        print(f"Microseconds of processor time per event, djust {djust.__version__}, Python {sys.version.split()[0]}")
        print(head % ("", "", "whole", "events:", "", "", "", "", "states", "alone:", ""))
        names = "state", "bytes", "event", "djust +", "agent +", "(to answer)", "ratio", "detached +"
        print(head % (*names, "djust", "agent", "ratio"))
    found = []
    for case in cost_views.CASES:
        if chosen.only.lower() not in case.__name__.lower():
            continue
        row = measure(case, chosen.rounds)
        found.append(row)
        if not chosen.json:
            print(
                head
                % (
                    row["title"],
                    row["state_bytes"],
                    "%.0f" % row["event_us"],
                    "%.0f" % row["recorded_us"],
                    "%.0f" % row["attached_us"],
                    "%.0f" % row["attached_before_answer_us"],
                    "-" if row["ratio"] is None else "%.2f" % row["ratio"],
                    "%.0f" % row["detached_us"],
                    "%.0f" % row["states_djust_us"],
                    "%.0f" % row["states_agent_us"],
                    "%.2f" % row["states_ratio"],
                ),
                flush=True,
            )
    if chosen.json:
        print(json.dumps({"djust": djust.__version__, "python": sys.version.split()[0], "cases": found}))


if __name__ == "__main__":
    main()
