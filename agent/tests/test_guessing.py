"""No answer depends on what is hidden from who asks: a value that is guessed right is answered as one that is guessed wrong."""

import json

import pytest
from django.test import override_settings
from djust import LiveComponent, LiveView
from djust.decorators import event_handler
from djust_inspector.sessions import SESSIONS
from harness import Inspector, Page, attached, run

BY_NAME = "hunter2-of-the-page"
EXCLUDED = "excluded-word-77"
SCRUBBED = "scrubbed-word-88"
AT_PLACE = "placed-word-99"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P"


class Wallet(LiveComponent):
    """A component with hidden fields."""

    template = "<p>{{ amount }}</p>"

    def mount(self, **kwargs):
        self.amount = 5
        self.password = BY_NAME
        self.note = EXCLUDED
        self.scrub_me = SCRUBBED
        self.copied = BY_NAME
        self.phone = AT_PLACE

    def get_context_data(self, **kwargs):
        return {"amount": self.amount}


class GuessedView(LiveView):
    """Hidden values of each sort, none of which anybody else may find out."""

    template = "<div><p>{{ count }}</p>{{ wallet.render }}</div>"
    login_required = False
    time_travel_enabled = True
    time_travel_excluded_fields = ["note"]

    def mount(self, request, **kwargs):
        self.count = 1
        self.aaa_copied = BY_NAME  # seen before the assign whose name makes it a secret
        self.password = BY_NAME
        self.note = EXCLUDED
        self.scrub_me = SCRUBBED
        self.owner = {"phone": AT_PLACE, "name": "visible"}
        self.jwt = JWT
        self.listed = [1, BY_NAME, {"note": EXCLUDED}]
        self.wallet = Wallet()

    @event_handler()
    def increment(self, **kwargs):
        """Count."""
        self.count += 1


@pytest.fixture(autouse=True)
def settings(monkeypatch):
    from django.conf import settings
    from djust.config import config

    monkeypatch.setattr(settings, "LIVEVIEW_ALLOWED_MODULES", [*settings.LIVEVIEW_ALLOWED_MODULES, __name__])
    monkeypatch.setitem(config._config, "bug_capture_default_scrub", ["scrub_me"])
    with override_settings(DJUST_INSPECTOR={"redact": {"paths": ["owner.phone", "wallet.phone"]}}):
        yield


def guesses():
    """Commands' `set` and `component` with the value as it is, and the same with another one."""
    for name, value in (
        ("password", BY_NAME),
        ("aaa_copied", BY_NAME),
        ("note", EXCLUDED),
        ("scrub_me", SCRUBBED),
        ("jwt", JWT),
    ):
        yield None, {name: value}, {name: "guessed wrong"}
    yield None, {"owner": {"phone": AT_PLACE, "name": "visible"}}, {"owner": {"phone": "no", "name": "visible"}}
    yield None, {"listed": [1, BY_NAME, {"note": EXCLUDED}]}, {"listed": [1, "no", {"note": EXCLUDED}]}
    yield None, {"listed": [1, BY_NAME, {"note": EXCLUDED}]}, {"listed": [1, BY_NAME, {"note": "no"}]}
    for name, value in (
        ("password", BY_NAME),
        ("note", EXCLUDED),
        ("scrub_me", SCRUBBED),
        ("copied", BY_NAME),
        ("phone", AT_PLACE),
    ):
        right, wrong = (
            {"$t": "component", "class": f"{__name__}.Wallet", "id": None, "v": {name: each}} for each in (value, "no")
        )
        yield None, {"wallet": right}, {"wallet": wrong}
        yield "wallet", {"wallet": right}, {"wallet": wrong}
        yield "wallet", {name: value}, {name: "no"}


@pytest.mark.parametrize("before", ["nothing was recorded", "an event was recorded"])
def test_a_preview_tells_nothing_of_hidden_values(before):
    async def check():
        page = await Page().mount(f"{__name__}.GuessedView", "/guess/")
        inspector = await Inspector().attach(writes=False)
        if before == "an event was recorded":
            await page.event("increment")
            await inspector.step(name="increment")
        wallet = SESSIONS[page.id].root.wallet.component_id
        for component, right, wrong in guesses():
            component = component and wallet
            answers = []
            for wanted in (right, wrong):
                answer = await inspector.command("preview", session=page.id, view=None, component=component, set=wanted)
                assert answer["ok"], answer
                answers.append(answer["result"])
            assert answers[0] == answers[1], (component, right)
        seen = {}
        for wanted in (2, "1"):  # what is visible is still compared
            answer = await inspector.command("preview", session=page.id, view=None, set={"count": wanted})
            seen[wanted] = answer["result"]
        assert seen[2] == {"not_restored": [], "restored": ["count"]}
        await page.close()
        await inspector.close()

    run(check())


def test_a_replay_tells_nothing_of_hidden_values_either():
    async def check():
        async with attached(f"{__name__}.GuessedView", "/guess/") as (inspector, page):
            for component, right, wrong in guesses():
                if component is not None:
                    continue
                answers = []
                for wanted in (right, wrong, right):
                    answer = await inspector.command(
                        "replay", session=page.id, view=None, set=wanted, event="increment", params={}
                    )
                    assert answer["ok"], answer
                    answers.append((answer["result"]["not_restored"], answer["result"]["restored"]))
                assert answers[0] == answers[1] == answers[2], right

    run(check())


def test_an_error_of_a_command_does_not_quote_hidden_values(monkeypatch):
    def render(self, *args, **kwargs):
        raise ValueError(f"cannot render {self.password} and {self.scrub_me}")

    async def check():
        async with attached(f"{__name__}.GuessedView", "/guess/") as (inspector, page):
            await page.event("increment")
            await inspector.step(name="increment")
            monkeypatch.setattr(GuessedView, "render_with_diff", render)
            answer = await inspector.command("jump", session=page.id, view=None, set={"count": 4})
            monkeypatch.undo()
            assert answer["ok"] is False and "cannot render" in answer["error"]["message"]
            text = json.dumps(answer)
            assert BY_NAME not in text and SCRUBBED not in text

    run(check())
