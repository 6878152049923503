"""What recording may cost on staging: thinned by processor time, bounded in memory, sampled by page, path and user."""

import json

import pytest
import staging
from djust_inspector import budget, hub, sessions
from djust_inspector.hub import HUB
from harness import Inspector, Page, run

COUNTER = "lab.views.counter.CounterView"
PLAIN = "lab.views.counter.PlainView"


@pytest.fixture
def staged(monkeypatch, tmp_path):
    """Enter the settings of a staging server whose recording is bounded so; the token."""
    token, hashed = staging.make_token()

    def enter(record):
        block = {
            "tokens": {"ann": {"hash": hashed, "writes": True}},
            "control_file": str(tmp_path / "c"),
            "record": record,
        }
        return staging.settings(monkeypatch, block)

    enter.token = token
    return enter


def test_recorder_works_without_debug_and_without_djusts_own_time_travel(staged, monkeypatch):
    from django.conf import settings
    from lab.views.counter import CounterView

    async def check():
        assert settings.DEBUG is False
        inspector = await Inspector(staged.token).attach()
        page = await Page().mount(COUNTER, "/counter/")
        assert getattr(sessions.SESSIONS[page.id].root, "_time_travel_buffer", None) is None
        await page.event("add", _args=[7])
        step = await inspector.step(name="add")
        before, after = inspector.states(page.id)[step["key"]]
        assert (before["count"], after["count"]) == (0, 7)
        assert step["frames"] and step["html"]["text"] and step["timing"]["handler"] is not None
        jumped = await inspector.command("jump", session=page.id, view=None, set={"count": 2})
        assert jumped["ok"] and sessions.SESSIONS[page.id].root.count == 2
        recording = inspector.welcome["server"]["recording"]
        assert recording["cpu"] == 0.25 and recording["memory"] == 256 * 1024 * 1024
        await page.close()
        await inspector.close()

    monkeypatch.setattr(CounterView, "time_travel_enabled", False)
    with staged({}):
        run(check())


def test_account_fills_with_the_share_and_thins_when_it_is_empty(staged):
    with staged({"cpu": 0.5}):
        account = budget.Budget()
        assert account.allows(now=100.0)
        account.spend(0.5 * budget.BURST_SECS + 1.0)
        assert not account.allows(now=100.0) and not account.allows(now=101.9)
        assert account.thinned == 2
        assert account.allows(now=102.1)
        account.spend(0.04)
        assert account.allows(now=10_000.0)
        account.spend(0.5 * budget.BURST_SECS + 0.1)
        assert not account.allows(now=10_000.0)  # what was not used is not saved up
    with staged({"cpu": 0}):
        assert not budget.Budget().allows(now=1.0)


def test_thinned_recording_says_so_and_goes_on_later(staged):
    async def check():
        inspector = await Inspector(staged.token).attach()
        page = await Page().mount(COUNTER, "/counter/")
        await inspector.step(kind="mount")
        budget.BUDGET.spend(1000.0)
        for _ in range(5):
            await page.event("increment")  # answered as ever
        gap = await inspector.until(lambda: inspector.frames("gap"), "the note")
        assert "0.25 of a processor core" in gap[0]["why"] and gap[0]["dropped"] >= 1
        assert not inspector.steps(name="increment")
        budget.BUDGET.spend(-1000.0)
        budget.BUDGET._told = 0.0
        await page.event("increment")
        step = await inspector.step(name="increment")
        before, after = inspector.states(page.id)[step["key"]]
        assert (before["count"], after["count"]) == (5, 6)
        # Only its own frames: those of what was left out are left out, too.
        assert [json.loads(f["text"]).get("event") for f in step["frames"] if f["dir"] == "in"] == ["increment"]
        thinned = budget.BUDGET.thinned
        assert thinned >= 5
        again = await Inspector(staged.token).attach()
        server = again.welcome["server"]
        assert server["recording"]["thinned"] == thinned
        assert any(a["code"] == "thinned" for a in server["advice"])
        await again.close()
        await page.close()
        await inspector.close()

    with staged({}):
        run(check())


def test_agents_work_is_measured(staged):
    async def check():
        inspector = await Inspector(staged.token).attach()
        page = await Page().mount(COUNTER, "/counter/")
        before = budget.BUDGET.spent
        await page.event("increment")
        await inspector.step(name="increment")
        assert 0 < budget.BUDGET.spent - before < 1.0
        await page.close()
        await inspector.close()

    with staged({}):
        run(check())


def test_memory_beyond_the_budget_is_given_up_the_largest_page_first(staged, monkeypatch):
    async def check():
        inspector = await Inspector(staged.token).attach()
        small = await Page().mount(COUNTER, "/counter/")
        large = await Page().mount("lab.views.big_state.BigStateView", "/big/")
        await inspector.step(kind="mount", session=large.id)
        weight = sessions.SESSIONS[large.id].weight()
        assert weight > 190_000 > 10 * sessions.SESSIONS[small.id].weight()
        budget.BUDGET.reduce(100_000)
        assert len(HUB.backlog) == 1 and budget.BUDGET.pages == 1 and budget.BUDGET.held <= 100_000
        gap = await inspector.until(lambda: inspector.frames("gap"), "the note")
        assert gap[-1]["why"].startswith("1 page is not recorded any more")
        await large.event("edit_row", row_id=3)
        await small.event("increment")
        await inspector.step(name="increment")
        assert not inspector.steps(name="edit_row")
        refused = await inspector.command("jump", session=large.id, view=None, set={})
        assert refused["error"]["code"] == "no_session"
        for page in (small, large):
            await page.close()
        await inspector.close()

    with staged({"memory_mb": 1}):
        run(check())


def test_lagging_inspector_gives_its_queue_up_before_any_page(staged):
    async def check():
        slow = await Inspector(staged.token).attach()
        page = await Page().mount(COUNTER, "/counter/")
        await slow.step(kind="mount")
        import asyncio

        slow.stalled = asyncio.Event()
        for _ in range(30):
            await page.event("increment")
        assert HUB.inspectors[0].bytes > 10_000
        budget.BUDGET.reduce(10_000)
        assert HUB.inspectors[0].bytes == 0 and budget.BUDGET.pages == 0
        slow.stalled.set()
        slow.stalled = None
        gap = await slow.until(lambda: slow.frames("gap"), "gap")
        assert gap[0]["why"] == "slow"
        await page.close()
        await slow.close()

    with staged({}):
        run(check())


def test_only_pages_at_the_given_paths_are_seen(staged):
    async def check():
        inspector = await Inspector(staged.token).attach()
        seen = await Page().mount(COUNTER, "/shop/cart/")
        other = await Page().mount(PLAIN, "/admin/")
        for page in (seen, other):
            await page.event("increment")
        await inspector.step(name="increment", session=seen.id)
        late = await Inspector(staged.token).attach()
        assert (await late.command("jump", session=other.id, view=None, set={}))["error"]["code"] == "no_session"
        for each in (inspector, late):
            text = json.dumps(each.got)
            assert seen.id in text and other.id not in text and "/admin/" not in text
            await each.close()
        assert any(a["code"] == "sampled" and "/shop/*" in a["message"] for a in late.welcome["server"]["advice"])
        await seen.close()
        await other.close()

    with staged({"paths": ["/shop/*"]}):
        run(check())


def test_only_pages_of_the_given_users_are_seen(staged):
    class User:
        USERNAME_FIELD = "username"

        def __init__(self, name):
            self.username = name

    async def mount(name):
        page = Page()
        if name:
            page.scope["user"] = User(name)
        from djust.websocket import LiveViewConsumer

        page.app = LiveViewConsumer.as_asgi()
        return await page.mount(PLAIN, "/plain/")

    async def check():
        inspector = await Inspector(staged.token).attach()
        pages = {name: await mount(name) for name in ("tester-1", "alice", None)}
        for page in pages.values():
            await page.event("increment")
        await inspector.step(name="increment", session=pages["tester-1"].id)
        text = json.dumps(inspector.got)
        assert "alice" not in text and pages["alice"].id not in text and pages[None].id not in text
        for page in pages.values():
            await page.close()
        await inspector.close()

    with staged({"users": ["tester-*"]}):
        run(check())


def test_share_of_the_pages_is_the_same_choice_at_every_look(staged):
    class Consumer:
        view_instance = None
        scope = {}

    def wanted(name):
        consumer = Consumer()
        consumer.session_id = name
        return sessions.Session(consumer).wanted()

    names = [f"page-{n}" for n in range(2000)]
    with staged({"share": 0.25}):
        first = [wanted(name) for name in names]
        assert first == [wanted(name) for name in names] and 400 < sum(first) < 600
    with staged({"share": 0}):
        assert not any(map(wanted, names))
    with staged({}):
        assert all(map(wanted, names))


def test_in_development_nothing_is_bounded(monkeypatch):
    with staging.settings(monkeypatch, {}, debug=True):
        account = budget.Budget()
        account.spend(1e6)
        assert account.allows() and hub.ACTIVE is False
        account.look()
        assert account.held == 0


def test_what_was_left_out_last_is_told_also_when_nothing_happens_any_more(staged, monkeypatch):
    monkeypatch.setattr(budget, "EVERY_SECS", 0.05)

    async def check():
        inspector = await Inspector(staged.token).attach()
        account = budget.BUDGET
        account.allows()
        account._left, account._filled = -1e9, 1e18
        for _ in range(7):
            assert not account.allows(budget.time.monotonic())
        told = lambda: sum(gap["dropped"] for gap in inspector.frames("gap"))  # noqa: E731
        await inspector.until(lambda: told() == account.thinned, "all that was left out")
        await inspector.close()

    with staged({"cpu": 0.25}):
        run(check())
