"""Nothing that is a secret leaves the process: each way out is searched for secrets that were planted."""

import base64
import json
import random
import time

import pytest
import secret_views as planted
import staging
from django.test import override_settings
from djust_inspector import hidden, patterns, redact, walker
from djust_inspector.hidden import Known, mark, pseudonym
from djust_inspector.sessions import SESSIONS
from djust_inspector.walker import Walker
from harness import Inspector, Page, attached, run, unnamed

SETTINGS = {
    "redact": {
        "names": ["house_code"],
        "paths": ["owner.phone", "people[*].contact.phone"],
        "types": ["secret_views.Envelope"],
        "emails": True,
    }
}


@pytest.fixture
def secret_settings(monkeypatch):
    from django.conf import settings
    from djust.config import config

    monkeypatch.setattr(settings, "LIVEVIEW_ALLOWED_MODULES", [*settings.LIVEVIEW_ALLOWED_MODULES, "secret_views"])
    monkeypatch.setitem(config._config, "bug_capture_default_scrub", ["scrub_me"])
    with override_settings(DJUST_INSPECTOR=SETTINGS):
        yield


async def leak_on_every_way(inspectors):
    """A page that is mounted, clicked, raises, navigates and is closed; its frames are those of the inspectors."""
    page = await Page().mount("secret_views.SecretView", f"/secret/?token={planted.BY_NAME}&card=4111111111111111")
    await page.event("leak", text=planted.JWT, password=planted.TYPED_IN)
    await page.event("leak", text="again", password=planted.TYPED_IN)
    await page.event("boom")
    await page.event("no_such_handler", note=planted.EXCLUDED, value="x")
    await page.send({"type": "url_change", "params": {"token": planted.BY_NAME}, "uri": f"/secret/?token={planted.BY_NAME}"})
    await page.send({"type": "ping", "why": planted.CARD})
    await page.until(lambda: page.frames("pong"))
    await inspectors[0].step(name="boom")
    return page


def found_in(frames):
    """The secrets that left, each with the frame and the member in which."""
    out = []
    for frame in frames:
        for member, value in frame.items():
            text = json.dumps(value, ensure_ascii=False)
            flat = text.replace("\\", "")
            for secret in planted.ALL:
                at = max(text.find(secret), flat.find(secret))
                if at >= 0:
                    out.append((frame["t"], frame.get("kind"), frame.get("name"), member, secret, flat[max(0, at - 60) : at + 60]))
    return out


def test_planted_secrets_leave_on_no_way(secret_settings):
    async def check():
        async with attached() as inspector:
            page = await leak_on_every_way([inspector])
            late = await Inspector().attach()  # gets the history of djust's ring, and the states
            ring = await inspector.command("ring", session=page.id, view=None)
            assert ring["ok"] and ring["result"]["entries"]
            jumped = await inspector.command("jump", session=page.id, view=None, set={"card": planted.CARD, "count": 5})
            dispatched = await inspector.command(
                "dispatch", session=page.id, view=None, event="leak", params={"password": planted.TYPED_IN, "text": "x"}
            )
            assert jumped["ok"] and dispatched["ok"]
            await page.close()
            await inspector.step(kind="close")
            for each in (inspector, late):
                assert found_in(each.got) == []
            # The search looks where something is: each way was used, and what is no secret is there.
            steps = {s["name"]: s for s in inspector.steps(history=False)}
            text = json.dumps(inspector.got)
            for visible in ("visible-text", "visible-name", "you said", "the word is"):
                assert visible in text
            leaked = inspector.steps(name="leak")[0]
            assert len(leaked["logs"]) >= 2 and len(leaked["sql"]) >= 3 and leaked["frames"] and leaked["html"]["text"]
            assert steps["boom"]["error"]["traceback"] and "bad card [redacted:" in steps["boom"]["error"]["message"]
            kinds = [json.loads(f["text"]).get("type") for s in inspector.steps() for f in s["frames"] if f["text"][0] == "{"]
            assert {"event", "patch", "push_event", "error", "mount", "url_change", "ping"} <= set(kinds), set(kinds)
            await late.close()

    run(check())


def test_without_redaction_the_same_search_finds_them(secret_settings, monkeypatch):
    """The test above can fail."""
    monkeypatch.setattr(redact, "look", lambda text: text)
    monkeypatch.setattr(Known, "hide", lambda self, text: text)
    monkeypatch.setattr(Walker, "hides", lambda *_: False)

    async def check():
        async with attached() as inspector:
            page = await leak_on_every_way([inspector])
            members = {(kind, member) for kind, _, _, member, _, _ in found_in(inspector.got)}
            ways = {"after", "raw", "params", "frames", "html", "sql", "logs", "error"}
            assert {member for kind, member in members if kind == "step"} >= ways - {"raw"}
            await page.close()

    run(check())


def test_hidden_values_are_marked_and_equal_ones_stay_equal(secret_settings):
    async def check():
        async with attached("secret_views.SecretView", "/secret/") as (inspector, page):
            mount = (await inspector.step(kind="mount"))["after"]["set"]
            name = {"$t": "redacted", "of": "str", "as": pseudonym(planted.BY_NAME)}
            assert mount["password"] == mount["shown"] == name
            assert mount["aaa_before"] == f"the word is {mark(planted.BY_NAME)}"
            assert mount["card"] == {"$t": "redacted", "of": "str", "as": pseudonym(planted.CARD)}
            assert mount["numbers"][1]["$t"] == "redacted" and mount["numbers"][0] == 1
            deep = mount["rows"][0]["deep"][0]
            assert [deep[k]["$t"] for k in ("note", "scrub_me", "house_code")] == ["redacted"] * 3
            assert deep["ok"] == "visible-text" and deep["note"] == mount["note"]
            assert mount["owner"]["phone"] == mount["people"][0]["contact"]["phone"]
            assert mount["owner"]["name"] == "visible-name" and mount["envelope"]["of"] == "Envelope"
            assert mount["dsn"].startswith("postgres://shop:[redacted:") and mount["dsn"].endswith("@db/shop")
            html = unnamed((await inspector.step(kind="mount"))["html"]["text"])
            assert 'data-api-key="[redacted]"' in html and html.count("[redacted]") >= 8
            # A redacted value is not put back, and a jump says so.
            jumped = await inspector.command("jump", session=page.id, view=None, set={"password": name, "count": 3})
            assert [lost["path"] for lost in jumped["result"]["not_restored"]] == ["password"]
            assert SESSIONS[page.id].root.password == planted.BY_NAME and SESSIONS[page.id].root.count == 3

    run(check())


def test_secret_that_becomes_known_later_is_hidden_in_what_was_encoded_before(secret_settings):
    async def check():
        async with attached("lab.views.counter.CounterView") as (inspector, page):
            view = SESSIONS[page.id].root
            view.remark = "later-secret-5"
            await page.event("increment")
            step = await inspector.step(name="increment")
            assert inspector.states(page.id)[step["key"]][1]["remark"] == "later-secret-5"  # nobody could know
            view.api_key = "later-secret-5"
            await page.event("increment")
            step = await inspector.step(2, name="increment")
            states = inspector.states(page.id)[step["key"]]
            assert states[1]["remark"]["$t"] == states[1]["api_key"]["$t"] == "redacted"

    run(check())


def test_hidden_number_is_hidden_elsewhere_and_the_frame_stays_json(secret_settings):
    async def check():
        async with attached("lab.views.counter.CounterView") as (inspector, page):
            view = SESSIONS[page.id].root
            view.ssn, view.same, view.other = 123456789, 123456789, 1234567890
            await page.event("set_label", label="123456789", n=123456789, big=1234567890)
            step = await inspector.step(name="set_label")
            after = inspector.states(page.id)[step["key"]][1]
            assert after["ssn"]["as"] == after["same"]["as"] == pseudonym("123456789") and after["other"] == 1234567890
            assert after["label"]["$t"] == "redacted" and json.loads(step["raw"])["n"]["$t"] == "redacted"
            assert json.loads(step["raw"])["big"] == 1234567890

    run(check())


def test_text_with_a_hidden_part_is_neither_put_back_nor_sent(secret_settings):
    async def check():
        async with attached("secret_views.SecretView", "/secret/") as (inspector, page):
            recorded = (await inspector.step(kind="mount"))["after"]["set"]["dsn"]
            SESSIONS[page.id].root.dsn = "another"
            jumped = await inspector.command("jump", session=page.id, view=None, set={"dsn": recorded})
            assert jumped["result"]["not_restored"] == [{"path": "dsn", "why": "a part of it was redacted"}]
            assert SESSIONS[page.id].root.dsn == "another"
            sent = await inspector.command("dispatch", session=page.id, view=None, event="leak", params={"text": recorded})
            assert sent["error"]["code"] == "bad_request" and "redacted" in sent["error"]["message"]

    run(check())


def test_pseudonyms_cannot_be_had_by_hashing_and_differ_between_processes():
    import subprocess
    import sys

    code = "from djust_inspector.hidden import pseudonym; print(pseudonym('1234'))"
    runs = {
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=python_path()).stdout
        for _ in range(2)
    }
    assert len(runs) == 2 and pseudonym("1234") not in "".join(runs)
    assert pseudonym("1234") == pseudonym("1234") != pseudonym("1235")


def python_path():
    import os
    from pathlib import Path

    return {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parent.parent)}


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        (planted.PRIVATE, planted.PRIVATE),
        ("-----BEGIN RSA PRIVATE KEY-----\ncut off", "-----BEGIN RSA PRIVATE KEY-----\ncut off"),
        (f"a {planted.JWT} b", planted.JWT),
        ("a eyJhbGciOi.eyJzdWIiOiIx.c2lnbmF0dXJl b", "eyJhbGciOi.eyJzdWIiOiIx.c2lnbmF0dXJl"),
        (f"id={planted.AWS};", planted.AWS),
        ("ghp_" + "a1B2" * 9, "ghp_" + "a1B2" * 9),
        ("x glpat-abcdefghij0123456789", "glpat-abcdefghij0123456789"),
        ("xoxb-1234567890-abc", "xoxb-1234567890-abc"),
        ("the token djins_" + "a" * 43, "djins_" + "a" * 43),
        ("Authorization: Bearer abc123def456", "abc123def456"),
        ("AUTHORIZATION: BEARER ABC123DEF456", "ABC123DEF456"),
        ("basic dXNlcjpwYXNz", "dXNlcjpwYXNz"),
        ("postgres://shop:hunter2@db/x", "hunter2"),
        ("card 4111 1111 1111 1111.", "4111 1111 1111 1111"),
        ("5500-0055-5555-5559", "5500-0055-5555-5559"),
        ("378282246310005", "378282246310005"),
        ("ünïcode 4111111111111111 ü", "4111111111111111"),
        ("to: ann.o'nym+x@mail.example.org,", "ann.o'nym+x@mail.example.org"),
    ],
)
def test_secrets_are_found_by_how_they_look(text, secret):
    found = patterns.spans(text, emails=True)
    assert [text[start:end] for start, end in found] == [secret]


@pytest.mark.parametrize(
    "text",
    [
        "the bearer of this letter, basic information, basic stepper",
        "4111 1111 1111 1112",
        "1234567890123",
        "550e8400-e29b-41d4-a716-446655440000",
        "2026-11-24 10:00:00 1795410214.123456",
        "0000000000000000",
        "http://localhost:8000/@someone",
        "sk-short",
        "task-a-very-long-name-of-something-here",
        "",
    ],
)
def test_what_only_looks_alike_stays(text):
    assert patterns.spans(text, emails=True) == []


def test_text_that_only_begins_like_a_mark_is_hidden_too():
    assert unnamed(redact.redact_text("password=[redacted:but-not-really")) == "password=[redacted]"
    once = redact.redact_text("password=hunter2-x, token: abcdef")
    assert redact.redact_text(once) == once and "hunter2" not in once


def test_emails_stay_unless_they_are_to_be_hidden(monkeypatch):
    assert redact.look("mail ann@example.org") == "mail ann@example.org"
    with staging.settings(monkeypatch, {"redact": {"emails": True}}):
        assert unnamed(redact.look("mail ann@example.org")) == "mail [redacted]"
    with staging.settings(monkeypatch, {"redact": {"patterns": False}}):
        assert redact.look(planted.CARD) == planted.CARD


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ("cart.owner", {"owner": "x1", "n": 1}, {"owner": None, "n": 1}),
        ("cart[*].note", [{"note": "x1"}, {"note": "x2", "n": 1}], [{"note": None}, {"note": None, "n": 1}]),
        ("*.phone", {"a": [{"phone": "x1", "n": {"phone": "x2"}}]}, {"a": [{"phone": None, "n": {"phone": None}}]}),
        ("cart.*.pin", {"a": {"pin": 1}, "b": {"c": {"pin": 2}}}, {"a": {"pin": None}, "b": {"c": {"pin": 2}}}),
        ("cart", {"a": 1}, None),
        ("cart[*]", (1, True), {"$t": "tuple", "v": [None, True]}),
        ("other.owner", {"owner": "x1"}, {"owner": "x1"}),
    ],
)
def test_places_are_hidden_at_their_depth(monkeypatch, path, value, expected):
    def without(found):
        if type(found) is dict and found.get("$t") == "redacted":
            return None
        if type(found) is dict:
            return {k: without(v) for k, v in found.items()}
        return [without(v) for v in found] if type(found) is list else found

    from djust_inspector import plain

    with staging.settings(monkeypatch, {"redact": {"paths": [path]}}):
        for encode in (lambda: Walker().named("cart", value), lambda: plain.named(Walker(), "cart", value)):
            assert without(json.loads(encode())) == expected


def test_subclasses_of_a_hidden_type_are_hidden(monkeypatch):
    class Registered(planted.Envelope):
        pass

    with staging.settings(monkeypatch, {"redact": {"types": ["secret_views.Envelope", "uuid.UUID"]}}):
        import uuid

        found = json.loads(Walker().named("box", [Registered("inner"), uuid.UUID(int=1), "x"]))
        assert [entry["$t"] for entry in found[:2]] == ["redacted", "redacted"] and found[2] == "x"


def test_fast_encoder_hides_as_the_walker_does():
    from djust_inspector import plain

    rng = random.Random(5)
    secrets_ = [planted.CARD, planted.JWT, planted.AWS, planted.PRIVATE, "x " + planted.STRIPE, planted.CARD_NUMBER]
    for _ in range(200):
        value = [{"a": rng.choice([1, "text", None]), rng.choice(["k", planted.AWS]): rng.choice(["t", *secrets_])} for _ in range(3)]
        fast, slow = plain.named(Walker(), "rows", value), Walker().named("rows", value)
        assert fast == slow
        for secret in (planted.CARD, planted.JWT, planted.AWS, "MIIE", planted.STRIPE, str(planted.CARD_NUMBER)):
            assert secret not in fast


def test_bytes_are_hidden_when_they_hold_a_secret():
    assert json.loads(Walker().named("blob", planted.JWT.encode()))["$t"] == "redacted"
    assert base64.b64decode(json.loads(Walker().named("blob", b"plain"))["v"]) == b"plain"


def test_secrets_that_are_ordinary_words_are_not_looked_for_elsewhere():
    known = Known()
    for value in ("yes", "history", "1234567", " padded-secret ", "x" * 5000, "[redacted:0a1b2c3d4e]"):
        known.learn(value)
    assert known.version == 0


def test_secrets_of_a_page_are_bounded_and_do_not_push_each_other_out(monkeypatch):
    clock = [100.0]
    monkeypatch.setattr(hidden.time, "monotonic", lambda: clock[0])
    known = Known()
    many = [f"secret-{n:04}" for n in range(hidden.MAX_KNOWN + 10)]
    for _ in range(3):  # a state with more of them than there is room, looked at again and again
        known.learn(many)
        for each in many:
            known.learn(each)
    assert known.version == hidden.MAX_KNOWN
    assert known.within("a secret-0003 b") and not known.within(f"secret-{hidden.MAX_KNOWN + 5:04}")
    clock[0] += hidden.KEPT_SECS + 1
    known.learn("secret-0000")
    known.learn("another-one-1")
    assert known.holds("secret-0000") and known.holds("another-one-1") and not known.holds("secret-0001")


def test_looking_through_a_text_without_secrets_costs_little():
    rows = [{"id": n, "name": f"Person {n} of the town", "price": n * 1.25, "note": "words about this row"} for n in range(2000)]
    text = json.dumps(rows)

    def fastest(function):
        best = 1.0
        for _ in range(15):
            start = time.perf_counter()
            function()
            best = min(best, time.perf_counter() - start)
        return best

    assert fastest(lambda: patterns.spans(text, False)) < 2 * fastest(lambda: json.dumps(rows))
