"""No text from outside holds the server up: what looks at one takes as long as it is long, whatever is in it."""

import random

import pytest
import slow_texts as slow
from djust_inspector import hidden, markup, names, patterns, redact

SIZE = 64 * 1024
#: How much longer than a plain pass of Python over the text: what is looked at most closely takes some 150.
MOST = 400
#: Of time that is too short to compare.
SLACK = 0.003


def assert_linear(function, make, size=SIZE):
    """The time of a text and of one twice as long."""
    text, longer = make(size), make(2 * size)
    short = slow.took(function, text, 3)
    assert short <= MOST * slow.took(slow.plain_pass, text, 3) + SLACK, f"{short:.3f} s for {size} characters of {text[:60]!r}"
    long = slow.took(function, longer, 3)
    assert long <= 3 * short + SLACK, f"{short:.3f} s, then {long:.3f} s, for {text[:60]!r}"


def makers():
    for shape in slow.shapes():
        yield lambda size, shape=shape: slow.text_of(shape, size)
        if len(shape) == 2:
            yield lambda size, shape=shape: slow.begun(shape, size)
            yield lambda size, shape=shape: slow.nested(shape, size)


def slowest(function, makers, size, number):
    """Those whose text took longest, twice."""
    first = sorted(makers, key=lambda make: -slow.took(function, make(size)))[: 3 * number]
    return sorted(first, key=lambda make: -slow.took(function, make(size), 2))[:number]


@pytest.mark.parametrize("name", slow.FUNCTIONS)
def test_every_shape_costs_what_its_length_costs(name):
    """All shapes short, for those that cost most; some of them long, for those that grow."""
    function, rng = slow.FUNCTIONS[name], random.Random(name)
    every = list(makers())
    for make in [*slowest(function, rng.sample(every, 2000), 256, 2), *slowest(function, rng.sample(every, 80), 8192, 2)]:
        assert_linear(function, make)


@pytest.mark.parametrize("name", slow.FUNCTIONS)
def test_eight_megabytes_cost_what_their_length_costs(name):
    function = slow.FUNCTIONS[name]
    size = 8 * 1024 * 1024
    plain = slow.took(slow.plain_pass, "a" * size)
    for shape in [("token", "="), ("a", "-"), ('token="', "'"), ("-----BEGIN PRIVATE KEY-----", "\"4111 ")]:
        text = slow.text_of(shape, size)
        assert slow.took(function, text) <= MOST * plain, shape


@pytest.mark.parametrize("name", slow.FUNCTIONS)
def test_search_for_slow_texts_finds_none(name):
    """From the same seed each time; for longer: ``slow_texts.search`` with other seeds and more rounds."""
    function = slow.FUNCTIONS[name]
    text, _ = slow.search(function, random.Random(name), 150)
    assert_linear(function, lambda size: (text * (size // len(text) + 1))[:size], 16 * 1024)


def test_search_finds_a_slow_pattern():
    """The tests above can fail: as these patterns were before."""
    import re

    before = re.compile(r"(?i)\b((?:[\w-]*(?:password|secret|token))[\"']?\s*[=:]\s*)(\"[^\"]*\"|[^\s,;]+)")
    with pytest.raises(AssertionError):
        assert_linear(lambda text: before.sub("", text), lambda size: slow.text_of(("a", "-"), size), 1024)
    key = re.compile(r"-----BEGIN PRIVATE KEY-----(?:.*?-----END PRIVATE KEY-----|[^\"<]*)", re.DOTALL)
    with pytest.raises(AssertionError):
        assert_linear(lambda text: key.sub("", text), lambda size: slow.text_of(('-----BEGIN PRIVATE KEY-----"',), size))


def test_what_is_behind_too_many_places_is_withheld_and_not_shown():
    many = "token=a1b2c3 " * (markup.MOST_PLACES + 10) + "password=behind-all-of-them"
    assert "behind" not in redact.redact_text(many) and "a1b2c3" not in redact.redact_text(many)
    cards = "4111111111111111 " * (patterns.MOST_PLACES + 10) + "5500005555555559"
    assert "5500" not in redact.look(cards) and "4111" not in redact.look(cards)


@pytest.mark.parametrize("number", [64, 256])
def test_looking_for_many_secrets_costs_one_pass(number):
    """The search for a page's secrets costs what the text's encoding costs, whatever their number."""
    import json

    known = slow.decoys(number)
    rows = [{"id": n, "name": f"Person {n} of the town", "price": n * 1.25, "note": "words about this row"} for n in range(2000)]
    text = json.dumps(rows)[: 200 * 1024]
    assert len(known._values) == number
    # Some of what they have in common is in the text, and one of them at its end.
    shown = text + " token=\"decoy0-411111111111-000"
    assert not known.within(text) and known.hide(shown).startswith(text) and known.hide(shown) != shown
    for look in (known.within, known.hide):
        assert slow.took(look, shown, 7) < 4 * slow.took(lambda _: json.dumps(rows), text, 7)


def test_search_for_many_finds_what_one_by_one_finds():
    """Against the plain way, with secrets of any length, characters and neighbours."""
    rng = random.Random(3)
    alphabet = "ab1é-€\U0001f511"
    for _ in range(300):
        needles = {"".join(rng.choices(alphabet, k=rng.randint(2, 12))).encode() for _ in range(rng.randint(1, 60))}
        needles = {needle: needle.hex() for needle in needles if len(needle) >= 5}
        data = "".join(rng.choices(alphabet, k=rng.randint(0, 400))).encode()
        for needle in rng.sample(sorted(needles), min(3, len(needles))):
            at = rng.randrange(len(data) + 1)
            data = data[:at] + needle + data[at:]
        search = hidden._Search(needles)
        for found in (search._together(data), search.find(data)):
            covered = {at for start, end, _ in found for at in range(start, end)}
            for needle in needles:
                at = data.find(needle)
                while at >= 0:
                    assert not covered.isdisjoint(range(at, at + len(needle))), (needle, data)
                    at = data.find(needle, at + 1)
        assert search.within(data) == any(needle in data for needle in needles)


def test_one_table_makes_every_list():
    for name in [*names.WORDS, *names.PAIRS]:
        for text in (f"{name}=value-1-of-it", f'"{name}": "value-1-of-it"', f'<input name="{name}" value="value-1-of-it">'):
            for clean in (redact.redact_text, redact.redact_value, redact.redact_frame):
                assert "value-1" not in clean(text), (clean, text)
        assert "value-1" not in redact.redact_address(f"/x/?{name}=value-1-of-it")
        assert names.hints(f"x_{name}_y") and names.sensitive(f"x_{name}_y")
