"""Tokens by name: hashes, expiry, permission to write, revocation and the off switch, and what the log says."""

import datetime
import io
import json
import os
import time

import pytest
import staging
from djust_inspector import access, control, guard, hub, options, serving
from harness import Inspector, Page, run
from lab.views.counter import CounterView  # noqa: F401  (mounted by name)

COUNTER = "lab.views.counter.CounterView"


@pytest.fixture
def control_file(tmp_path):
    return str(tmp_path / "control.json")


@pytest.fixture
def quick(monkeypatch):
    """Attachments are looked at more often than once a second."""
    monkeypatch.setattr(serving, "WATCH_SECS", 0.02)


def manage(*words):
    from django.core.management import call_command
    from djust_inspector.management.commands.djust_inspector import Command

    out = io.StringIO()
    call_command(Command(), *words, stdout=out)
    return out.getvalue()


async def refused(token, **more):
    inspector = Inspector(token, **more)
    accepted = await inspector.open()
    await inspector.until(lambda: inspector.close_code is not None, "the end")
    return not accepted and not inspector.got


def test_named_tokens_are_taken_and_named_in_the_welcome(monkeypatch, control_file):
    (ann, ann_hash), (ci, ci_hash) = staging.make_token(), staging.make_token()
    block = {
        "tokens": {"ann": {"hash": ann_hash, "writes": True, "expires": "2999-01-01"}, "ci": ci_hash},
        "control_file": control_file,
    }

    async def check():
        for token, name, allowed in ((ann, "ann", True), (ci, "ci", False)):
            inspector = await Inspector(token).attach()
            given = inspector.welcome["access"]
            assert (given["token"], given["writes"], given["writes_allowed"]) == (name, allowed, allowed)
            await inspector.close()
        assert await refused(staging.make_token()[0])

    with staging.settings(monkeypatch, block):
        run(check())


def test_no_token_without_debug_means_no_endpoint(monkeypatch):
    with staging.settings(monkeypatch, {}):
        assert not access.exists()
    with staging.settings(monkeypatch, {"enabled": False, "token": "x" * 43}):
        assert not access.exists()
    with staging.settings(monkeypatch, {"token": "x" * 43}):
        assert access.exists()


def test_wrong_tokens_are_refused(monkeypatch, control_file):
    token, hashed = staging.make_token()
    swapped = token[:10] + token[10:].swapcase()
    short = "short"
    import hashlib

    block = {
        "tokens": {"ann": hashed, "weak": "sha256:" + hashlib.sha256(short.encode()).hexdigest()},
        "control_file": control_file,
    }

    async def check():
        wrong = [None, "", " ", swapped, token.upper(), token[:-1], token + "x", token * 200, hashed, hashed[7:], short]
        for each in wrong:
            assert await refused(each), each
        assert await refused(token, origin=b"null")
        with_two = Inspector(token)
        with_two.scope["headers"].append((b"authorization", b"Bearer " + token.encode()))
        assert await with_two.open() is False
        lower = Inspector(None)
        lower.scope["headers"].append((b"authorization", b"bEaReR  " + token.encode()))
        assert await lower.open() is True
        await lower.close()

    with staging.settings(monkeypatch, block):
        run(check())


def test_expired_and_later_expiring_tokens(monkeypatch, control_file, quick):
    (old, old_hash), (soon, soon_hash) = staging.make_token(), staging.make_token()
    now = time.time()
    block = {
        "tokens": {
            "old": {"hash": old_hash, "expires": datetime.datetime.fromtimestamp(now - 1, datetime.timezone.utc)},
            "soon": {"hash": soon_hash, "expires": datetime.datetime.fromtimestamp(now + 3600, datetime.timezone.utc)},
        },
        "control_file": control_file,
    }

    async def check():
        with staging.log_of() as lines:
            assert await refused(old)
            assert any("old has expired" in line for line in lines)
        inspector = await Inspector(soon).attach()
        monkeypatch.setattr(access.time, "time", lambda: now + 3601)
        await inspector.until(lambda: inspector.frames("refused"), "the end of the attachment")
        assert inspector.frames("refused")[0]["code"] == "expired"
        await inspector.until(lambda: inspector.close_code is not None)
        monkeypatch.undo()

    with staging.settings(monkeypatch, block):
        run(check())


def test_revoked_token_is_refused_and_its_attachments_end(monkeypatch, control_file, quick):
    (ann, ann_hash), (bob, bob_hash) = staging.make_token(), staging.make_token()
    block = {"tokens": {"ann": ann_hash, "bob": bob_hash}, "control_file": control_file}

    async def check():
        one, other = await Inspector(ann).attach(), await Inspector(bob).attach()
        assert "ann is revoked" in manage("revoke", "ann")
        await one.until(lambda: one.frames("refused"), "the end of the attachment")
        assert one.frames("refused")[0]["code"] == "revoked"
        await one.until(lambda: one.close_code is not None)
        assert await refused(ann)
        assert other.close_code is None
        await other.close()
        shown = manage("status")
        assert "ann: revoked" in shown and "bob: valid, read-only" in shown
        with pytest.raises(Exception, match="no token named zoe"):
            manage("revoke", "zoe")

    with staging.settings(monkeypatch, block):
        run(check())
        # A new token under the old name is another token.
        fresh, fresh_hash = staging.make_token()
    with staging.settings(monkeypatch, {**block, "tokens": {"ann": fresh_hash}}):
        assert access.fault(access.find(fresh)) is None


def test_token_that_left_the_settings_ends_its_attachment(monkeypatch, control_file, quick):
    token, hashed = staging.make_token()
    block = {"tokens": {"ann": hashed}, "control_file": control_file}

    async def check():
        with staging.settings(monkeypatch, block):
            inspector = await Inspector(token).attach()
        with staging.settings(monkeypatch, {**block, "tokens": {}}):
            await inspector.until(lambda: inspector.close_code is not None, "the end")
            assert inspector.frames("refused")[0]["code"] == "revoked"

    run(check())


def test_off_switch_at_run_time_ends_attachments_and_recording(monkeypatch, control_file, quick):
    token, hashed = staging.make_token()

    async def check():
        inspector = await Inspector(token).attach()
        assert hub.ACTIVE
        manage("off")
        await inspector.until(lambda: inspector.close_code is not None, "the end")
        assert inspector.frames("refused")[0]["code"] == "off"
        await inspector.task
        assert not hub.ACTIVE
        assert await refused(token)
        manage("on")
        again = await Inspector(token).attach()
        await again.close()

    with staging.settings(monkeypatch, {"tokens": {"ann": hashed}, "control_file": control_file}):
        run(check())


def test_control_file_that_cannot_be_read_lets_nobody_in(monkeypatch, control_file):
    token, hashed = staging.make_token()
    with staging.settings(monkeypatch, {"tokens": {"ann": hashed}, "control_file": control_file}):
        grant = access.find(token)
        assert access.fault(grant) is None
        for content in ("", "{", "[]", '{"off": false}', '{"revoked": []}', '{"off": 0, "revoked": []}'):
            with open(control_file, "w") as file:
                file.write(content)
            assert access.fault(grant)[0] == "off", content
        with open(control_file, "w") as file:
            file.write("{")
        with pytest.raises(Exception, match="cannot be used"):
            manage("revoke", "ann")
        assert any("control file cannot be read" in error for error in guard.errors)
        guard.errors.clear()
        os.unlink(control_file)
        control.change(off=False)
        assert access.fault(grant) is None


def test_reading_token_reads_and_changes_nothing(monkeypatch, control_file):
    token, hashed = staging.make_token()

    async def check():
        inspector = await Inspector(token).attach()
        page = await Page().mount(COUNTER, "/counter/")
        await page.event("increment")
        step = await inspector.step(name="increment")
        session = page.id
        assert inspector.states(session)[step["key"]][1]["count"] == 1
        commands = {
            "jump": {"set": {"count": 50}},
            "replay": {"event": "increment", "params": {}},
            "dispatch": {"event": "increment", "params": {}},
            "ticks": {"paused": True},
            "lift_cooldown": {},
            "anything else": {},
        }
        for do, fields in commands.items():
            answer = await inspector.command(do, session=session, view=None, **fields)
            assert answer["ok"] is False and answer["error"]["code"] == "read_only", answer
        for do in ([], {}, None, 5):
            assert (await inspector.command(do, session=session))["error"]["code"] == "read_only"
        for do in ("config", "sync"):
            assert (await inspector.command(do))["ok"] is True
        await page.event("increment")
        assert inspector.states(session)[(await inspector.step(2, name="increment"))["key"]][1]["count"] == 2
        await page.close()
        await inspector.close()

    with staging.settings(monkeypatch, {"tokens": {"ann": hashed}, "control_file": control_file}):
        run(check())


def test_writing_needs_the_server_and_the_attachment(monkeypatch, control_file):
    token, hashed = staging.make_token()
    block = {"tokens": {"ann": {"hash": hashed, "writes": True}}, "control_file": control_file}

    async def check():
        page = await Page().mount(COUNTER, "/counter/")
        for asked, code in ((None, "read_only"), (False, "read_only"), (1, "read_only"), ("true", "read_only"), (True, None)):
            inspector = await Inspector(token).attach(writes=asked)
            assert inspector.welcome["access"]["writes"] is (code is None)
            answer = await inspector.command("jump", session=page.id, view=None, set={"count": 5})
            assert (answer["error"]["code"] if code else None) == code and answer["ok"] is (code is None)
            await inspector.close()
        await page.close()

    with staging.settings(monkeypatch, block):
        run(check())


@pytest.mark.parametrize(
    ("debug", "block", "environment", "expected"),
    [
        (True, {}, {}, True),
        (False, {"token": "y" * 43}, {}, False),
        (False, {"token": "y" * 43, "writes": True}, {}, True),
        (False, {}, {"DJUST_INSPECTOR_TOKEN": "z" * 43}, False),
        (False, {}, {"DJUST_INSPECTOR_TOKEN": "z" * 43, "DJUST_INSPECTOR_WRITES": "1"}, True),
        (False, {}, {"DJUST_INSPECTOR_TOKEN": "z" * 43, "DJUST_INSPECTOR_RUN": "r"}, True),
    ],
)
def test_plain_token_writes_in_development_or_when_told(monkeypatch, debug, block, environment, expected):
    with staging.settings(monkeypatch, block, debug):
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        assert [grant.writes for grant in access.grants()] == [expected]


def test_log_names_who_came_and_what_they_did_and_nothing_else(monkeypatch, control_file):
    token, hashed = staging.make_token()
    block = {"tokens": {"ann": {"hash": hashed, "writes": True}}, "control_file": control_file}

    async def check(lines):
        await refused("a wrong token")
        inspector = await Inspector(token).attach()
        page = await Page().mount(COUNTER, "/counter/")
        await inspector.command("jump", session=page.id, view=None, set={"label": "the state"})
        await inspector.command(
            "dispatch", session=page.id, view=None, event="set_label", params={"label": "the parameter"}
        )
        await inspector.command("dispatch", session="x\nforged line", view=None, event="a\x1b[31mb")
        await page.close()
        await inspector.close()
        reader = await Inspector(token).attach(writes=False)
        await reader.command("dispatch", session=page.id, view=None, event="increment")
        await reader.close()
        text = "\n".join(lines)
        for expected in (
            "refused an inspector from 127.0.0.1: a wrong token",
            "attached: ann from 127.0.0.1, may write",
            f"command of ann: jump on page {page.id}",
            f"command of ann: dispatch set_label on page {page.id}",
            "command of ann: dispatch (odd name) on page (odd name)",
            "detached: ann from 127.0.0.1",
            "attached: ann from 127.0.0.1, read-only",
            f"refused command of ann, which is read-only: dispatch increment on page {page.id}",
        ):
            assert expected in lines, (expected, text)
        for secret in (token, hashed, hashed[7:], "the state", "the parameter", "forged", "\x1b"):
            assert secret not in text
        # Who looks is no news of the project.
        assert not [f for f in inspector.got if "attached: ann" in json.dumps(f)]

    with staging.settings(monkeypatch, block), staging.log_of() as lines:
        run(check(lines))


def test_token_in_the_address_is_told_to_its_holder_only(monkeypatch, control_file):
    token, hashed = staging.make_token()

    async def check():
        for given, query, told in (
            (None, f"&token={token}", True),
            (token, f"&token={token}", True),
            (token, "&token=something", True),
            (None, f"&x={token}", True),
            (None, "&token=something", False),
            (None, "&access_token=" + "a" * 43, False),
            ("wrong", "&authorization=x", False),
            (token, "&" + "x" * 5000, False if token is None else True),
        ):
            inspector = Inspector(given, query="?djust_inspector=1" + query)
            assert await inspector.open() is told, query
            await inspector.until(lambda: inspector.close_code is not None)
            if told:
                assert inspector.got[0]["t"] == "refused" and "Authorization header" in inspector.got[0]["message"]
                assert token not in json.dumps(inspector.got)
            else:
                assert not inspector.got

    with staging.settings(monkeypatch, {"tokens": {"ann": hashed}, "control_file": control_file}):
        with staging.log_of() as lines:
            run(check())
        assert any("ann now stands in logs, revoke it" in line for line in lines)
        assert token not in "\n".join(lines)


@pytest.mark.parametrize(
    ("block", "problem"),
    [
        ("text", "no dict"),
        ({"tokenz": {}}, "no key 'tokenz'"),
        ({"tokens": []}, "is a list"),
        ({"tokens": {"ann": "deadbeef"}}, "hash is not sha256"),
        ({"tokens": {"ann": {"hash": "sha256:" + "A" * 64}}}, "hash is not sha256"),
        ({"tokens": {"ann": {"hash": "sha256:" + "a" * 64, "expires": "soon"}}}, "expires is no date"),
        ({"tokens": {"ann": {"hash": "sha256:" + "a" * 64, "expires": 5}}}, "expires is neither"),
        ({"tokens": {"ann": {"hash": "sha256:" + "a" * 64, "writes": 1}}}, "writes is neither"),
        ({"tokens": {"ann": {"hash": "sha256:" + "a" * 64, "expire": None}}}, "no key 'expire'"),
        ({"tokens": {"a\nb": "sha256:" + "a" * 64}}, "name is not taken"),
        ({"tokens": {"settings": "sha256:" + "a" * 64}}, "name is not taken"),
    ],
)
def test_settings_that_are_not_understood_open_nothing_and_are_told(block, problem):
    found = options.read(block, debug=False)
    assert not found.tokens and len(found.problems) == 1 and problem in found.problems[0]


@pytest.mark.parametrize(
    "record",
    [[], {"share": 2}, {"share": "all"}, {"cpu": -1}, {"memory_mb": "x"}, {"users": "ann"}, {"paths": [1]}, {"path": []}],
)
def test_sampling_that_is_not_understood_records_nothing(record):
    found = options.read({"record": record}, debug=True)
    assert found.record.share == 0.0 and found.problems


def test_inspector_is_told_of_odd_settings_and_of_a_short_token(monkeypatch):
    async def check():
        inspector = await Inspector("short").attach()
        advice = {a["code"]: a["message"] for a in inspector.welcome["server"]["advice"]}
        assert "no key 'tokenz'" in advice["settings"] and "shorter than" in advice["weak_token"]
        assert "short" not in advice["settings"]
        await inspector.close()

    with staging.settings(monkeypatch, {"token": "short", "tokenz": {}}):
        run(check())


def test_expiry_is_read_as_utc():
    def moment(value):
        block = {"tokens": {"ann": {"hash": "sha256:" + "a" * 64, "expires": value}}}
        return options.read(block, False).tokens[0].expires

    noon = datetime.datetime(2027, 1, 31, 12, tzinfo=datetime.timezone.utc).timestamp()
    assert moment("2027-01-31T12:00:00Z") == moment("2027-01-31T12:00:00") == moment("2027-01-31T13:00:00+01:00") == noon
    assert moment("2027-01-31") == moment(datetime.date(2027, 1, 31)) == noon - 12 * 3600
    assert moment(None) is None


def test_origin_is_that_of_a_served_host():
    for origin, expected in {
        "http://localhost:8000": True,
        "https://localhost": True,
        "http://127.0.0.1:1": True,
        "null": False,
        "": False,
        "localhost": False,
        "http://": False,
        "http://localhost/": False,
        "http://localhost/path": False,
        "http://localhost@evil.example": False,
        "http://evil.example#localhost": False,
        "http://evil.example\\@localhost": False,
        "http://localhost.evil.example": False,
        "http://localhost:port": False,
        "http://localhost:80:80": False,
        "http://[::1": False,
        "http://local host": False,
        "http://localhost\r\nX: y": False,
        "file://localhost": False,
        "chrome-extension://localhost": False,
        "https://evil.example": False,
    }.items():
        assert access.origin_allowed(origin) is expected, origin
