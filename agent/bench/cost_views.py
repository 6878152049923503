"""The views of the cost benchmark: seeded states of several sizes, and events that change little of them.

Each class has a twin whose name ends in ``Recorded`` and for which djust's own recording is on.
"""

import datetime
import decimal
import random

from djust import LiveView
from djust.decorators import event_handler

WORDS = "amber birch cedar delta ember fjord grove heath inlet jetty knoll larch".split()
PAGE = '<div dj-root dj-view="cost_views.%s"><p>{{ edits }}</p>%s</div>'
ROWS = "<ul>{% for row in rows %}<li>{{ row.title }} {{ row.done }} {{ row.stamp }}</li>{% endfor %}</ul>"


def words(rng, count):
    return " ".join(rng.choice(WORDS) for _ in range(count))


def wide_rows(count):
    """Rows of about 410 characters, as of a to-do table."""
    rng = random.Random(count)
    return [
        {
            "id": number,
            "title": words(rng, 4),
            "done": False,
            "priority": rng.randint(1, 5),
            "estimate": round(rng.random() * 40, 2),
            "tags": rng.sample(WORDS, 3),
            "stamp": 1_700_000_000 + number,
            "owner": {"id": rng.randint(1, 40), "name": words(rng, 2)},
            "note": words(rng, 34),
        }
        for number in range(count)
    ]


def narrow_rows(count):
    """Rows of about 100 characters."""
    rng = random.Random(count)
    return [
        {"id": number, "title": words(rng, 3), "done": False, "stamp": 1_700_000_000 + number, "note": words(rng, 3)}
        for number in range(count)
    ]


class Case(LiveView):
    """A view whose page shows the number of edits only, so that drawing does not drown what is measured."""

    login_required = False
    #: What a table of results calls this case.
    title = ""

    def mount(self, request, **kwargs):
        self.edits = 0
        self.fill()

    def fill(self):
        """Make the state."""

    @event_handler()
    def edit(self, row: int = 0, **kwargs):
        """One event's change."""
        self.edits += 1
        self.change(row)

    def change(self, row):
        """Change a little of the state."""


class Counter(Case):
    title = "200 B counter"

    def fill(self):
        self.last = 0
        self.label = "a counter with a history of the last numbers that it had"
        self.history = list(range(1000, 1024))

    def change(self, row):
        self.last = row
        self.history = [*self.history[1:], 1000 + row]


class Table50K(Case):
    title = "50 KB table, one row changes"

    def fill(self):
        self.rows = wide_rows(128)

    def change(self, row):
        # A new list with a new row: of a large list djust looks at a sample of rows when it is changed in place.
        self.rows = list(self.rows)
        old = self.rows[row % len(self.rows)]
        new = {"done": not old["done"], "title": old["title"].swapcase(), "stamp": old["stamp"] + 1}
        self.rows[row % len(self.rows)] = {**old, **new}


class Table200K(Table50K):
    title = "200 KB table, one row changes"

    def fill(self):
        self.rows = wide_rows(512)


class Table1M(Table50K):
    title = "1 MB table, one of 10,000 rows changes"

    def fill(self):
        self.rows = narrow_rows(10_000)


class Beside1M(Table1M):
    title = "1 MB table stays, a counter changes"

    def change(self, row):
        pass


class Thirty(Case):
    title = "30 assigns of 2 KB, one changes"

    def fill(self):
        for number in range(30):
            setattr(self, f"part_{number:02}", wide_rows(5))

    def change(self, row):
        part = getattr(self, f"part_{row % 30:02}")
        part[0]["stamp"] += 1


class Typed50K(Table50K):
    title = "50 KB table with decimals and dates"

    def fill(self):
        start = datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)
        self.rows = [
            {**row, "price": decimal.Decimal(number) / 8, "due": start + datetime.timedelta(hours=number)}
            for number, row in enumerate(wide_rows(112))
        ]


class Shown50K(Table50K):
    title = "50 KB table, all of it on the page"
    body = ROWS


CASES = [Counter, Table50K, Table200K, Table1M, Beside1M, Thirty, Typed50K, Shown50K]

for _case in CASES:
    _recorded = type(_case.__name__ + "Recorded", (_case,), {"time_travel_enabled": True, "__module__": __name__})
    for _view in (_case, _recorded):
        _view.template = PAGE % (_view.__name__, getattr(_case, "body", ""))
    globals()[_recorded.__name__] = _recorded
