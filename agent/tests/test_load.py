"""What the agent does to the server under load: how long it holds the event loop, what it holds in memory, which locks it waits for."""

import asyncio
import contextlib
import json
import logging
import threading
import time

import pytest
import staging
from djust_inspector import budget, configuration, guard, hub, hooks_page, sessions, turns
from djust_inspector.hub import HUB
from harness import TOKEN, Inspector, Page, attached, run

COUNTER = "lab.views.counter.CounterView"
BIG = "lab.views.big_state.BigStateView"


@contextlib.asynccontextmanager
async def longest_hold():
    """The most processor time, in seconds, that this thread spends between two turns of the event loop; as a list of one."""
    worst, goes_on = [0.0], True

    async def beat():
        before = time.thread_time()
        while goes_on:
            await asyncio.sleep(0)
            now = time.thread_time()
            worst[0] = max(worst[0], now - before)
            before = now

    beating = asyncio.ensure_future(beat())
    await asyncio.sleep(0)
    worst[0] = 0.0
    try:
        yield worst
    finally:
        goes_on = False
        await beating


async def until(condition):
    loop = asyncio.get_running_loop()
    end = loop.time() + 15
    while not condition():
        assert loop.time() < end, "the condition did not hold in time"
        await asyncio.sleep(0)


# -- messages


@pytest.mark.parametrize("text", [True, False], ids=["text", "binary"])
def test_a_message_that_djust_refuses_for_its_size_is_told_by_its_size_and_not_parsed(monkeypatch, text):
    async def check():
        async with attached(COUNTER) as (inspector, page):
            many = json.dumps({"type": "event", "event": "increment", "params": {"rows": [{"a": n} for n in range(100_000)]}})
            parsed, loads = [], json.loads
            monkeypatch.setattr(json, "loads", lambda text, **kwargs: parsed.append(len(text)) or loads(text, **kwargs))
            if text:
                await page.send(many)
            else:
                await page.to_app.put({"type": "websocket.receive", "bytes": b"\x80" + many.encode()})
            await page.until(lambda: page.frames("error"), "djust's refusal")
            monkeypatch.undo()
            step = await inspector.step(kind="error", session=page.id)
            assert max(parsed) < 10_000
            assert "too large" in step["error"]["message"].lower()
            [frame] = [each for each in step["frames"] if each["dir"] == "in"]
            assert frame["bytes"] == len(many) + (not text) and len(frame["text"]) < 100

    run(check())


def test_messages_of_pages_that_are_not_recorded_are_not_parsed(monkeypatch):
    block = {"token": TOKEN, "record": {"paths": ["/elsewhere/*"]}}

    async def check():
        inspector = await Inspector().attach()
        page = await Page().mount(COUNTER, "/counter/")
        looked = []
        original = hooks_page.begin_message
        monkeypatch.setattr(hooks_page, "begin_message", lambda *args, **kwargs: looked.append(args) or original(*args, **kwargs))
        await page.event("increment")
        assert looked == []
        # One that goes to a page which is recorded is looked at, however it was before.
        await page.send({"type": "live_redirect_mount", "view": COUNTER, "params": {}, "url": "/elsewhere/counter/"})
        await page.until(lambda: len(looked) == 1, "the way to another page")
        await page.close()
        await inspector.close()

    with staging.settings(monkeypatch, block):
        run(check())


# -- syncs


async def pages(count, view=COUNTER):
    return [await Page().mount(view) for _ in range(count)]


def test_many_commands_on_many_pages_hold_the_event_loop_no_longer_than_one_page_does():
    async def check():
        open_pages = await pages(60)
        inspector = await Inspector().attach()
        texts = []
        inspector.sink = lambda message: texts.append(message.get("text") or "")  # parsing is work, too, and not the agent's
        async with longest_hold() as held:
            for n in range(150):
                await inspector.send({"t": "command", "id": n, "do": "sync" if n % 2 else "config"})
            await until(lambda: sum(text.startswith('{"t":"answer"') for text in texts) == 150)
            await until(lambda: texts[-1].startswith('{"t":"synced"'))
        told = [json.loads(text) for text in texts]
        assert all(answer["ok"] or answer["error"]["code"] == "busy" for answer in told if answer["t"] == "answer")
        assert held[0] < 0.06, held
        # The last sync is whole, whatever became of those before it.
        last = [n for n, frame in enumerate(told) if frame["t"] == "config"][-1]
        assert {frame["session"] for frame in told[last:] if frame["t"] == "state"} == {page.id for page in open_pages}
        inspector.sink = None
        for page in open_pages:
            await page.close()
        await inspector.close()

    run(check())


def test_an_inspector_attaches_to_more_state_than_its_queue_holds(monkeypatch):
    monkeypatch.setattr(hub, "QUEUE_BYTES", 1_000_000)
    monkeypatch.setattr(hub, "MOST_BYTES", 1_500_000)

    async def check():
        open_pages = await pages(20, BIG)
        most = [0]
        original = hub.Inspector.put_always

        def put_always(self, text):
            original(self, text)
            most[0] = max(most[0], self.bytes)

        monkeypatch.setattr(hub.Inspector, "put_always", put_always)
        inspector = await Inspector().attach()
        states = inspector.frames("state")
        assert {frame["session"] for frame in states} == {page.id for page in open_pages}
        assert sum(len(json.dumps(frame)) for frame in states) > 3_000_000
        assert most[0] < 1_500_000
        for page in open_pages:
            await page.close()
        await inspector.close()

    run(check())


def test_steps_of_pages_during_a_sync_are_told_once_and_on_the_right_state():
    async def check():
        open_pages = await pages(6)
        gate = asyncio.Event()
        inspector = Inspector()
        await inspector.open()
        inspector.stalled = gate
        hello = {"t": "hello", "protocol": 1, "inspector": "test", "writes": True, "resume": None}
        await inspector.send(hello)
        await until(lambda: HUB.inspectors and HUB.inspectors[0].sync is not None and len(HUB.inspectors[0].sync.pages) < 6)
        # The inspector reads nothing and was told of one page or two. All of them go on.
        for _ in range(3):
            for page in open_pages:
                await page.event("increment")
        assert not HUB.inspectors[0].sync.pages, "a page in which something happens is told before it"
        inspector.stalled = None
        gate.set()
        await inspector.until(lambda: inspector.frames("synced"), "the end of the sync")
        for page in open_pages:
            await page.event("increment")
            steps = await inspector.until(
                lambda page=page: (found := inspector.steps(session=page.id, name="increment", history=False)) and len(found) == 4 and found
            )
            counts = [tuple(side["count"] for side in inspector.states(page.id)[step["key"]]) for step in steps]
            assert counts == [(0, 1), (1, 2), (2, 3), (3, 4)]
            assert len([frame for frame in inspector.frames("state") if frame["session"] == page.id]) == 1
        numbers = [frame["seq"] for frame in inspector.got if "seq" in frame and frame["t"] != "welcome"]
        assert numbers == sorted(set(numbers))
        for page in open_pages:
            await page.close()
        await inspector.close()

    run(check())


def test_an_inspector_that_lost_its_connection_during_its_sync_gets_a_new_one():
    async def check():
        open_pages = await pages(3)
        inspector = Inspector()
        await inspector.open()
        gate = asyncio.Event()
        await inspector.send({"t": "hello", "protocol": 1, "inspector": "test", "writes": True, "resume": None})
        await inspector.until(lambda: inspector.frames("session"), "the first page")
        inspector.stalled = gate
        agent, number = HUB.agent_id, max(frame["seq"] for frame in inspector.got if "seq" in frame)
        if not inspector.frames("synced"):
            assert not HUB.can_resume(agent, number)
        again = await Inspector().attach({"agent": agent, "seq": number})
        assert again.welcome["resumed"] is bool(inspector.frames("synced"))
        gate.set()
        inspector.stalled = None
        await inspector.close()
        await again.close()
        for page in open_pages:
            await page.close()

    run(check())


def test_nobody_resumes_from_a_greeting_whose_sync_did_not_come():
    async def check():
        async with attached(COUNTER) as (first, page):
            number = HUB.seq
            assert HUB.can_resume(HUB.agent_id, number), "one that was told everything"
            other = Inspector()
            await other.open()
            await other.send({"t": "hello", "protocol": 1, "inspector": "test", "writes": True, "resume": None})
            await other.until(lambda: other.frames("welcome"), "the welcome")
            greeted = other.frames("welcome")[0]["seq"]
            await other.close()
            assert not HUB.can_resume(HUB.agent_id, greeted)
            assert HUB.can_resume(HUB.agent_id, number), "it still was told everything"

    run(check())


def test_what_many_syncs_forbid_is_not_forgotten():
    async def check():
        page = await Page().mount(COUNTER)
        inspector = await Inspector().attach()
        middle = [frame["seq"] for frame in inspector.got if frame["t"] == "session"][0]
        assert not HUB.can_resume(HUB.agent_id, middle)
        for _ in range(70):
            await inspector.command("sync")
        await inspector.until(lambda: inspector.got[-1]["t"] == "synced" and len(inspector.frames("synced")) > 1, "the last sync")
        assert not HUB.can_resume(HUB.agent_id, middle)
        await page.close()
        await inspector.close()

    run(check())


def test_a_sync_in_the_middle_of_an_event_does_not_take_its_place():
    async def check():
        page = await Page().mount("lab.views.todo.TodoView", "/todo/")
        inspector = await Inspector().attach()
        session = sessions.SESSIONS[page.id]
        from djust_inspector import history

        listed = []
        original = turns.publish_step

        def publish_step(turn):
            # The entry is in djust's ring, and the step is not told yet.
            listed.append((turn.key, history.steps(session, None, session.root)))
            return original(turn)

        turns.publish_step = publish_step
        try:
            await page.event("increment" if hasattr(session.root, "increment") else "add", title="x")
            await inspector.step(kind="event", session=page.id)
        finally:
            turns.publish_step = original
        [(key, told)] = [each for each in listed if each[0] is not None][:1]
        assert history.entries(session.root)[0], "the view keeps a ring"
        assert all(json.dumps(key) not in step for step in told)
        assert json.dumps(key) in history.steps(session, None, session.root)[-1]
        await page.close()
        await inspector.close()

    run(check())


# -- memory


@pytest.mark.parametrize("sign", ["a", "é", "字", "🙂"])
def test_sizes_are_bytes_of_memory_whatever_the_texts_are_made_of(sign):
    import sys

    async def check():
        async with attached(COUNTER) as (inspector, page):
            session = sessions.SESSIONS[page.id]
            before = session.weight()
            text = sign * 100_000
            session.root.note = text
            await page.event("increment")
            grown = session.weight() - before
            size = sys.getsizeof(sign * 100_000)  # of a new one: a text that was encoded once keeps that, too
            assert grown > 0.95 * size, (grown, size)

        watcher = hub.Inspector(asyncio.get_running_loop())
        with HUB.lock:
            watcher.put(sign * 100_000)
        assert watcher.bytes >= size

    run(check())


# -- locks


def test_a_thread_that_logs_and_one_that_publishes_do_not_wait_for_each_other(monkeypatch):
    """One logs while it builds a step, the other is about to publish a log record."""

    async def check():
        async with attached(COUNTER) as (inspector, page):
            session = sessions.SESSIONS[page.id]
            building, formatting = threading.Event(), threading.Event()

            class Message:
                def __str__(self):
                    formatting.set()
                    return "from the other thread"

            def of_a_query(entry, known):
                building.set()
                assert formatting.wait(10)
                logging.getLogger("lab").warning("from the thread that publishes")
                return "{}"

            monkeypatch.setattr(turns, "_query", of_a_query)

            def publish():
                turn = turns.Turn(session, "event", "increment")
                turn.add_sql("SELECT 1", None, 1.0, time.time(), None, False)
                turns.publish_step(turn)

            def log():
                assert building.wait(10)
                logging.getLogger("lab").warning(Message())

            threads = [threading.Thread(target=publish, daemon=True), threading.Thread(target=log, daemon=True)]
            for thread in threads:
                thread.start()
            loop = asyncio.get_running_loop()
            for thread in threads:
                await loop.run_in_executor(None, thread.join, 15)
            assert not any(thread.is_alive() for thread in threads)
            await inspector.until(lambda: len(inspector.frames("log")) >= 2, "both records")

    run(check())


# -- configuration and the account of processor time


def test_the_configuration_is_described_once_for_each_change_of_it_and_not_for_each_page(monkeypatch):
    from django.conf import settings

    described = []
    original = configuration.describe
    monkeypatch.setattr(configuration, "describe", lambda: described.append(1) or original())

    async def check():
        async with attached(COUNTER) as (inspector, page):
            before = len(described)
            more = await pages(5)
            for each in more:
                await inspector.step(kind="mount", session=each.id)
            assert len(described) == before
            # A page whose view has a value of its own, and a setting that is another one.
            sessions.SESSIONS[page.id].root.tick_interval = 5_000
            turns.finish(turns.Turn(sessions.SESSIONS[page.id], "hvr", "reload"))
            assert len(described) == before + 1
            monkeypatch.setattr(settings, "LIVEVIEW_CONFIG", {**getattr(settings, "LIVEVIEW_CONFIG", {}), "odd_key": 1}, raising=False)
            more += await pages(1)
            await inspector.step(kind="mount", session=more[-1].id)
            assert len(described) == before + 2
            await inspector.until(lambda: "odd_key" in json.dumps(inspector.frames("config")[-1]), "the new description")
            for each in more:
                await each.close()

    run(check())


def test_processor_time_is_paid_once_for_each_way_into_the_agent(monkeypatch):
    paid = []
    monkeypatch.setattr(guard, "spend", paid.append)
    inner = guard.guarded(lambda: sum(range(10_000)))

    @guard.guarded
    def outer():
        inner()
        inner()
        raise ValueError("is paid for, too")

    outer()
    guard.errors.clear()
    assert len(paid) == 1 and paid[0] > 0
    inner()
    assert len(paid) == 2


def test_queries_logs_and_commands_are_paid_for_like_events(monkeypatch):
    block = {"token": TOKEN, "writes": True, "record": {"cpu": 0.5}}

    async def check():
        inspector = await Inspector().attach()
        page = await Page().mount(COUNTER)
        await inspector.step(kind="mount")
        session = sessions.SESSIONS[page.id]

        async def cost(work):
            before = budget.BUDGET.spent
            await work()
            return budget.BUDGET.spent - before

        async def query():
            turn = turns.Turn(session, "event", "x")
            token = turns.CURRENT.set(turn)
            from asgiref.sync import sync_to_async
            from django.db import connection

            await sync_to_async(lambda: connection.cursor().execute("SELECT 1"))()
            turns.CURRENT.reset(token)

        async def log():
            logging.getLogger("lab").warning("something")

        async def sync():
            await inspector.command("sync")
            ends = len(inspector.frames("synced"))
            await inspector.until(lambda: len(inspector.frames("synced")) > ends or ends > 1, "the sync")

        async def preview():
            await inspector.command("preview", session=page.id, set={"count": 1})

        for work in (query, log, sync, preview):
            assert await cost(work) > 0, work.__name__
        await page.close()
        await inspector.close()

    with staging.settings(monkeypatch, block):
        run(check())
