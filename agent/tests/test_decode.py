"""Decoding is the inverse of the walker for everything that can be put back."""

import datetime
import decimal
import json
import math
import pathlib
import random
import uuid
import zoneinfo

import pytest
from djust_inspector.decode import Lost, decode
from djust_inspector.walker import Walker
from test_walker import Colour, Point

SEED = 20261123


def some_value(rng, depth=0):
    """A random value of the types that survive."""
    leaves = [
        lambda: None,
        lambda: rng.random() < 0.5,
        lambda: rng.randint(-(2**70), 2**70),
        lambda: rng.uniform(-1e9, 1e9),
        lambda: rng.choice([math.inf, -math.inf, 0.0, 1e300, 5e-324]),
        lambda: "".join(rng.choice('aé😀"\\\n\x00 $t') for _ in range(rng.randint(0, 12))),
        lambda: rng.randbytes(rng.randint(0, 30)),
        lambda: decimal.Decimal(rng.randint(-(10**9), 10**9)).scaleb(-rng.randint(0, 6)),
        lambda: datetime.date.fromordinal(rng.randint(1, 3_000_000)),
        lambda: datetime.datetime(2026, 3, rng.randint(1, 28), rng.randint(0, 23), 5, 6, rng.randint(0, 999_999)),
        lambda: datetime.datetime(2026, 10, 25, 2, 30, fold=rng.randint(0, 1), tzinfo=zoneinfo.ZoneInfo("UTC")),
        lambda: datetime.datetime(
            2026, 1, 1, tzinfo=datetime.timezone(datetime.timedelta(minutes=rng.randint(-600, 600)))
        ),
        lambda: datetime.timedelta(microseconds=rng.randint(-(10**15), 10**15)),
        lambda: datetime.time(rng.randint(0, 23), rng.randint(0, 59), rng.randint(0, 59), rng.randint(0, 999_999)),
        lambda: uuid.UUID(int=rng.getrandbits(128)),
        lambda: pathlib.Path("/tmp") / str(rng.randint(0, 99)),
        lambda: Colour.RED,
    ]
    if depth > 3 or rng.random() < 0.5:
        return rng.choice(leaves)()
    size = rng.randint(0, 4)
    key = lambda: rng.choice(["a", "b", "$t", "x y", 1, (1, "a"), None, 2.5])  # noqa: E731
    return rng.choice(
        [
            lambda: [some_value(rng, depth + 1) for _ in range(size)],
            lambda: tuple(some_value(rng, depth + 1) for _ in range(size)),
            lambda: {key(): some_value(rng, depth + 1) for _ in range(size)},
            lambda: {rng.choice("abcdef"): some_value(rng, depth + 1) for _ in range(size)},
            lambda: {rng.randint(0, 9) for _ in range(size)},
            lambda: frozenset(rng.choice("xyz") for _ in range(size)),
            lambda: Point(rng.randint(0, 9), 1.5),
        ]
    )()


def same(a, b):
    """Equality that also compares types, deeply."""
    if type(a) is not type(b):
        return False
    if type(a) in (list, tuple):
        return len(a) == len(b) and all(map(same, a, b))
    if type(a) is dict:
        return list(map(repr, a)) == list(map(repr, b)) and all(same(x, y) for x, y in zip(a.values(), b.values()))
    if type(a) is Point:
        return (a.x, a.y) == (b.x, b.y)
    return a == b


@pytest.mark.parametrize("round_", range(20))
def test_random_values_survive_the_round_trip(round_):
    rng = random.Random(SEED + round_)
    for _ in range(200):
        value = some_value(rng)
        text = Walker().text(value)
        json.dumps(json.loads(text), allow_nan=False)
        if "_hidden" in text or '"dataclass"' in text:
            continue  # Point has a private field: see below
        assert same(decode(json.loads(text)), value), (SEED + round_, value, text)


def test_nan_survives():
    assert math.isnan(decode(json.loads(Walker().text(math.nan))))


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ({"$t": "model", "model": "a.B", "pk": 1, "v": {}}, ""),
        ({"a": [1, {"$t": "redacted", "of": "str"}]}, "a[1]"),
        ({"a": {"b": {"$t": "cut", "of": "list", "len": 9, "v": [1]}}}, "a.b"),
        ({"$t": "deep", "of": "list"}, ""),
        ([{"$t": "object", "class": "x.Y"}], "[0]"),
        ({"$t": "queryset", "model": "a.B", "evaluated": False, "v": None}, ""),
        ({"$t": "bytes", "len": 5, "v": "YQ=="}, ""),
        ({"$t": "enum", "class": "test_walker.Colour", "name": "GONE", "v": 1}, ""),
        ({"$t": "enum", "class": "no.such.Thing", "name": "A", "v": 1}, ""),
        ({"$t": "dataclass", "class": "test_walker.Point", "v": {"x": 1, "y": 2}}, ""),
        ({"$t": "decimal", "v": "not a number"}, ""),
        ({"$t": "datetime", "v": None}, ""),
        ({"$t": "something new"}, ""),
        ({"$t": "set", "v": [[1]]}, ""),
    ],
)
def test_what_cannot_be_put_back_says_where_and_why(value, path):
    with pytest.raises(Lost) as lost:
        decode(value)
    assert lost.value.path == path and lost.value.why
