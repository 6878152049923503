"""The views of the simulation. What each does it writes into the ledger of the run, with its state before and after."""

import asyncio
import datetime
import decimal
import uuid

from django.urls import path
from djust import LiveView
from djust.decorators import event_handler

#: The ledger of the run that is under way: see ``model.Ledger``.
LEDGER = None

#: Values that are odd in one way or another, by the name under which an event asks for them.
ODD = {
    "none": None,
    "true": True,
    "minus": -17,
    "text": "Grüße, 日本, \u2028 and \"quotes\" \\ <b>",
    "long": "lorem " * 300,
    "decimal": decimal.Decimal("10.50"),
    "date": datetime.date(2026, 3, 1),
    "datetime": datetime.datetime(2026, 2, 3, 4, 5, 6),
    "duration": datetime.timedelta(seconds=90),
    "uuid": uuid.UUID("12345678-1234-5678-1234-567812345678"),
    "tuple": (1, "two", (3.5, None)),
    "set": {"draft", "internal"},
    "frozen": frozenset([1, 2, 3]),
    "bytes": b"\x00\x01binary",
    "keys": {1: "one", (2, 3): "pair"},
    "nested": {"a": [{"b": [{"c": [{"d": []}]}]}], "e": {}},
    "list": list(range(200)),
    "empty": {},
    "nan": float("nan"),
    "infinite": float("inf"),
    "huge": 2**80,
    "surrogate": "a lone \ud800 surrogate",
}
SECRETS = ("hunter2-of-the-simulation", "correct horse battery", "s3cr3t/of+one==")


def row(number):
    return {"id": number, "text": f"row {number} of a table " * 8, "edits": 0}


class Simulated(LiveView):
    """What all of them can do."""

    template = "<div dj-root><p>{{ count }}</p><ul>{% for row in rows %}<li>{{ row.id }} {{ row.edits }}</li>{% endfor %}</ul></div>"
    login_required = False
    rows_at_first = 3

    def mount(self, request, **kwargs):
        self.count = 0
        self.ticks = 0
        self.rows = [row(number) for number in range(self.rows_at_first)]
        self.odd = None
        self.done = []
        self.got = []
        self.password = ""
        self.note = ""

    def _assign_view_id(self, preferred=None):
        """djust counts over the whole process: another run would have other ids."""
        found = super()._assign_view_id(preferred)
        return found if found == preferred else f"child_{LEDGER.next_child()}"

    def _register_child(self, view_id, child):
        super()._register_child(view_id, child)
        LEDGER.child_comes(self, view_id, child)

    @event_handler()
    def change(self, mark="", n=1, **kwargs):
        with LEDGER.doing(self, "event", mark):
            self.count += int(n)

    @event_handler()
    def nothing(self, mark="", **kwargs):
        with LEDGER.doing(self, "event", mark):
            pass

    @event_handler()
    def boom(self, mark="", **kwargs):
        with LEDGER.doing(self, "event", mark):
            self.count += 1000
        raise ValueError("boom of the simulation")

    @event_handler()
    async def slow(self, mark="", secs=0.1, **kwargs):
        with LEDGER.doing(self, "event", mark):
            self.count += 1
            await asyncio.sleep(float(secs))
            self.count += 1

    @event_handler()
    def edit(self, mark="", n=0, **kwargs):
        with LEDGER.doing(self, "event", mark):
            rows = list(self.rows)
            number = int(n) % len(rows)
            rows[number] = {**rows[number], "edits": rows[number]["edits"] + 1}
            self.rows = rows
            self.count += 1

    @event_handler()
    def mutate(self, mark="", n=0, **kwargs):
        """Change a value in place."""
        with LEDGER.doing(self, "event", mark):
            self.rows[int(n) % len(self.rows)]["edits"] += 1
            self.count += 1

    @event_handler()
    def become(self, mark="", what="none", **kwargs):
        with LEDGER.doing(self, "event", mark):
            self.odd = ODD[what]
            self.count += 1

    @event_handler()
    def grow(self, mark="", n=0, **kwargs):
        """An assign comes, or goes."""
        with LEDGER.doing(self, "event", mark):
            name = f"extra_{int(n) % 4}"
            if name in self.__dict__:
                delattr(self, name)
            else:
                setattr(self, name, f"extra of {mark}")
            self.count += 1

    @event_handler()
    def login(self, mark="", password="", **kwargs):
        with LEDGER.doing(self, "event", mark):
            self.password = password
            self.note = f"logged in with {password}"
            self.count += 1

    @event_handler()
    def start(self, mark="", secs=0.1, fails=False, **kwargs):
        """Work that ends later, in the background."""
        with LEDGER.doing(self, "event", mark):
            self.count += 1
            LEDGER.work_starts(self, mark)
            self.start_async(self._work, mark, float(secs), fails is True or fails == "true", name=f"work-{mark}")

    async def _work(self, mark, secs, fails):
        await asyncio.sleep(secs)
        with LEDGER.doing(self, "async", mark):
            self.done = [*self.done[-5:], mark]
        if fails:
            raise RuntimeError("the simulation's work failed")

    @event_handler()
    def on_push(self, mark="", **kwargs):
        with LEDGER.doing(self, "push", mark):
            self.got = [*self.got[-5:], mark]


class Plain(Simulated):
    pass


class Recorded(Simulated):
    """djust keeps a history of it, too."""

    time_travel_enabled = True


class Large(Simulated):
    """Just below 200 KB of state."""

    rows_at_first = 800
    template = "<div dj-root><p>{{ count }}</p></div>"


class Ticking(Simulated):
    tick_interval = 200

    def handle_tick(self):
        number = LEDGER.next_tick()
        with LEDGER.doing(self, "tick", str(number)):
            self.ticks = number


class Child(Simulated):
    template = "<div dj-root><b>{{ count }}</b></div>"


class OtherChild(Child):
    """Takes the place of `Child` under the same id on another page."""

    def mount(self, request, **kwargs):
        super().mount(request, **kwargs)
        self.other = True


class Sticky(Child):
    sticky = True
    sticky_id = "player"


LOAD = "{% load live_tags %}"


class WithChildren(Simulated):
    template = (
        LOAD + '<div dj-root><p>{{ count }}</p>{% live_render "simulation.views.Sticky" sticky=True %}'
        '{% live_render "simulation.views.Child" view_id="side" %}{% live_render "simulation.views.Child" %}</div>'
    )


class WithOtherChildren(Simulated):
    template = (
        LOAD + '<div dj-root><p>{{ count }}</p><div dj-sticky-slot="player"></div>'
        '{% live_render "simulation.views.OtherChild" view_id="side" %}</div>'
    )


KINDS = [Plain, Recorded, Large, Ticking, WithChildren, WithOtherChildren]
PLACES = ("seen", "elsewhere")


def address(place, kind):
    return f"/{place}/{kind.__name__.lower()}/"


urlpatterns = [path(address(place, kind)[1:], kind.as_view()) for kind in KINDS for place in PLACES]
