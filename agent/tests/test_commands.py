"""Jump, replay, dispatch and the smaller commands on real pages."""

import asyncio
import json
import re

import djust
import pytest
import secret_views
from django.conf import settings
from harness import Inspector, Page, attached, run

VERSION = tuple(int(part) for part in djust.__version__.split(".")[:2])


def state(inspector, page, step, which=1):
    return inspector.states(page.id)[step["key"]][which]


def target(**fields):
    return {"view": None, "component": None, "target": {"step": 3}, **fields}


async def shown(page):
    """The page's HTML as djust would send it for a recovery: what the browser must show now."""
    before = len(page.frames("html_recovery"))
    await page.send({"type": "request_html"})
    await page.until(lambda: len(page.frames("html_recovery")) > before, "html_recovery")
    return page.frames("html_recovery")[-1]


def test_jump_puts_the_page_back_and_the_next_click_goes_on_from_there():
    async def check():
        async with attached("lab.views.counter.CounterView") as (inspector, page):
            for _ in range(3):
                await page.event("increment")
            answer = await inspector.command("jump", session=page.id, set={"count": 1, "history": [1]}, **target())
            assert answer["ok"] and answer["result"]["not_restored"] == []
            assert sorted(answer["result"]["restored"]) == ["count", "history"]
            step = await inspector.step(kind="jump")
            assert answer["result"]["step"] == step["key"] and step["cause"] == {"target": {"step": 3}}
            assert state(inspector, page, step, 0)["count"] == 3 and state(inspector, page, step)["count"] == 1
            patch = page.frames("patch")[-1]
            assert {"type": "SetText", "path": [0, 0, 0, 0], "text": "1"} in patch["patches"]
            versions = [f["version"] for f in page.got if "version" in f]
            assert versions == list(range(1, len(versions) + 1))
            await page.event("increment")
            assert state(inspector, page, await inspector.step(4, name="increment"))["count"] == 2

    run(check())


def test_jump_keeps_types_and_reports_what_it_leaves_out():
    async def check():
        async with attached("lab.views.money.MoneyView") as (inspector, page):
            before = state(inspector, page, inspector.steps(kind="mount")[0])
            for event in ("raise_amount", "postpone", "new_reference", "toggle_tag", "append_byte"):
                await page.event(event)
            from djust_inspector.sessions import SESSIONS
            from lab.models import Product

            view = SESSIONS[page.id].root
            view.product = Product(sku="other")
            answer = await inspector.command("jump", session=page.id, set={**before, "gone": 1}, **target())
            why = {entry["path"]: entry["why"] for entry in answer["result"]["not_restored"]}
            assert set(why) <= {"gone", "product"} and "gone" in why
            step = await inspector.step(kind="jump")
            after = state(inspector, page, step)
            for name in ("amount", "due", "created", "reference", "tags", "pair", "raw", "changes"):
                assert after[name] == before[name], name
            assert type(view.tags) is set and type(view.amount).__name__ == "Decimal" and type(view.raw) is bytes

    run(check())


async def previewed(inspector, page, **fields):
    """What a jump would report, and what it then reported."""
    command = {"session": page.id, **target(), **fields}
    said = await inspector.command("preview", **command)
    steps = len(inspector.steps(kind="jump"))
    assert said["ok"], said
    done = await inspector.command("jump", **command)
    assert len(inspector.steps(kind="jump")) <= steps + 1
    return said["result"], done["result"]


def test_a_preview_says_what_the_jump_then_reports_and_changes_nothing():
    async def check():
        async with attached("lab.views.money.MoneyView") as (inspector, page):
            from djust_inspector.sessions import SESSIONS
            from lab.models import Product

            before = state(inspector, page, inspector.steps(kind="mount")[0])
            for event in ("raise_amount", "toggle_tag"):
                await page.event(event)
            view = SESSIONS[page.id].root
            view.product, view.later = Product(sku="other"), 1
            amount, frames = view.amount, len(page.got)
            wanted = {**before, "gone": 1, "amount": {"$t": "cut", "of": "str", "len": 9, "v": "1"}}
            command = {"session": page.id, "set": wanted, "unsent": [], **target()}
            said = await inspector.command("preview", **command)
            assert view.amount == amount and len(page.got) == frames and inspector.steps(kind="jump") == []
            why = {entry["path"]: entry["why"] for entry in said["result"]["not_restored"]}
            assert {"gone", "amount", "later"} <= set(why) and "did not have it" in why["later"]
            said, done = await previewed(inspector, page, set=wanted, unsent=[])
            assert said["not_restored"] == done["not_restored"] and said["restored"] == done["restored"]
            said, done = await previewed(inspector, page, set=before)
            assert "later" not in {entry["path"] for entry in done["not_restored"]}, "who does not say what is left out"

    run(check())


def test_answers_of_commands_do_not_tell_whether_a_guess_at_a_hidden_value_is_right(monkeypatch):
    monkeypatch.setattr(settings, "LIVEVIEW_ALLOWED_MODULES", [*settings.LIVEVIEW_ALLOWED_MODULES, "secret_views"])

    async def check():
        async with attached("secret_views.SecretView") as (inspector, page):
            from djust_inspector.sessions import SESSIONS

            view = SESSIONS[page.id].root
            monkeypatch.setattr(type(view), "static_assigns", ["shown", "aaa_before", "password", "note"])
            hidden = {
                "shown": secret_views.BY_NAME,  # a copy under a harmless name
                "aaa_before": f"the word is {secret_views.BY_NAME}",
                "password": secret_views.BY_NAME,
                "note": secret_views.EXCLUDED,
            }
            for name, true in hidden.items():
                command = {"session": page.id, **target()}
                right = await inspector.command("preview", set={name: true}, **command)
                wrong = await inspector.command("preview", set={name: true[::-1]}, **command)
                assert right["ok"] and wrong["ok"] and right["result"] == wrong["result"], name

    run(check())


def test_answers_about_a_component_do_not_tell_whether_a_guess_at_its_hidden_field_is_right():
    async def check():
        async with attached("lab.views.components.ComponentsView") as (inspector, page):
            from djust_inspector.sessions import SESSIONS

            session = SESSIONS[page.id]
            state_now = state(inspector, page, inspector.steps(kind="mount")[0])
            adults = state_now["adults"]
            session.root.adults.label = "hunter2-of-the-state"
            session.known.learn("hunter2-of-the-state")
            for command in ({"component": adults["id"]}, {}):
                said = []
                for guess in ("hunter2-of-the-state", "another-guess"):
                    fields = {"label": guess}
                    wanted = fields if command else {"adults": {**adults, "v": fields}}
                    said.append((await inspector.command("preview", session=page.id, **{**target(), "set": wanted, **command}))["result"])
                assert said[0] == said[1] and said[0]["restored"]

    run(check())


def test_a_preview_of_components_says_what_the_jump_then_reports():
    async def check():
        async with attached("lab.views.components.ComponentsView") as (inspector, page):
            first = state(inspector, page, inspector.steps(kind="mount")[0])
            adults = first["adults"]["id"]
            changed = {**first, "adults": {**first["adults"], "v": {**first["adults"]["v"], "value": 7, "gone": 1}}}
            said, done = await previewed(inspector, page, set=changed)
            assert said["not_restored"] == done["not_restored"]
            assert [entry["path"] for entry in said["not_restored"]] == ["adults.gone"]
            alone = {"component": adults, "set": {"value": 3, "gone": 1}}
            said, done = await previewed(inspector, page, **alone)
            assert said["not_restored"] == done["not_restored"] != []
            absent = {"component": "nobody", "set": {"value": 3}}
            said, done = await previewed(inspector, page, **absent)
            assert said["not_restored"] == done["not_restored"] != []

    run(check())


def test_what_djusts_own_time_travel_wrote_gets_the_types_that_the_view_holds():
    async def check():
        async with attached("lab.views.money.MoneyView") as (inspector, page):
            from djust_inspector.sessions import SESSIONS

            view = SESSIONS[page.id].root
            kinds = {name: type(getattr(view, name)) for name in ("due", "created", "reference", "tags", "pair")}
            due = view.due.isoformat()
            wanted = {"due": due, "created": "2024-02-29T12:00:00", "reference": str(view.reference), "tags": ["a"], "pair": [1, 2]}
            view.due = view.due.replace(year=1999)
            said, done = await previewed(inspector, page, set=wanted, untyped=True)
            assert said["not_restored"] == done["not_restored"] == []
            assert {name: type(getattr(view, name)) for name in kinds} == kinds
            assert view.due.isoformat() == due and view.tags == {"a"} and view.pair == (1, 2)
            said, done = await previewed(inspector, page, set={"due": "soon"}, untyped=True)
            assert said["not_restored"] == done["not_restored"] and "as text" in done["not_restored"][0]["why"]
            assert type(view.due) is kinds["due"]

    run(check())


def test_what_was_streamed_to_the_page_is_told_as_not_put_back():
    async def check():
        async with attached("lab.views.counter.CounterView") as (inspector, page):
            from djust_inspector.sessions import SESSIONS

            SESSIONS[page.id].root.stream("messages", [{"id": 1}])
            said, done = await previewed(inspector, page, set={"count": 3})
            assert said["not_restored"] == done["not_restored"]
            assert [entry["path"] for entry in said["not_restored"]] == ["streams"]

    run(check())


def test_redacted_value_is_not_put_back():
    async def check():
        async with attached("lab.views.counter.CounterView") as (inspector, page):
            before = state(inspector, page, inspector.steps(kind="mount")[0])
            answer = await inspector.command("jump", session=page.id, set=before, **target())
            assert [e["path"] for e in answer["result"]["not_restored"]] == ["secret_note"]
            from djust_inspector.sessions import SESSIONS

            assert SESSIONS[page.id].root.secret_note == "not for the recording"

    run(check())


def test_component_survives_a_jump_and_one_component_can_be_put_back_alone():
    async def check():
        async with attached("lab.views.components.ComponentsView") as (inspector, page):
            first = state(inspector, page, inspector.steps(kind="mount")[0])
            adults, children = first["adults"]["id"], first["children"]["id"]
            await page.event("plus", component_id=adults)
            await page.event("plus", component_id=children)
            alone = await inspector.command(
                "jump", session=page.id, view=None, component=adults, set={"value": 2}, target={}
            )
            assert alone["ok"] and alone["result"]["not_restored"] == []
            step = await inspector.step(kind="jump", component=adults)
            after = state(inspector, page, step)
            assert after["adults"]["v"]["value"] == 2 and after["children"]["v"]["value"] == 1
            whole = await inspector.command("jump", session=page.id, set=first, **target())
            assert whole["ok"] and whole["result"]["not_restored"] == []
            after = state(inspector, page, await inspector.step(2, kind="jump"))
            assert after == first
            html = (await shown(page))["html"]
            assert re.search(r"Adults", html)
            await page.event("plus", component_id=children)
            assert state(inspector, page, await inspector.step(3, name="plus"))["children"]["v"]["value"] == 1

    run(check())


def test_sticky_child_is_put_back_without_the_page():
    async def check():
        async with attached("lab.views.sticky.StickyPageA", "/sticky-a/") as (inspector, page):
            await page.event("next_track", view_id="player")
            await page.event("like")
            answer = await inspector.command(
                "jump",
                session=page.id,
                view="player",
                component=None,
                set={"track": 0, "title": "Morning fog"},
                target={},
            )
            assert answer["ok"] and answer["result"]["not_restored"] == []
            step = await inspector.step(kind="jump", view="player")
            assert state(inspector, page, step)["track"] == 0
            assert "Morning fog" in page.frames("embedded_update")[-1]["html"]
            replay = await inspector.command(
                "replay",
                session=page.id,
                view="player",
                component=None,
                set={"track": 2},
                target={},
                event="next_track",
                params={},
                handler_view="player",
            )
            assert replay["result"]["status"] == "ok"
            assert state(inspector, page, await inspector.step(kind="replay"))["track"] == 3

    run(check())


def test_replay_restores_and_takes_the_normal_path_with_arguments():
    async def check():
        async with attached("lab.views.counter.CounterView") as (inspector, page):
            await page.event("add", _args=[7])
            for params, expected in (({"_args": [7]}, 7), ({"n": "5"}, 5), ({}, 1)):
                answer = await inspector.command(
                    "replay",
                    session=page.id,
                    set={"count": 0, "history": []},
                    event="add",
                    params=params,
                    handler_view=None,
                    **target(),
                )
                assert answer["result"]["status"] == "ok" and answer["result"]["not_restored"] == []
                step = [s for s in inspector.steps(kind="replay") if s["key"] == answer["result"]["step"]]
                step = step[0] if step else await inspector.step(key=answer["result"]["step"])
                assert state(inspector, page, step, 0)["count"] == 0
                assert state(inspector, page, step)["count"] == expected
            assert len(inspector.steps(kind="jump")) == 3  # each restore is a step of its own
            awaited = await inspector.command(
                "replay", session=page.id, set=None, event="add_later", params={"n": 2}, handler_view=None, **target()
            )
            assert state(inspector, page, await inspector.step(key=awaited["result"]["step"]))["count"] == 3
            here = await inspector.command(
                "replay", session=page.id, set={"count": 3}, event="add", params={}, handler_view=None, **target()
            )
            assert state(inspector, page, await inspector.step(key=here["result"]["step"]))["count"] == 4
            assert len(inspector.steps(kind="jump")) == 3  # nothing differed, so nothing was restored

    run(check())


def test_replay_tells_what_really_happened():
    async def check():
        async with attached("lab.views.counter.CounterView") as (inspector, page):

            async def replay(event, params):
                answer = await inspector.command(
                    "replay", session=page.id, set=None, event=event, params=params, handler_view=None, **target()
                )
                return answer["result"]["status"], answer["result"]["error"]

            status, error = await replay("boom", {})
            assert status == "raised" and error["type"] == "ValueError" and "counter.py" in error["traceback"]
            assert (await replay("not_a_handler", {}))[0] == "refused"
            assert (await replay("add", {"n": "many"}))[0] == "invalid"

    run(check())


def test_dispatch_checks_permissions_and_costs_the_page_no_message():
    async def check():
        async with attached("lab.views.limited.LimitedView") as (inspector, page):
            from djust_inspector.sessions import SESSIONS

            bucket = SESSIONS[page.id].consumer._rate_limiter.global_bucket
            bucket.rate, bucket.tokens = 0.0, 3.0
            answer = await inspector.command(
                "dispatch", session=page.id, view=None, component=None, event="free_call", params={}
            )
            assert answer["result"]["status"] == "ok" and bucket.tokens == 3.0
            step = await inspector.step(kind="event", name="free_call")
            assert step["cause"]["dispatched"] is True
            refused = await inspector.command(
                "dispatch", session=page.id, view=None, component=None, event="restock", params={}
            )
            assert refused["result"]["status"] == "refused"

    run(check())


def test_ring_is_read_whole_and_beyond_its_size_the_oldest_go():
    async def check():
        async with attached("lab.views.counter.CounterView") as (inspector, page):
            for _ in range(105):
                await page.event("increment")
            answer = await inspector.command("ring", session=page.id, view=None)
            entries = answer["result"]["entries"]
            assert answer["result"]["max"] == len(entries) == 100
            assert (entries[0]["before"]["count"], entries[-1]["after"]["count"]) == (5, 105)
            assert {e["before"]["secret_note"]["$t"] for e in entries} == {"redacted"}
        async with attached("lab.views.counter.PlainView") as (inspector, page):
            answer = await inspector.command("ring", session=page.id, view=None)
            assert answer["error"]["code"] == "unsupported"

    run(check())


def test_large_state_can_be_put_back():
    async def check():
        async with attached("lab.views.big_state.BigStateView") as (inspector, page):
            first = state(inspector, page, inspector.steps(kind="mount")[0])
            await page.event("drop_half")
            answer = await inspector.command("jump", session=page.id, set={"rows": first["rows"]}, **target())
            assert answer["ok"], answer
            assert state(inspector, page, await inspector.step(kind="jump"))["rows"] == first["rows"]

    run(check())


def test_page_that_has_gone_and_bad_requests_are_answered():
    async def check():
        async with attached("lab.views.counter.CounterView") as (inspector, page):

            async def code(do, **fields):
                answer = await inspector.command(do, **fields)
                assert answer["ok"] is False
                return answer["error"]["code"]

            assert await code("jump", session=page.id, set=None, **target()) == "bad_request"
            assert await code("jump", session=page.id, view="nobody", component=None, set={}) == "no_view"
            assert await code("jump", session="nobody", set={}) == "no_session"
            assert await code("dance") == "unsupported"
            assert await code("dispatch", session=page.id, view=None, event="", params={}) == "bad_request"
            hidden = {"password": {"$t": "redacted", "of": "str"}}
            assert await code("dispatch", session=page.id, view=None, event="add", params=hidden) == "bad_request"
            assert await code("ticks", session=page.id, view=None, paused=True) == "unsupported"
            await page.close()
            assert await code("jump", session=page.id, set={"count": 1}, **target()) == "no_session"

    run(check())


def test_page_that_is_busy_is_waited_for_and_then_refused(monkeypatch):
    from djust_inspector import commands

    async def check():
        async with attached("lab.views.counter.CounterView") as (inspector, page):
            from djust_inspector.sessions import SESSIONS

            monkeypatch.setattr(commands, "LOCK_SECS", 0.05)
            lock = SESSIONS[page.id].consumer._render_lock
            async with lock:
                answer = await inspector.command("jump", session=page.id, set={"count": 1}, **target())
            assert answer["error"]["code"] == "busy"
            assert SESSIONS[page.id].consumer._render_lock is lock and not lock.locked()

    run(check())


def test_commands_of_two_inspectors_at_once_keep_the_versions_in_order():
    async def check():
        async with attached("lab.views.counter.CounterView") as (one, page):
            two = await Inspector().attach()
            await asyncio.gather(
                *(
                    i.command("dispatch", session=page.id, view=None, component=None, event="increment", params={})
                    for i in (one, two)
                    for _ in range(10)
                ),
            )
            await one.step(20, name="increment", history=False)
            counts = [state(one, page, s)["count"] for s in one.steps(name="increment")]
            assert counts == list(range(1, 21))
            versions = [f["version"] for f in page.got if "version" in f]
            assert versions == list(range(1, len(versions) + 1))
            await two.close()

    run(check())


def test_jump_whose_rendering_fails_says_so():
    async def check():
        async with attached("lab.views.counter.CounterView") as (inspector, page):
            from djust_inspector.sessions import SESSIONS

            view = SESSIONS[page.id].root

            def broken(*args, **kwargs):
                raise RuntimeError("no template today")

            view.__dict__["render_with_diff"] = broken
            answer = await inspector.command("jump", session=page.id, set={"count": 5}, **target())
            assert answer["error"]["code"] == "raised" and "no template today" in answer["error"]["message"]
            step = await inspector.step(kind="jump")
            assert step["status"] == "failed" and step["error"]["type"] == "RuntimeError"
            assert view.count == 5

    run(check())


@pytest.mark.skipif(VERSION < (1, 2), reason="before 1.2 djust routes no event to a class-level component")
def test_class_level_component_is_read_and_put_back():
    async def check():
        async with attached("lab.views.components.BoundView") as (inspector, page):
            first = state(inspector, page, inspector.steps(kind="mount")[0])
            assert first["shipping"]["$t"] == "component" and first["shipping"]["v"]["is_open"] is False
            await page.event("disclose", component_id="shipping")
            opened = state(inspector, page, await inspector.step(name="disclose"))
            assert opened["shipping"]["v"]["is_open"] is True
            answer = await inspector.command("jump", session=page.id, set={"shipping": first["shipping"]}, **target())
            assert answer["result"]["not_restored"] == []
            assert state(inspector, page, await inspector.step(kind="jump"))["shipping"] == first["shipping"]

    run(check())


@pytest.mark.skipif(VERSION >= (1, 2), reason="since 1.2 a class-level component is an object of its own")
def test_state_of_a_class_level_component_is_read_and_put_back():
    async def check():
        async with attached("lab.views.components.BoundView") as (inspector, page):
            await page.send({"type": "event", "event": "disclose_here", "params": {"name": "shipping"}, "ref": 1})
            opened = state(inspector, page, await inspector.step(name="disclose_here"))["shipping"]
            assert opened["is_open"] is True
            answer = await inspector.command(
                "jump", session=page.id, set={"shipping": {**opened, "is_open": False}}, **target()
            )
            assert answer["result"]["not_restored"] == []
            assert state(inspector, page, await inspector.step(kind="jump"))["shipping"]["is_open"] is False

    run(check())


def test_config_and_sync_commands():
    async def check():
        async with attached("lab.views.counter.CounterView") as (inspector, page):
            assert (await inspector.command("config"))["ok"] and (await inspector.command("sync"))["ok"]
            await inspector.until(lambda: len(inspector.frames("synced")) == 2)
            assert len(inspector.frames("config")) >= 3
            assert json.dumps(inspector.frames("config")[-1], allow_nan=False)
            page2 = await Page().mount("lab.views.counter.PlainView")
            await page2.close()

    run(check())
