"""Who may attach, and what an inspector is told first; resume, backlog and gaps."""

import asyncio
import json

import pytest
import staging
from djust_inspector import discovery, guard, hub
from djust_inspector.hub import HUB
from harness import ORIGIN, TOKEN, Inspector, Page, Socket, attached, run


@pytest.mark.parametrize(
    ("token", "origin", "extra"),
    [
        (None, ORIGIN, ""),
        ("wrong", ORIGIN, ""),
        ("", ORIGIN, ""),
        (TOKEN[:-1], ORIGIN, ""),
        (TOKEN + "x", ORIGIN, ""),
        (TOKEN, b"https://evil.example", ""),
        (TOKEN, b"null", ""),
    ],
)
def test_handshake_is_refused_before_it_is_accepted(token, origin, extra):
    async def check():
        inspector = Inspector(token, origin, query="?djust_inspector=1" + extra)
        assert await inspector.open() is False
        assert inspector.close_code is not None and not inspector.got

    run(check())


def test_foreign_origin_is_refused_also_without_the_validator_in_front():
    from djust.websocket import LiveViewConsumer

    async def check():
        app = LiveViewConsumer.as_asgi()
        for origin, expected in ((b"https://evil.example", False), (b"http://localhost:1", True), (None, True)):
            inspector = Inspector(origin=origin, app=app)
            assert await inspector.open() is expected, origin
            await inspector.close()

    run(check())


def test_ordinary_page_is_not_taken_for_an_inspector():
    async def check():
        page = Socket("/ws/live/?platform=html", [(b"origin", ORIGIN), (b"authorization", b"Bearer " + TOKEN.encode())])
        await page.open()
        await page.until(lambda: [f for f in page.got if f.get("type") == "connect"])
        await page.close()

    run(check())


def test_no_token_configured_without_debug_means_no_endpoint(monkeypatch):
    with staging.settings(monkeypatch, {}):
        assert discovery.token() is None
    with staging.settings(monkeypatch, {"token": "from-settings"}):
        assert discovery.token() == "from-settings"
    with staging.settings(monkeypatch, {}, debug=True):
        made = discovery.token()
        assert made and len(made) >= 40 and discovery.token() == made


def test_wrong_protocol_and_wrong_first_frame_are_refused():
    async def check():
        for first in ({"t": "hello", "protocol": 99, "inspector": "x"}, {"t": "command"}, "no json"):
            inspector = Inspector()
            await inspector.open()
            await inspector.send(first)
            refused = await inspector.until(lambda: inspector.frames("refused"))
            assert refused[0]["code"] == ("protocol" if type(first) is dict and first["t"] == "hello" else "hello")
            await inspector.until(lambda: inspector.close_code is not None)

    run(check())


def test_welcome_describes_the_server_and_a_sync_follows():
    async def check():
        async with attached("lab.views.counter.CounterView") as (_, page):
            second = await Inspector().attach()
            server = second.welcome["server"]
            assert server["missing"] == []
            assert "jump" in server["capabilities"] and server["channel_layer"].endswith("InMemoryChannelLayer")
            assert {a["code"] for a in server["advice"]} >= {"in_memory_channel_layer", "time_travel_not_set"}
            kinds = [f["t"] for f in second.got]
            assert kinds[:2] == ["welcome", "config"] and kinds.index("session") < kinds.index("state") < kinds.index(
                "synced"
            )
            numbers = [f["seq"] for f in second.got if "seq" in f and f["t"] != "welcome"]
            assert numbers == sorted(set(numbers))
            await second.close()

    run(check())


def test_resume_brings_what_was_missed_once():
    async def check():
        first = await Inspector().attach()
        page = await Page().mount("lab.views.counter.CounterView")
        await page.event("increment")
        await first.step(name="increment")
        last = first.got[-1]["seq"]
        await first.close()
        await page.event("add", n=5)
        again = await Inspector().attach({"agent": first.welcome["agent"], "seq": last})
        assert again.welcome["resumed"] is True
        step = await again.step(name="add")
        assert not again.frames("synced") and not again.steps(name="increment")
        assert step["after"]["set"]["count"] == 6
        again.got[:0] = [f for f in first.got if f["t"] in ("state", "step")]
        assert again.states(page.id)[step["key"]][1]["count"] == 6
        await page.event("increment")
        live = await again.step(2, name="increment")
        assert live["seq"] > step["seq"]
        await page.close()
        await again.close()

    run(check())


def test_what_was_not_recorded_meanwhile_is_told():
    async def check():
        first = await Inspector().attach()
        seq, agent = first.got[-1]["seq"], first.welcome["agent"]
        assert first.welcome["unrecorded"] is None, "it was never here"
        await first.close()
        second = await Inspector().attach({"agent": agent, "seq": seq})
        assert second.welcome["resumed"] and second.welcome["unrecorded"] is None, "it came back in time"
        await second.close()
        HUB._grace.cancel()
        HUB._expire()
        HUB._idle_since -= 83.4
        third = await Inspector().attach({"agent": agent, "seq": seq})
        assert third.welcome["resumed"] is False
        assert 83.4 <= third.welcome["unrecorded"] < 90
        late = third.got[-1]["seq"]
        fourth = await Inspector().attach({"agent": agent, "seq": late})
        assert fourth.welcome["unrecorded"] is None, "it was there since"
        for inspector in (third, fourth):
            await inspector.close()

    run(check())


def test_resume_of_another_process_or_beyond_the_backlog_is_a_sync(monkeypatch):
    async def check():
        first = await Inspector().attach()
        page = await Page().mount("lab.views.counter.CounterView")
        await first.step(kind="mount")
        seq = first.got[-1]["seq"]
        agent = first.welcome["agent"]
        await first.close()
        for resume in (
            {"agent": "another", "seq": seq},
            {"agent": agent, "seq": seq + 1000},
            {"agent": agent, "seq": "1"},
        ):
            inspector = await Inspector().attach(resume)
            assert inspector.welcome["resumed"] is False
            await inspector.close()
        monkeypatch.setattr(hub, "BACKLOG_BYTES", 1)
        await page.event("increment")
        inspector = await Inspector().attach({"agent": agent, "seq": seq})
        assert inspector.welcome["resumed"] is False
        await inspector.close()
        HUB._grace.cancel()
        HUB._expire()
        assert hub.ACTIVE is False
        monkeypatch.undo()
        inspector = await Inspector().attach({"agent": agent, "seq": HUB.seq})
        assert inspector.welcome["resumed"] is False
        await inspector.close()
        await page.close()

    run(check())


def test_inspector_that_went_in_the_middle_of_its_sync_gets_a_new_one():
    async def check():
        page = await Page().mount("lab.views.counter.CounterView")
        first = await Inspector().attach()
        middle = [f["seq"] for f in first.got if f["t"] == "session"][0]
        await first.close()
        again = await Inspector().attach({"agent": first.welcome["agent"], "seq": middle})
        assert again.welcome["resumed"] is False and again.frames("state")
        await again.close()
        await page.close()

    run(check())


def test_slow_inspector_loses_frames_and_the_page_does_not_wait(monkeypatch):
    async def check():
        async with attached("lab.views.counter.CounterView") as (inspector, page):
            slow = await Inspector().attach()
            monkeypatch.setattr(hub, "QUEUE_BYTES", 20_000)
            slow.stalled = asyncio.Event()
            for _ in range(30):
                await page.event("increment")  # answers come while the inspector reads nothing
            gate, slow.stalled = slow.stalled, None
            gate.set()
            gap = (await slow.until(lambda: slow.frames("gap"), "gap"))[0]
            assert gap["dropped"] > 5 and gap["why"] == "slow"
            await slow.until(lambda: slow.frames("synced")[1:], "second sync")
            state = slow.frames("state")[-1]["state"]
            assert state["base"] is None and state["set"]["count"] == 30
            monkeypatch.undo()
            await page.event("increment")
            step = await slow.until(
                lambda: [s for s in slow.steps(name="increment") if s["after"].get("base") == state["rev"]]
            )
            assert step[0]["after"]["set"]["count"] == 31
            await slow.close()

    run(check())


def test_two_inspectors_see_the_same_steps():
    async def check():
        async with attached("lab.views.counter.CounterView") as (one, page):
            two = await Inspector().attach()
            await page.event("increment")
            a, b = await one.step(name="increment", history=False), await two.step(name="increment", history=False)
            assert a == b
            await two.close()
            await page.event("increment")
            await one.step(2, name="increment")

    run(check())


def test_error_inside_of_the_agent_reaches_neither_page_nor_server(monkeypatch):
    from djust_inspector import streams, turns

    async def check():
        async with attached("lab.views.counter.CounterView") as (inspector, page):

            def broken(*args):
                raise RuntimeError("agent bug")

            monkeypatch.setattr(streams.Stream, "encode", broken)
            monkeypatch.setattr(turns, "publish_step", broken)
            await page.event("increment")
            assert page.frames("patch")[-1]["patches"][0]["text"] == "1" and not page.frames("error")
            monkeypatch.undo()
            await page.event("increment")
            await inspector.step(name="increment")
            server = await inspector.until(lambda: inspector.frames("server"), "server")
            advice = [a for a in server[-1]["server"]["advice"] if a["code"] == "agent_error"]
            assert advice and "agent bug" in advice[0]["message"]
            guard.errors.clear()

    run(check())


def test_frames_are_strict_json_also_with_nan_and_surrogates():
    async def check():
        async with attached("lab.views.counter.CounterView") as (inspector, page):
            from djust_inspector.sessions import SESSIONS

            view = SESSIONS[page.id].root
            view.ratio = float("nan")
            view.odd = "\ud800"
            await page.event("increment")
            step = await inspector.step(name="increment")
            after = inspector.states(page.id)[step["key"]][1]
            assert after["ratio"] == {"$t": "float", "v": "nan"} and after["odd"]["$t"] == "str"
            json.dumps(inspector.got, allow_nan=False)

    run(check())
