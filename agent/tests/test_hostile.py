"""What comes in from an inspector whose frames are odd: answered or passed over, and never an error of the agent."""

import itertools
import json

import pytest
from djust_inspector import commands, guard, serving
from djust_inspector.access import READING
from harness import attached, run

ODD = [None, 0, -1, 1e308, True, "", "x", "__class__", "\ud800", "../../etc/passwd", [], ["x"], {}, {"$t": ["x"]}, {"$t": "cycle"}]
FIELDS = ("session", "view", "component", "set", "event", "params", "handler_view", "ip", "paused", "unsent", "untyped", "target")
COMMANDS = sorted({*READING, *commands._COMMANDS})


def nested(levels):
    value = 1
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize("do", [None, 7, True, ["jump"], {"jump": 1}, "", "x" * 5000, "\ud800"])
def test_command_that_is_no_name_is_answered_and_is_no_error_of_the_agent(do):
    async def check():
        async with attached("lab.views.counter.CounterView") as (inspector, page):
            guard.errors.clear()
            answer = await inspector.command(do, session=page.id)
            assert answer["ok"] is False
            assert answer["error"]["code"] == ("unsupported" if type(do) is str else "bad_request")
            assert not guard.errors
            assert (await inspector.command("sync"))["ok"]

    run(check())


@pytest.mark.parametrize("do", COMMANDS)
def test_odd_fields_of_commands_are_answered_and_are_no_error_of_the_agent(do):
    async def check():
        async with attached("lab.views.counter.CounterView") as (inspector, page):
            guard.errors.clear()
            good = {"session": page.id, "view": None, "set": {"count": 1}, "event": "increment", "params": {}, "paused": True}
            for field, value in itertools.product(FIELDS, ODD):
                answer = await inspector.command(do, **{**good, field: value})
                assert answer["ok"] or answer["error"]["code"] != "raised", (field, value, answer)
            assert not guard.errors, guard.errors

    run(check())


def test_deep_frames_are_passed_over_and_deep_values_are_answered():
    async def check():
        async with attached("lab.views.counter.CounterView") as (inspector, page):
            guard.errors.clear()
            for levels in (serving.MAX_DEPTH, 900, 100_000):
                # Written by hand: what reads it may be limited, and so may what writes it.
                deep = "[" * levels + "]" * levels
                await inspector.send('{"t":"command","id":1,"do":"jump","session":"%s","set":{"count":%s}}' % (page.id, deep))
            answer = await inspector.command("jump", session=page.id, view=None, set={"count": nested(serving.MAX_DEPTH - 2)})
            assert answer["ok"] and [f["id"] for f in inspector.frames("answer")] == [1]
            assert not guard.errors, guard.errors

    run(check())


def test_frame_of_too_many_values_ends_the_attachment_before_it_is_read():
    async def check():
        async with attached("lab.views.counter.CounterView") as (inspector, page):
            many = ",".join(["[]"] * (serving.MAX_VALUES // 2 + 1))
            await inspector.send('{"t":"command","id":1,"do":"preview","session":"%s","set":{"count":[%s]}}' % (page.id, many))
            await inspector.until(lambda: inspector.close_code is not None, "the end")
            assert [f["code"] for f in inspector.frames("refused")] == ["flood"]

    run(check())


def test_numbers_that_are_none_of_json_are_answered_in_json():
    async def check():
        async with attached("lab.views.counter.CounterView") as (inspector, page):
            for number in ("NaN", "-Infinity", "1e999", "[NaN]", '"\\ud800"', "9" * 400):
                before = len(inspector.frames("answer"))
                await inspector.send('{"t":"command","id":%s,"do":"sync"}' % number)
                await inspector.until(lambda: len(inspector.frames("answer")) > before, f"the answer to {number}")
            json.dumps(inspector.got, allow_nan=False)

    run(check())
