"""The fast way of encoding plain values, held to the walker, which is the one that says what is right."""

import datetime
import decimal
import math
import random
import uuid

import pytest
from djust_inspector import plain
from djust_inspector.walker import Limits, Walker

NAMES = ["id", "title", "note", "größe", "a b", 'quo"te', "back\\slash", "new\nline", "", "\x00", "session"]
ODD_NAMES = ["$t", "password", "api_key", "hidden_by_project", "\ud800", 7, None, True, 1.5, (1, 2), b"x"]
SCALARS = [None, True, False, 0, -1, 2**53, -(2**53), 1.5, -0.0, 1e300, 5e-324, 0.1]
SCALARS += ["", "plain", "grüße 😀", "\x7f\u2028", 'a "quoted" \\ text']
ODD_SCALARS = [decimal.Decimal("1.50"), datetime.datetime(2026, 1, 2, 3, 4, 5), uuid.UUID(int=7), datetime.timedelta(1)]
ODD_SCALARS += [2**53 + 1, -(2**70), 1 << 60_000, math.nan, math.inf, -math.inf, "\ud800", "\udfff!", b"ab", "x" * 3000]


def generated(rng, depth, odd):
    """A value of which about one part in `odd` needs the walker; ``odd=0`` for none."""
    strange = odd and rng.randrange(odd) == 0
    shape = rng.random() if depth else 1.0
    if shape > 0.6:
        return rng.choice(ODD_SCALARS if strange else SCALARS)
    inner = [generated(rng, depth - 1, odd) for _ in range(rng.randrange(6))]
    if strange and shape < 0.1:
        return tuple(inner) if rng.random() < 0.5 else {type(item).__name__ for item in inner}
    if shape < 0.3:
        return inner
    return {rng.choice(ODD_NAMES if strange and rng.random() < 0.5 else NAMES): item for item in inner}


def check(value, limits, hidden=frozenset(["hidden_by_project"])):
    """Both ways on one value; whether the fast one did it alone."""
    slow, fast = Walker(hidden, limits), Walker(hidden, limits)
    expected = slow.text(value)
    assert plain.fingerprint(value) is not None
    assert plain.named(fast, "value", value) == expected
    assert fast.nodes == slow.nodes
    assert fast.size <= slow.size
    found = plain.text(value, hidden, limits.nodes, limits.size, limits.depth) if type(value) in (list, dict) else None
    return found is not None


@pytest.mark.parametrize("seed", range(4))
def test_same_text_as_the_walkers_for_plain_and_odd_values(seed):
    rng = random.Random(seed)
    alone = sum(check(generated(rng, 5, odd=0), Limits()) for _ in range(700))
    mixed = sum(check(generated(rng, 5, odd=12), Limits()) for _ in range(700))
    assert alone > 300 and 100 < mixed < alone


@pytest.mark.parametrize("seed", range(4))
def test_same_text_as_the_walkers_at_every_limit(seed):
    rng = random.Random(seed)
    alone = 0
    for _ in range(1500):
        limits = Limits(
            nodes=rng.randrange(1, 60),
            size=rng.randrange(1, 400),
            depth=rng.randrange(5),
            string=rng.randrange(1, 200),
            string_head=rng.randrange(1, 20),
        )
        alone += check(generated(rng, 5, odd=30), limits)
    assert 100 < alone < 1400


def test_one_odd_value_or_name_anywhere_is_left_to_the_walker():
    for odd in [*ODD_SCALARS[:-1], (1,), {1}, frozenset(), bytearray(b"x"), decimal.Decimal(1)]:
        for value in ([odd], {"a": odd}, [{"a": 1}, {"a": [1, {"b": odd}]}]):
            assert not check(value, Limits())
    for name in ODD_NAMES:
        for value in ({name: "x"}, [{"a": 1}, {"a": [{name: "x"}]}]):
            assert not check(value, Limits())


def test_cycles_depth_and_shared_values_end():
    loop = [1]
    loop.append({"again": loop})
    assert not check(loop, Limits())
    deep = []
    for _ in range(64):
        deep = [deep]
    assert check(deep, Limits())
    assert not check([deep], Limits())
    tree = [1]
    for _ in range(40):
        tree = [tree, tree]
    assert not check(tree, Limits(nodes=5000))
    wide = [0] * 3000
    assert not check([wide] * 3000, Limits())
    assert check([wide, wide], Limits())


def test_fingerprint_tells_leaves_apart_and_knows_them_again():
    utc = datetime.timezone.utc
    day = datetime.datetime(2026, 1, 1)
    values = [decimal.Decimal("1"), decimal.Decimal("1.0"), 1, "1", str]
    values += [day, day.replace(tzinfo=utc), day.date(), str(day)]
    marks = [plain.fingerprint([value]) for value in values]
    assert None not in marks and len(set(marks)) == len(values)
    assert plain.fingerprint([decimal.Decimal("1.0")]) == marks[1]


def test_nothing_of_a_users_class_runs():
    class Loud(dict):
        def items(self):
            raise AssertionError("it was asked")

        keys = values = __iter__ = __len__ = __reduce_ex__ = items

    for value in (Loud(a=1), [Loud()], {"a": Loud()}):
        assert plain.fingerprint(value) is None
        assert plain.text([value], frozenset(), 1000, 1000, 64) is None
