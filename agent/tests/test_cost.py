"""What an event costs with the agent. Only wide margins fail: both sides of each ratio are of one run."""

import sys
from pathlib import Path

import pytest
from djust_inspector import plain, redact, sessions, turns, walker
from harness import Page, attached, run

sys.path.append(str(Path(__file__).resolve().parent.parent / "bench"))
import cost  # noqa: E402
import cost_views  # noqa: E402


@pytest.fixture(autouse=True)
def views_of_the_benchmark(monkeypatch):
    from django.conf import settings

    monkeypatch.setattr(settings, "LIVEVIEW_ALLOWED_MODULES", [*settings.LIVEVIEW_ALLOWED_MODULES, "cost_views"])


@pytest.fixture
def counted(monkeypatch):
    """Names of the agent's expensive functions in the order of their calls, with the assign where it has a name."""
    calls = []

    def count(owner, name, key=lambda *args: ()):
        original = getattr(owner, name)

        def counting(*args, **kwargs):
            calls.append((name, *key(*args)))
            return original(*args, **kwargs)

        monkeypatch.setattr(owner, name, counting)

    count(walker.Walker, "named", lambda self, name, *rest: (name,))
    count(walker.Walker, "text")
    count(plain, "named", lambda walker, name, value: (name,))
    count(plain, "text")
    count(plain, "fingerprint")
    count(sessions.Session, "add_frame")
    count(sessions.Session, "describe")
    count(turns.Turn, "look_before")
    count(redact, "redact_frame")
    return calls


def test_attached_costs_no_more_than_djusts_own_recording_and_detached_next_to_nothing():
    row = cost.measure(cost_views.Table50K, rounds=9)
    assert row["attached_us"] < 2.5 * row["recorded_us"], row
    assert row["detached_us"] < row["event_us"] / 2, row


def test_detached_agent_looks_at_nothing(counted):
    async def check():
        page = await Page().mount("cost_views.Table50K")
        await page.event("edit", row=1)
        await page.close()

    run(check())
    assert counted == []


def test_unchanged_assigns_are_neither_sent_nor_encoded(counted):
    async def check():
        async with attached("cost_views.Thirty") as (inspector, page):
            await page.event("edit", row=4)
            await inspector.step(kind="event")
            counted.clear()
            await page.event("edit", row=7)
            step = await inspector.step(2, kind="event")
            assert step["before"] == {"rev": step["after"]["base"]}
            assert set(step["after"]["set"]) == {"edits", "part_07"}
            names = [call[1] for call in counted if call[0] == "named"]
            assert sorted(names) == ["edits", "part_07"]

    run(check())


def test_large_unchanged_assign_is_not_encoded(counted):
    async def check():
        async with attached("cost_views.Beside1M") as (inspector, page):
            counted.clear()
            await page.event("edit")
            step = await inspector.step(kind="event")
            assert set(step["after"]["set"]) == {"edits"}
            assert [call[1] for call in counted if call[0] == "named"] == ["edits"]
            assert len([call for call in counted if call[0] == "text"]) <= 3  # parameters and the number

    run(check())
