"""Revisions of states, and the fingerprint that spares encoding."""

import json
import random

from djust_inspector.plain import fingerprint
from djust_inspector.streams import Stream, public_assigns


class View:
    pass


def view(**assigns):
    made = View()
    made.__dict__.update(assigns)
    return made


def test_only_what_changed_travels():
    stream, page = Stream(), view(a=1, b=[1, 2], c="x", _private=1)
    first = json.loads(stream.capture(page))
    assert first["base"] is None and first["set"] == {"a": 1, "b": [1, 2], "c": "x"}
    assert json.loads(stream.capture(page)) == {"rev": first["rev"]}
    page.b.append(3)
    del page.c
    change = json.loads(stream.capture(page))
    assert change == {"rev": first["rev"] + 1, "base": first["rev"], "set": {"b": [1, 2, 3]}, "del": ["c"]}
    assert json.loads(stream.whole())["set"] == {"a": 1, "b": [1, 2, 3]}


def test_change_deep_inside_a_large_assign_is_seen_and_unchanged_text_is_reused():
    rows = [{"id": i, "text": "x" * 50} for i in range(200)]
    stream, page = Stream(), view(rows=rows)
    stream.capture(page)
    text = stream.texts["rows"]
    assert stream.encode(page)["rows"] is text
    rows[77]["text"] = "changed"
    assert "changed" in stream.capture(page)


def test_true_and_one_and_one_point_zero_are_different_states():
    stream, page = Stream(), view(a=1)
    stream.capture(page)
    for value in (True, 1.0, 1, "1", None):
        page.a = value
        assert "set" in json.loads(stream.capture(page))


def test_none_in_place_of_what_has_no_fingerprint_is_a_change():
    stream, page = Stream(), view(a=[object()])
    stream.capture(page)
    page.a = None
    assert json.loads(stream.capture(page))["set"] == {"a": None}


def test_equal_fingerprints_mean_equal_values():
    rng = random.Random(7)
    seen = {}
    for _ in range(3000):
        value = [rng.choice([0, 1, True, 1.0, "a", b"a", None, (1,), [1]]) for _ in range(rng.randint(0, 3))]
        mark = fingerprint(value)
        assert mark is not None
        assert seen.setdefault(mark, repr(value)) == repr(value)


def test_fingerprint_runs_no_code_and_ends_on_shared_values():
    class Evil:
        def __reduce__(self):
            raise AssertionError("it was pickled")

        __reduce_ex__ = __getstate__ = __reduce__

    assert fingerprint([Evil()]) is None
    tree = [1]
    for _ in range(200):
        tree = [tree, tree]
    assert fingerprint(tree) is not None
    loop = []
    loop.append(loop)
    assert fingerprint(loop) is not None


def test_functions_on_the_instance_are_no_state():
    page = view(a=1)
    page.helper = lambda: None
    assert set(public_assigns(page)) == {"a"}
