"""Steps of a real LiveViewConsumer, one test for each kind of thing that happens."""

import asyncio
import json

import djust
import pytest
from harness import Inspector, Page, attached, run, unnamed

VERSION = tuple(int(part) for part in djust.__version__.split(".")[:2])


def test_event_has_states_params_frames_timing_and_html():
    async def check():
        async with attached("lab.views.counter.CounterView", "/counter/") as (inspector, page):
            await page.event("add", _args=[7])
            step = await inspector.step(kind="event", name="add")
            before, after = inspector.states(page.id)[step["key"]]
            assert (before["count"], after["count"]) == (0, 7)
            assert after["secret_note"]["$t"] == "redacted" and after["secret_note"]["of"] == "str"
            assert step["params"] == {"n": 7}
            assert json.loads(step["raw"]) == {"_args": [7]}
            assert step["status"] == "ok" and step["error"] is None and step["ref"] == 1
            assert step["timing"]["handler"] > 0 and step["timing"]["render"] > 0
            assert [f["dir"] for f in step["frames"]][0] == "in" and step["frames"][-1]["dir"] == "out"
            assert ">7<" in step["html"]["text"] and "<html" not in step["html"]["text"]
            assert step["before"] == {"rev": step["before"]["rev"]}
            assert set(step["after"]["set"]) == {"count", "history"}

    run(check())


def test_view_that_did_not_opt_in_is_recorded():
    async def check():
        async with attached("lab.views.counter.PlainView", "/plain/") as (inspector, page):
            await page.event("increment")
            step = await inspector.step(kind="event", name="increment")
            before, after = inspector.states(page.id)[step["key"]]
            assert after["count"] == before["count"] + 1

    run(check())


def test_handler_that_raises_keeps_its_mutation_and_has_a_traceback():
    async def check():
        async with attached("lab.views.counter.CounterView") as (inspector, page):
            await page.event("boom")
            step = await inspector.step(kind="event", name="boom")
            assert step["status"] == "raised"
            assert step["error"]["type"] == "ValueError"
            assert step["error"]["message"] == "boom from handler"
            assert "counter.py" in step["error"]["traceback"]
            assert "djust_inspector" not in step["error"]["traceback"]
            before, after = inspector.states(page.id)[step["key"]]
            assert after["count"] == before["count"] + 1000

    run(check())


def test_unknown_handler_wrong_parameter_and_missing_permission_are_told_apart():
    async def check():
        async with attached("lab.views.limited.LimitedView") as (inspector, page):
            for name, reason in (
                ("no_such_handler", "no_handler"),
                ("restock", "permission_denied"),
                ("get_context_data", "not_a_handler"),
                ("_private", "unsafe_name"),
            ):
                await page.event(name)
                step = await inspector.step(name=name)
                assert (step["status"], step["error"]["type"]) == ("refused", reason) and step["error"]["message"]
        async with attached("lab.views.counter.CounterView") as (inspector, page):
            await page.event("add", n="many")
            step = await inspector.step(name="add")
            assert step["status"] == "invalid" and "many" in step["error"]["message"]

    run(check())


def test_handler_rate_limit_is_limited_and_the_4429_has_its_reason():
    async def check():
        async with attached("lab.views.limited.LimitedView") as (inspector, page):
            limiter = None
            from djust_inspector.sessions import SESSIONS

            limiter = SESSIONS[page.id].consumer._rate_limiter
            limiter.max_warnings = 2
            for _ in range(5):
                await page.event("expensive")
                if page.close_code is not None:
                    break
            limited = await inspector.step(name="expensive", status="limited")
            assert limited["kind"] == "event" and limited["cause"]["limit"] == "handler"
            last = await inspector.step(2, name="expensive", status="limited")
            assert last["cause"]["code"] == 4429
            assert page.close_code == 4429
            await page.close(4429)
            close = await inspector.step(kind="close")
            assert close["cause"]["code"] == 4429 and "rate limit" in close["cause"]["reason"]
            session = inspector.frames("session")[-1]
            assert session["phase"] == "closed" and session["close"]["code"] == 4429
            assert session["view"]["class"].endswith("LimitedView")

    run(check())


def test_message_budget_that_is_used_up_is_rate_limited_until_4429():
    async def check():
        async with attached("lab.views.counter.CounterView") as (inspector, page):
            from djust_inspector.sessions import SESSIONS

            limiter = SESSIONS[page.id].consumer._rate_limiter
            limiter.max_warnings = 2
            limiter.global_bucket.rate = 0.0
            limiter.global_bucket.tokens = 0.0
            await page.send({"type": "event", "event": "increment", "params": {}, "ref": 1})
            first = await inspector.step(kind="rate_limited")
            assert (
                first["status"] == "limited" and first["cause"]["limit"] == "global" and first["cause"]["code"] is None
            )
            await page.send({"type": "event", "event": "increment", "params": {}, "ref": 2})
            second = await inspector.step(2, kind="rate_limited")
            assert second["cause"]["code"] == 4429 and second["cause"]["warnings"] == 2
            rate = await inspector.until(
                lambda: [f for f in inspector.frames("rate") if f["session"] == page.id and f["warnings"] == 2], "rate"
            )
            assert rate[-1]["global"]["tokens"] < 1 and rate[-1]["ip"]["address"] == "127.0.0.1"
            assert rate[-1]["ip"]["max"] == 10_000

    run(check())


def test_refused_address_tells_why(monkeypatch):
    from djust import rate_limit

    async def check():
        async with attached() as inspector:
            rate_limit.ip_tracker.add_cooldown("10.1.2.3", 30)
            page = Page(client="10.1.2.3")
            await page.open()
            await page.until(lambda: page.close_code is not None)
            step = await inspector.step(kind="rate_limited")
            assert step["cause"]["limit"] == "ip" and "cooldown" in step["cause"]["reason"]
            await page.close(4429)
            answer = await inspector.command("lift_cooldown", ip="10.1.2.3")
            assert answer["result"]["lifted"] == ["cooldown of 10.1.2.3"]
            assert rate_limit.ip_tracker.connect("10.1.2.3", 5)

    run(check())


def test_components_have_their_own_id_and_value():
    async def check():
        async with attached("lab.views.components.ComponentsView") as (inspector, page):
            session = inspector.frames("session")[-1]
            ids = {c["id"] for c in session["view"]["components"]}
            state = next(iter(inspector.states(page.id).values()))[1]
            component = state["adults"]["id"]
            assert component in ids
            await page.event("plus", component_id=component)
            step = await inspector.step(name="plus")
            before, after = inspector.states(page.id)[step["key"]]
            assert step["component"] == component and step["view"] is None
            assert before["adults"]["v"]["value"] + 1 == after["adults"]["v"]["value"] == 3
            assert before["children"] == after["children"]
            assert any(h["name"] == "plus" and h["component"] == component for h in session["view"]["handlers"])

    run(check())


def test_sticky_child_has_a_stream_of_its_own():
    async def check():
        async with attached("lab.views.sticky.StickyPageA", "/sticky-a/") as (inspector, page):
            child = await inspector.step(kind="mount", view="player")
            assert child["after"]["set"]["track"] == 0
            await page.event("next_track", view_id="player")
            step = await inspector.step(name="next_track")
            before, after = inspector.states(page.id)[step["key"]]
            assert step["view"] == "player"
            assert (before["track"], after["track"]) == (0, 1) and "likes" not in after
            session = inspector.frames("session")[-1]
            assert [c["id"] for c in session["children"]] == ["player"] and session["children"][0]["sticky"]

    run(check())


def test_live_redirect_keeps_the_child_and_starts_the_page_anew():
    async def check():
        async with attached("lab.views.sticky.StickyPageA", "/sticky-a/") as (inspector, page):
            await page.event("next_track", view_id="player")
            await page.send({"type": "live_redirect_mount", "view": "", "params": {}, "url": "/sticky-b/"})
            step = await inspector.step(2, kind="mount", view=None)
            assert (
                step["before"] is None
                and step["after"]["set"] == {"client_timezone": None, "notes": []}
                or (step["after"]["set"]["notes"] == [])
            )
            await page.event("next_track", view_id="player")
            again = await inspector.step(2, name="next_track")
            assert inspector.states(page.id)[again["key"]][1]["track"] == 2
            assert inspector.frames("session")[-1]["path"] == "/sticky-b/"

    run(check())


def test_tick_is_a_step_and_can_be_paused():
    async def check():
        async with attached("lab.views.ticker.TickerView") as (inspector, page):
            tick = await inspector.step(kind="tick")
            before, after = inspector.states(page.id)[tick["key"]]
            assert after["ticks"] == before["ticks"] + 1
            assert any("patch" in f["text"] for f in tick["frames"])
            answer = await inspector.command("ticks", session=page.id, view=None, paused=True)
            assert answer["result"] == {"paused": True}
            await page.event("mark")
            marked = await inspector.step(name="mark")
            at = inspector.states(page.id)[marked["key"]][1]["ticks"]
            count = len(inspector.steps(kind="tick"))
            # Two tick intervals pass in the consumer while nothing may tick.
            loop = asyncio.get_running_loop()
            end = loop.time() + 1.6
            await inspector.until(lambda: loop.time() > end)
            assert len(inspector.steps(kind="tick")) == count
            assert inspector.frames("session")[-1]["view"]["ticks_paused"] is True
            await inspector.command("ticks", session=page.id, view=None, paused=False)
            after_resume = await inspector.step(count + 1, kind="tick")
            assert inspector.states(page.id)[after_resume["key"]][1]["ticks"] == at + 1

    run(check())


def test_push_from_another_page_is_a_step_of_the_receiver():
    async def check():
        async with attached("lab.views.push.PushView", "/push/") as (inspector, page):
            other = await Page().mount("lab.views.push.PushView", "/push/")
            await inspector.step(kind="mount", session=other.id)
            await page.event("announce", text="hello")
            step = await inspector.step(kind="push", session=other.id)
            before, after = inspector.states(other.id)[step["key"]]
            assert before["announcements"] == [] and after["announcements"][0]["text"] == "hello"
            assert step["name"] == "on_announcement"
            assert not [s for s in inspector.steps(kind="push", session=page.id) if s["after"].get("set")]
            await other.close()

    run(check())


def test_async_result_and_hidden_async_exception():
    async def check():
        async with attached("lab.views.async_work.AsyncView") as (inspector, page):
            await page.event("make_report")
            event = await inspector.step(kind="event", name="make_report")
            assert inspector.states(page.id)[event["key"]][1]["status"] == "working"
            done = await inspector.step(kind="async", name="report")
            before, after = inspector.states(page.id)[done["key"]]
            assert (before["status"], after["status"]) == ("working", "done")
            assert done["cause"]["started_by"] == "make_report" and done["timing"]["handler"] >= 300
            await page.event("fail_quietly")
            failed = await inspector.step(kind="async", name="failing")
            assert failed["status"] == "raised"
            assert failed["error"]["message"] == "the report printer is on fire"
            assert "async_work.py" in failed["error"]["traceback"]

    run(check())


def test_url_change_is_a_step():
    async def check():
        async with attached("lab.views.nav.NavView", "/nav/") as (inspector, page):
            await page.send(
                {"type": "url_change", "params": {"tab": "reviews", "page": "3"}, "uri": "/nav/?tab=reviews"}
            )
            step = await inspector.step(kind="url_change")
            before, after = inspector.states(page.id)[step["key"]]
            assert (before["tab"], after["tab"], after["page"]) == ("overview", "reviews", 3)
            assert step["params"]["tab"] == "reviews"

    run(check())


def test_change_between_two_events_shows_as_a_before_of_its_own():
    async def check():
        async with attached("lab.views.counter.CounterView") as (inspector, page):
            await page.event("increment")
            from djust_inspector.sessions import SESSIONS

            SESSIONS[page.id].root.label = "from outside"
            await page.event("increment")
            step = await inspector.step(2, name="increment")
            assert step["before"]["set"] == {"label": "from outside"}

    run(check())


def test_temporary_assigns_are_seen_filled_after_and_empty_before():
    async def check():
        async with attached("lab.views.assigns.AssignsView") as (inspector, page):
            await page.event("send", text="one")
            await page.event("send", text="two")
            step = await inspector.step(2, name="send")
            before, after = inspector.states(page.id)[step["key"]]
            assert before["messages"] == [] and after["messages"] == ["two"]
            await page.event("set_draft", value="typed")
            draft = await inspector.step(name="set_draft")
            assert inspector.states(page.id)[draft["key"]][1]["draft"] == "typed"

    run(check())


def test_sql_of_a_handler_belongs_to_its_step():
    async def check():
        async with attached("lab.views.money.MoneyView") as (inspector, page):
            mount = inspector.steps(kind="mount")[0]
            assert any("lab_product" in q["sql"] for q in mount["sql"])
            await page.event("next_product")
            step = await inspector.step(name="next_product")
            assert step["sql"] and all(q["ms"] >= 0 and q["db"] == "default" for q in step["sql"])
            await page.event("append_byte")
            assert not [q for q in (await inspector.step(name="append_byte"))["sql"] if "lab_product" in q["sql"]]

    run(check())


def test_typed_values_arrive_as_their_types():
    async def check():
        async with attached("lab.views.money.MoneyView") as (inspector, page):
            state = next(iter(inspector.states(page.id).values()))[1]
            assert state["amount"] == {"$t": "decimal", "v": "10.50"}
            assert state["due"]["$t"] == "date" and state["created"]["$t"] == "datetime"
            assert state["tags"] == {"$t": "set", "v": ["draft", "internal"]}
            assert state["pair"] == {"$t": "tuple", "v": [1, "two"]}
            assert state["raw"]["len"] == 8 and state["reference"]["$t"] == "uuid"

    run(check())


def test_reading_a_queryset_makes_no_query():
    async def check():
        async with attached("lab.views.queryset.QuerySetView") as (inspector, page):
            text = json.dumps(inspector.steps(kind="mount")[0]["after"])
            assert '"$t": "queryset"' in text

    run(check())


def test_large_state_arrives_whole_and_later_only_what_changed():
    async def check():
        async with attached("lab.views.big_state.BigStateView") as (inspector, page):
            await page.event("edit_row", row_id=3)
            step = await inspector.step(name="edit_row")
            before, after = inspector.states(page.id)[step["key"]]
            assert len(json.dumps(after)) > 190_000 and after["rows"][3]["edits"] == 1
            assert before["rows"][3]["edits"] == 0
            assert step["before"] == {"rev": step["before"]["rev"]}

    run(check())


def test_log_records_belong_to_the_step_or_are_loose():
    import logging

    async def check():
        async with attached("lab.views.counter.CounterView") as (inspector, page):
            await page.event("boom")
            step = await inspector.step(name="boom")
            assert any(log["level"] == "ERROR" and "boom" in log["message"] for log in step["logs"])
            logging.getLogger("lab").warning("outside of a step, token=abcdef1234")
            loose = await inspector.until(lambda: [f for f in inspector.frames("log") if f["logger"] == "lab"], "log")
            assert unnamed(loose[0]["message"]) == "outside of a step, token=[redacted]"

    run(check())


def test_warning_that_no_handler_of_the_project_takes_is_still_shown(monkeypatch):
    import io
    import logging

    async def check():
        shown = io.StringIO()
        last = logging.StreamHandler(shown)
        last.setLevel(logging.WARNING)
        monkeypatch.setattr(logging, "lastResort", last)
        monkeypatch.setattr(logging.getLogger(), "handlers", [])
        async with attached() as inspector:
            for name in ("a.project", "lab"):  # the second has a handler of its own
                logging.getLogger(name).warning("from %s", name)
                logging.getLogger(name).info("quietly from %s", name)
            await inspector.until(lambda: len(inspector.frames("log")) >= 2, "the records")
        assert shown.getvalue() == "from a.project\n"

    run(check())


def test_failed_mount_and_refused_mount():
    async def check():
        async with attached() as inspector:
            page = await Page().mount("lab.views.counter.NoSuchView")
            assert (await inspector.step(kind="mount", session=page.id))["status"] == "failed"
            await page.close()
            private = await Page().mount("lab.views.private.PrivateView", "/private/")
            step = await inspector.step(kind="mount", session=private.id)
            assert step["status"] == "refused" and "/login/" in step["error"]["message"]
            await private.close()

    run(check())


def test_unreadable_message_is_an_error_step():
    async def check():
        async with attached("lab.views.counter.CounterView") as (inspector, page):
            await page.send("{not json")
            step = await inspector.step(kind="error")
            assert step["status"] == "failed" and "JSON" in step["error"]["message"]
            await page.send({"type": "ping"})
            await page.until(lambda: page.frames("pong"))
            await page.event("increment")
            event = await inspector.step(name="increment")
            assert [json.loads(f["text"])["type"] for f in event["frames"]][:2] == ["ping", "pong"]

    run(check())


def test_hot_reload_and_template_change():
    async def check():
        async with attached("lab.views.counter.CounterView") as (inspector, page):
            from djust.websocket import LiveViewConsumer

            await LiveViewConsumer.broadcast_reload("/project/style.css")
            step = await inspector.step(kind="hot_reload")
            reload_step = await inspector.step(kind="reload")
            assert step["cause"]["reload"] == reload_step["key"]
            assert step["cause"]["result"] in ("nothing", "patched", "reloaded")
            assert reload_step["session"] is None and reload_step["cause"]["kind"] == "static"

    run(check())


HVR = '''"""For the tests."""
from djust import LiveView
from djust.decorators import event_handler

class Swapped(LiveView):
    template = "<div>{{ count }}</div>"
    login_required = False
    def mount(self, request, **kwargs):
        self.count = 0
    @event_handler()
    def increment(self, **kwargs):
        self.count += %s
'''


@pytest.fixture
def hvr_module(tmp_path, monkeypatch):
    import sys

    folder = tmp_path / "hvr_sample"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    file = folder / "swapped.py"
    file.write_text(HVR % "1")
    monkeypatch.syspath_prepend(str(tmp_path))
    from django.conf import settings

    monkeypatch.setattr(
        settings, "LIVEVIEW_ALLOWED_MODULES", [*settings.LIVEVIEW_ALLOWED_MODULES, "hvr_sample.swapped"]
    )
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield file
    for name in [n for n in sys.modules if n.startswith("hvr_sample")]:
        del sys.modules[name]


async def reload(file):
    from djust.hot_view_replacement import broadcast_hvr_event, reload_module_if_liveview

    result = reload_module_if_liveview(str(file))
    assert result is not None
    await broadcast_hvr_event(result, str(file))


def test_hvr_accepted_refused_and_of_no_concern(hvr_module):
    async def check():
        async with attached("hvr_sample.swapped.Swapped") as (inspector, page):
            other = await Page().mount("lab.views.counter.CounterView")
            await inspector.step(kind="mount", session=other.id)
            hvr_module.write_text(HVR % "10")
            await reload(hvr_module)
            step = await inspector.step(kind="hvr", session=page.id)
            assert step["cause"]["result"] == "swapped", step["cause"]
            beside = await inspector.step(kind="hvr", session=other.id)
            assert beside["cause"]["result"] != "swapped"
            saved = await inspector.step(kind="reload")
            assert saved["cause"]["classes"] == ["Swapped"] and step["cause"]["reload"] == saved["key"]
            await page.event("increment")
            event = await inspector.step(name="increment")
            assert inspector.states(page.id)[event["key"]][1]["count"] == 10
            hvr_module.write_text((HVR % "1").replace("def increment", "def renamed"))
            await reload(hvr_module)
            refused = await inspector.step(2, kind="hvr", session=page.id)
            assert refused["cause"]["result"] == "refused" and refused["status"] == "refused"
            assert refused["cause"]["reason"] == "handler_removed:increment"
            await other.close()

    run(check())


def test_reload_of_a_file_with_a_syntax_error_is_a_failed_reload(hvr_module):
    async def check():
        async with attached("hvr_sample.swapped.Swapped") as (inspector, page):
            from djust.hot_view_replacement import reload_module_if_liveview

            hvr_module.write_text("def broken(:\n")
            assert reload_module_if_liveview(str(hvr_module)) is None
            step = await inspector.step(kind="reload")
            assert step["status"] == "failed" and step["error"]["type"] == "SyntaxError"

    run(check())


def test_djusts_own_jump_is_a_step_caused_by_the_browser():
    async def check():
        async with attached("lab.views.counter.CounterView") as (inspector, page):
            await page.event("increment")
            await page.event("increment")
            await page.send({"type": "time_travel_jump", "index": 0, "which": "before"})
            step = await inspector.step(kind="jump")
            before, after = inspector.states(page.id)[step["key"]]
            assert (before["count"], after["count"]) == (2, 0)
            assert step["cause"]["by"] == "browser" and step["cause"]["target"]["index"] == 0

    run(check())


def test_reconnected_page_succeeds_the_one_before():
    async def check():
        async with attached("lab.views.counter.CounterView", "/counter/") as (inspector, page):
            await page.close()
            again = await Page().mount("lab.views.counter.CounterView", "/counter/")
            await inspector.step(kind="mount", session=again.id)
            found = await inspector.until(
                lambda: [f for f in inspector.frames("session") if f["session"] == again.id and f["succeeds"]]
            )
            assert found[-1]["succeeds"] == page.id
            await again.close()

    run(check())


def test_password_is_hidden_in_params_raw_and_frames():
    async def check():
        async with attached("lab.views.counter.CounterView") as (inspector, page):
            await page.event("set_label", label="x", password="hunter2", field="password", value="hunter2")
            step = await inspector.step(name="set_label")
            assert "hunter2" not in json.dumps({k: v for k, v in step.items() if k != "logs"})

    run(check())


def test_detached_agent_records_nothing_but_knows_the_pages():
    async def check():
        page = await Page().mount("lab.views.counter.CounterView", "/counter/")
        await page.event("increment")
        from djust_inspector import hub

        assert hub.ACTIVE is False and not hub.HUB.backlog
        inspector = await Inspector().attach()
        assert inspector.frames("session")[0]["session"] == page.id
        history = inspector.steps(history=True)
        assert [s["name"] for s in history] == ["increment"]
        assert inspector.states(page.id)[history[0]["key"]][1]["count"] == 1
        assert inspector.frames("state")[0]["state"]["set"]["count"] == 1
        await page.event("increment")
        step = await inspector.step(name="increment", history=False)
        assert inspector.states(page.id)[step["key"]][1]["count"] == 2
        again = await Inspector().attach()
        keys = [s["key"] for s in again.steps(history=True)]
        assert step["key"] in keys and len(set(keys)) == 2
        await page.close()
        await again.close()
        await inspector.close()

    run(check())
