"""What the agent holds, and for how long: turns, sessions, streams, and a process that is forked."""

import asyncio
import gc
import logging
import multiprocessing
import os
import threading
import weakref

import pytest
from djust_inspector import budget, discovery, guard, hub, sessions, shells, turns
from djust_inspector.hub import HUB
from djust_inspector.sessions import SESSIONS, Session
from djust_inspector.streams import Stream
from djust_inspector.turns import Turn
from harness import Inspector, Page, attached, run

DEADLINE = 20.0


@pytest.fixture(autouse=True)
def views_are_allowed(monkeypatch):
    from django.conf import settings

    monkeypatch.setattr(settings, "LIVEVIEW_ALLOWED_MODULES", [*settings.LIVEVIEW_ALLOWED_MODULES, "life_views"])


def alive(kind):
    gc.collect()
    return [each for each in gc.get_objects() if type(each) is kind]


async def until(condition, what):
    loop = asyncio.get_running_loop()
    end = loop.time() + DEADLINE
    while not condition():
        if loop.time() > end:
            raise AssertionError(f"{what} did not happen")
        await asyncio.sleep(0.01)


def test_tick_task_that_was_started_in_a_mount_holds_nothing_of_the_mount():
    async def check():
        async with attached("lab.views.ticker.TickerView", "/ticker/") as (_, page):
            assert SESSIONS[page.id].consumer._tick_task is not None
            assert [t.name for t in alive(Turn)] == []

    run(check())


def test_task_that_outlives_its_page_holds_neither_step_nor_page():
    async def check():
        import life_views

        async with attached("life_views.Staying") as (inspector, page):
            await page.event("click")
            await inspector.step(name="click")
            consumer = weakref.ref(SESSIONS[page.id].consumer)
            session = weakref.ref(SESSIONS[page.id])
        assert len(life_views.Staying.tasks) == 1 and not life_views.Staying.tasks[0].done()
        assert alive(Turn) == [] and session() is None
        # The consumer itself may be held by what djust gave the task; it is not held by the agent.
        assert consumer() is None or "_djust_inspector" not in consumer().__dict__
        life_views.Staying.tasks.pop().cancel()

    run(check())


def test_writes_while_rendering_hold_no_chain_of_steps():
    async def check():
        async with attached("life_views.Rendering") as (inspector, page):
            for count in range(1, 31):
                await page.event("click")
                await inspector.step(count, name="click")
            outside = inspector.steps(name="click")[-1]["outside"]
            assert outside[0]["by"] == "render" and outside[0]["step"] == inspector.steps(name="click")[-2]["key"]
            held = alive(Turn)
            assert len(held) <= 1, f"{len(held)} turns are held"
            assert all(turn.html is None and turn.before is None and not turn.writes for turn in held)

    run(check())


def test_cancelled_consumer_is_a_closed_page():
    async def check():
        async with attached() as inspector:
            page = await Page().mount("lab.views.counter.CounterView", "/counter/")
            await inspector.step(kind="mount", session=page.id)
            page.task.cancel()
            await asyncio.gather(page.task, return_exceptions=True)
            closed = await inspector.step(kind="close", session=page.id)
            assert closed["cause"]["reason"]
            last = [f for f in inspector.frames("session") if f["session"] == page.id][-1]
            assert last["phase"] == "closed" and page.id not in SESSIONS

    run(check())


def test_cancelled_consumer_leaves_nothing_also_while_nobody_is_attached():
    async def check():
        page = await Page().mount("lab.views.counter.CounterView", "/counter/")
        assert page.id in SESSIONS
        page.task.cancel()
        await asyncio.gather(page.task, return_exceptions=True)
        assert SESSIONS == {} and alive(Session) == []

    run(check())


def test_consumer_that_raises_is_a_closed_page(monkeypatch):
    from djust.websocket import LiveViewConsumer

    async def check():
        page = await Page().mount("lab.views.counter.CounterView", "/counter/")

        async def broken(*args, **kwargs):
            raise RuntimeError("the server broke")

        monkeypatch.setattr(LiveViewConsumer, "websocket_receive", broken)
        await page.send("{}")
        await asyncio.gather(page.task, return_exceptions=True)
        assert SESSIONS == {}

    run(check())


def test_streams_of_children_that_are_gone_are_dropped_and_numbers_go_on():
    async def check():
        async with attached("life_views.Parent") as (inspector, page):
            for count in range(1, 21):
                await page.event("another")
                await inspector.step(kind="mount", view=f"child-{count}")
            session = SESSIONS[page.id]
            assert set(session.streams) == {None, "child-20"} and len(alive(Stream)) == 2
            for count in range(21):
                (mount,) = inspector.steps(kind="mount", view=f"child-{count}")
                assert mount["before"] is None and mount["after"]["base"] is None
        async with attached("life_views.Returning") as (inspector, page):
            for count in range(1, 7):
                await page.event("another")
                await inspector.step(count, name="another")
            for identity, times in (("child-0", 4), ("child-1", 3)):
                numbers = [s["after"]["rev"] for s in inspector.steps(kind="mount", view=identity)]
                assert len(numbers) == times and numbers == sorted(set(numbers))

    run(check())


def test_thousands_of_pages_that_come_go_and_are_cancelled_leave_nothing(caplog):
    """Cycles of which a third ends in a cancellation; LIFE_CYCLES sets their number. What djust itself leaves is measured first."""

    caplog.set_level(logging.ERROR, logger="djust")  # what pytest keeps of the log grows, too

    async def cycle(number):
        page = await Page(client=f"10.0.{number % 200}.1").mount(
            "life_views.Parent" if number % 2 else "lab.views.ticker.TickerView"
        )
        consumer = SESSIONS[page.id].consumer
        if number % 5 == 0:
            await page.event("another" if number % 2 else "mark")
        if number % 3 == 0:
            page.task.cancel()
            await asyncio.gather(page.task, return_exceptions=True)
            if consumer._tick_task is not None:
                consumer._tick_task.cancel()  # djust forgets it
        else:
            await page.close()

    async def grown(cycles):
        seen = []
        for number in range(-20, cycles + 1):
            await cycle(number)
            if number % 50 == 0:
                HUB.forget_backlog()  # bounded, and full long before the end: it would be measured, too
            if number in (0, cycles):
                gc.collect()
                seen.append((len(gc.get_objects()), resident()))
        return seen[1][0] - seen[0][0], seen[1][1] - seen[0][1]

    async def check():
        cycles = int(os.environ.get("LIFE_CYCLES", "100"))
        alone = await grown(cycles)
        inspector = await Inspector().attach()
        inspector.sink = lambda message: None
        recorded = await grown(cycles)
        print(f"{cycles} cycles: (objects, bytes) {alone} alone, {recorded} recorded")
        assert SESSIONS == {} and alive(Turn) == [] and alive(Stream) == [] and alive(Session) == []
        # What a page or a step leaves is dozens of objects; djust's own leftovers differ by one or two a page from run to run.
        assert recorded[0] - alone[0] < 100 + 4 * cycles, "objects are left"
        assert recorded[1] - alone[1] < 8_000_000
        await inspector.close()

    asyncio.run(asyncio.wait_for(check(), 3000))


def resident():
    """Bytes of memory of this process."""
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


# -- forks and loops


def _looked_at_in_child(pipe):
    from django.db import connection
    from djust.live_view import LiveView

    locks = {
        "hub": HUB.lock, "budget": budget.BUDGET._lock, "guard": guard._lock, "loads": shells.LOADS.lock,
        "discovery": discovery._lock,
    }
    free = {name: lock.acquire(blocking=False) for name, lock in locks.items()}
    turn = turns.current()
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    HUB.publish("log", '"level":"INFO","logger":"x","message":"from the child","traceback":null')
    pipe.send(
        {
            "active": hub.ACTIVE,
            "inspectors": len(HUB.inspectors),
            "backlog": HUB.backlog_bytes,
            "sessions": len(SESSIONS),
            "agent": HUB.agent_id,
            "free": free,
            "turn": turn is None,
            "setattr": "__setattr__" in vars(LiveView),
            "written": discovery._written,
        }
    )
    pipe.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_forked_child_starts_clean():
    async def check():
        async with attached("lab.views.counter.CounterView", "/counter/") as (inspector, page):
            await page.event("add", _args=[1])
            await inspector.step(name="add")
            seq = HUB.seq
            holding, done = threading.Event(), threading.Event()

            def hold():
                with HUB.lock, budget.BUDGET._lock, guard._lock, shells.LOADS.lock, discovery._lock:
                    holding.set()
                    done.wait(DEADLINE)

            thread = threading.Thread(target=hold)
            thread.start()
            assert holding.wait(DEADLINE)
            context = multiprocessing.get_context("fork")
            mine, theirs = context.Pipe()
            turn = Turn(SESSIONS[page.id], "event", "forks")
            token = turns.CURRENT.set(turn)
            child = context.Process(target=_looked_at_in_child, args=(theirs,))
            child.start()
            turns.CURRENT.reset(token)
            try:
                assert mine.poll(DEADLINE), "the child waits for a lock"
                seen = mine.recv()
            finally:
                done.set()
                thread.join()
                child.kill()
                child.join(DEADLINE)
            assert seen.pop("agent") != HUB.agent_id
            assert all(seen.pop("free").values())
            assert seen == {
                "active": False, "inspectors": 0, "backlog": 0, "sessions": 0, "turn": True, "setattr": False,
                "written": None,
            }
            # The parent goes on as if nothing had been.
            assert HUB.seq == seq and hub.ACTIVE and len(HUB.inspectors) == 1
            await page.event("add", _args=[1])
            await inspector.step(2, name="add")

    run(check())


def test_recording_ends_also_when_the_loop_closes_within_the_grace_time(monkeypatch):
    ticks = [1000.0]
    monkeypatch.setattr(hub.time, "monotonic", lambda: ticks[0])

    async def first():
        inspector = await Inspector().attach()
        inspector.task.cancel()
        await asyncio.gather(inspector.task, return_exceptions=True)

    loop = asyncio.new_event_loop()
    loop.run_until_complete(first())
    loop.close()
    assert hub.ACTIVE and HUB.inspectors == []

    async def later():
        page = await Page().mount("lab.views.counter.CounterView", "/counter/")
        assert hub.ACTIVE  # the grace time is not over
        ticks[0] += hub.GRACE_SECS + 1
        await page.event("add", _args=[1])
        assert not hub.ACTIVE and HUB.backlog_bytes == 0
        assert SESSIONS[page.id].streams == {}
        await page.close()

    asyncio.run(later())


def test_inspector_whose_loop_is_gone_is_gone():
    loop = asyncio.new_event_loop()

    async def first():
        HUB.activate()
        with HUB.lock:
            HUB.attach(hub.Inspector(loop))

    loop.run_until_complete(first())
    loop.close()  # it never got to say farewell
    assert len(HUB.inspectors) == 1

    async def later():
        page = await Page().mount("lab.views.counter.CounterView", "/counter/")
        await page.event("add", _args=[1])
        assert HUB.inspectors == []
        await page.close()

    asyncio.run(later())
