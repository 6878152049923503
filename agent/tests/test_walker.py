"""The walker: typed values, limits, and objects that would love to run code."""

import collections
import datetime
import decimal
import enum
import json
import math
import pathlib
import uuid
from dataclasses import dataclass

import pytest
from djust_inspector.redact import sensitive
from djust_inspector.walker import Limits, Walker


def strict(text):
    def refuse(name):
        raise AssertionError(f"{name} is no JSON")

    text.encode("utf-8")
    return json.loads(text, parse_constant=refuse)


def walk(value, **limits):
    return strict(Walker(limits=Limits(**limits)).text(value))


class Colour(enum.Enum):
    RED = "r"


@dataclass
class Point:
    x: int
    y: float = 0.5
    _hidden: int = 1


@dataclass
class Slotted:
    __slots__ = ("a", "unset")
    a: int


class Touchy:
    """Raises whatever is asked of it."""

    def __getattribute__(self, name):
        raise RuntimeError("touched")

    def _raise(self, *args):
        raise RuntimeError("touched")

    __repr__ = __str__ = __iter__ = __len__ = __eq__ = __hash__ = __bool__ = __getattr__ = _raise

    @property
    def __class__(self):
        raise RuntimeError("touched")


class TouchyMeta(type):
    def __getattribute__(cls, name):
        raise RuntimeError("touched")

    def __instancecheck__(cls, value):
        raise RuntimeError("touched")


class TouchyDict(dict):
    def items(self):
        raise RuntimeError("touched")

    __iter__ = keys = values = __len__ = __getitem__ = items


class TouchyList(list):
    def __iter__(self):
        raise RuntimeError("touched")

    __len__ = __getitem__ = __iter__


class TouchyStr(str):
    def __str__(self):
        raise RuntimeError("touched")

    encode = isascii = __repr__ = __len__ = __str__


class TouchyInt(int):
    def __int__(self):
        raise RuntimeError("touched")

    __repr__ = __str__ = __index__ = __add__ = __le__ = __int__


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        (True, True),
        (2**53, 2**53),
        (2**53 + 1, {"$t": "int", "v": str(2**53 + 1)}),
        (1.5, 1.5),
        (math.nan, {"$t": "float", "v": "nan"}),
        (-math.inf, {"$t": "float", "v": "-inf"}),
        ("grüße 😀", "grüße 😀"),
        ("a\ud800", {"$t": "str", "v": "a\\ud800"}),
        ([1, [2]], [1, [2]]),
        ({"a": 1}, {"a": 1}),
        ({1: "a"}, {"$t": "dict", "v": [[1, "a"]]}),
        ({"$t": 1}, {"$t": "dict", "v": [["$t", 1]]}),
        ({"\ud800": 1}, {"$t": "dict", "v": [[{"$t": "str", "v": "\\ud800"}, 1]]}),
        ((1, 2), {"$t": "tuple", "v": [1, 2]}),
        ({3, 1, 2}, {"$t": "set", "v": [1, 2, 3]}),
        (frozenset("ab"), {"$t": "frozenset", "v": ["a", "b"]}),
        (b"ab", {"$t": "bytes", "len": 2, "v": "YWI="}),
        (decimal.Decimal("1.50"), {"$t": "decimal", "v": "1.50"}),
        (datetime.date(2026, 1, 2), {"$t": "date", "v": "2026-01-02"}),
        (datetime.time(1, 2), {"$t": "time", "v": "01:02:00"}),
        (datetime.timedelta(days=-1, microseconds=1), {"$t": "timedelta", "v": "-86399.999999"}),
        (uuid.UUID(int=1), {"$t": "uuid", "v": "00000000-0000-0000-0000-000000000001"}),
        (pathlib.PurePosixPath("/a"), {"$t": "path", "v": "/a"}),
        (Colour.RED, {"$t": "enum", "class": "test_walker.Colour", "name": "RED", "v": "r"}),
        (Point(1), {"$t": "dataclass", "class": "test_walker.Point", "v": {"x": 1, "y": 0.5}}),
        (Slotted(1), {"$t": "dataclass", "class": "test_walker.Slotted", "v": {"a": 1}}),
        (collections.OrderedDict(a=1), {"a": 1}),
        (len, {"$t": "function", "v": "len"}),
        (Point, {"$t": "class", "v": "test_walker.Point"}),
    ],
)
def test_value_is_encoded_as_its_type(value, expected):
    assert walk(value) == expected


def test_values_that_would_run_code_are_read_without_running_any():
    class Weird(metaclass=TouchyMeta):
        pass

    found = walk(
        {
            "touchy": Touchy(),
            "dict": TouchyDict(a=1),
            "list": TouchyList([1]),
            "str": TouchyStr("text"),
            "int": TouchyInt(5),
            "class": object.__new__(Weird),
        }
    )
    assert found["touchy"]["$t"] == "object"
    assert found["dict"] == {"a": 1} and found["list"] == [1] and found["str"] == "text" and found["int"] == 5
    assert found["class"]["$t"] == "object"


def test_lazy_object_stays_lazy():
    from django.utils.functional import SimpleLazyObject, lazystr

    def load():
        raise AssertionError("it was loaded")

    assert walk(SimpleLazyObject(load))["$t"] == "object"
    assert walk(lazystr("x"))["$t"] == "object"


def test_models_and_querysets_are_read_without_a_query():
    from django.db import connection
    from lab.models import Product

    with connection.execute_wrapper(refuse_queries):
        product = Product(pk=7, sku="A1")
        found = walk([product, Product.objects.all(), Product.objects.defer("sku")])
    assert found[0]["$t"] == "model" and found[0]["model"] == "lab.Product" and found[0]["pk"] == 7
    assert found[0]["v"]["sku"] == "A1"
    assert found[1] == {"$t": "queryset", "model": "lab.Product", "evaluated": False, "v": None}
    evaluated = Product.objects.all()
    evaluated._result_cache = [product]
    assert walk(evaluated)["v"][0]["pk"] == 7


def refuse_queries(execute, sql, params, many, context):
    raise AssertionError(f"a query was made: {sql}")


def test_cycle_shared_value_and_depth():
    value = {"a": []}
    value["a"].append(value)
    assert walk(value) == {"a": [{"$t": "cycle"}]}
    shared = [1]
    assert walk([shared, shared]) == [[1], [1]]
    deep = []
    for _ in range(5000):
        deep = [deep]
    text = json.dumps(walk(deep))
    assert '"deep"' in text


def test_limits_cut_and_never_fail():
    assert walk(list(range(100)), nodes=10)["len"] == 100
    assert walk({str(i): i for i in range(100)}, nodes=10)["of"] == "dict"
    assert walk(set(range(100)), nodes=10)["of"] == "set"
    cut = walk("x" * 1000, string=100, string_head=5)
    assert cut == {"$t": "cut", "of": "str", "len": 1000, "v": "xxxxx"}
    huge = walk(1 << 100_000)
    assert huge["$t"] == "cut" and huge["of"] == "int"
    assert len(walk(b"x" * 100_000)["v"]) < 6000
    # A tree of shared lists has 2**60 paths and must still end soon.
    tree = [1]
    for _ in range(60):
        tree = [tree, tree]
    assert '"cut"' in json.dumps(walk(tree))


def test_size_limit_holds_for_many_strings():
    text = Walker(limits=Limits(size=10_000)).text(["x" * 1000] * 1000)
    assert len(text) < 20_000 and strict(text)["$t"] == "cut"


@pytest.mark.parametrize(
    "name",
    """password user_password userPassword PASSWD db_passwd secret client_secret token accessToken auth_token api_key
    apiKey APIKey authorization HTTP_AUTHORIZATION cookie set-cookie csrf csrfmiddlewaretoken session_key sessionid
    session_id credit_card creditCardNumber cvv ssn private_key""".split(),
)
def test_sensitive_names(name):
    assert sensitive(name)


@pytest.mark.parametrize("name", "passed items author label session tokenizer secretary bypass".split())
def test_harmless_names(name):
    assert not sensitive(name)


def test_redaction_at_every_depth_and_by_the_projects_own_names():
    value = {"a": [{"password": "x", "ok": 1}], "own": "x", "show_password": True, "token": None, 1: {"secret": b"x"}}
    found = json.dumps(strict(Walker(frozenset(["own"])).text(value)))
    assert '"x"' not in found and "eA==" not in found
    assert '"show_password", true' in found and '["token", null]' in found
    point = Point(1)
    point.password = "x"
    hidden = walk(point)["v"]["password"]
    assert hidden == {"$t": "redacted", "of": "str", "as": hidden["as"]} and len(hidden["as"]) == 10


def test_half_built_objects_do_not_break_the_walk():
    from django.db.models import QuerySet
    from lab.models import Product

    broken = [
        decimal.Decimal("1"),
        object.__new__(Product),
        object.__new__(QuerySet),
        object.__new__(Point),
        Colour.__new__(Colour, "r"),
    ]
    assert len(walk(broken)) == 5


def test_named_tuple_default_dict_and_deque():
    pair = collections.namedtuple("pair", "a b")
    assert walk(pair(1, 2)) == {"$t": "tuple", "v": [1, 2]}
    assert walk(collections.defaultdict(list, a=[1])) == {"a": [1]}
    assert walk(collections.deque([1], 3))["v"] == [1]
