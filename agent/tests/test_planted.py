"""Secrets that are planted on every way into a real page: none is in any byte that leaves the process.

``tests/project/lab/planted.json`` lists them by their ways; ``lab.views.planted`` plants those that a page holds, and
this sends those that a browser would. What is searched is what the socket carried, in every encoding of a secret.
"""

import base64
import html
import json
import logging
import re
import urllib.parse

import pytest
from djust_inspector import hidden, markup, patterns, redact, sessions
from djust_inspector.hidden import Known
from djust_inspector.walker import Walker
from harness import Inspector, Page, run
from lab.views.planted import SECRETS

#: No search without redaction finds these: of a binary frame nothing is told.
NOT_TOLD = {"binary frame"}


def encodings(secret):
    """How a secret may stand in what left, for who looks with other eyes than the agent's."""
    data = secret.encode()
    texts = {secret, html.escape(secret), html.escape(secret, quote=False), repr(secret)[1:-1], repr(data)[2:-1]}
    for text in list(texts):
        for ascii_only in (True, False):
            once = json.dumps(text, ensure_ascii=ascii_only)[1:-1]
            texts |= {once, json.dumps(once, ensure_ascii=ascii_only)[1:-1]}
    percent = urllib.parse.quote(data, safe="")
    texts |= {percent, percent.lower(), urllib.parse.quote_plus(data), data.hex(), data.hex().upper()}
    if re.fullmatch(r"[0-9a-f-]{32,36}", secret):
        texts |= {secret.replace("-", ""), str(__import__("uuid").UUID(secret.replace("-", "")))}
    if re.fullmatch(r"[0-9 ]+", secret):
        texts.add(secret.replace(" ", ""))
    for shift in range(3):
        code = base64.b64encode(b"\0" * shift + data).decode()
        code = code[(0, 2, 3)[shift] : (shift + len(data)) * 8 // 6]
        texts |= {code, code.replace("+", "-").replace("/", "_")}
    return {text for text in texts if len(text) >= 6}


def found_in(text):
    """The ways whose secrets are in a text, each with what stands around it."""
    out = {}
    for way, secret in SECRETS.items():
        for each in encodings(secret):
            at = text.find(each)
            if at >= 0:
                out[way] = text[max(0, at - 80) : at + len(each) + 20]
                break
    return out


class Listener(Inspector):
    """Keeps every byte of what it is sent, too."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.bytes = []

    async def _send(self, message):
        self.bytes.append(message.get("text") or (message.get("bytes") or b"").decode("latin-1"))
        await super()._send(message)


async def drive(inspector):
    """A page that holds, shows, logs, sends and is sent all of them."""
    s = SECRETS
    page = Page()
    page.scope["headers"] += [
        (b"cookie", f"theme=dark; sessionid={s['cookie of the request']}".encode()),
        (b"authorization", f"Token {s['authorization of the request']}".encode()),
    ]
    await page.mount("lab.views.planted.PlantedView", f"/planted/?token={s['query of the mount']}")
    view = sessions.SESSIONS[page.id].root
    view.echo = f"came with {s['cookie of the request']} and {s['authorization of the request']}"
    await page.event("take", password=s["parameter"], note=f"typed {s['parameter']}")
    await page.event("take", field="form1", name="password", value=s["field and name beside the value"])
    await page.event("take", fields=[{"name": "user", "value": "visible-user"}, {"name": "api_key", "value": s["list of fields"]}])
    await page.event("take", headers=[["X-Api-Key", s["headers in parameters"]], ["Accept", "visible-text"]])
    await page.event("leak", password=s["parameter that becomes state"])
    await page.event("take")
    await page.event("boom")
    await page.event("no_such_handler", pwd=s["event that is refused"])
    uri = f"/planted/{s['step of navigation']}/?token={s['query of navigation']}"
    await page.send({"type": "url_change", "params": {"token": s["parameter of navigation"]}, "uri": uri})
    await page.to_app.put({"type": "websocket.receive", "bytes": b"\x82\xa8password\xb0" + s["binary frame"].encode()})
    await page.send({"type": "no_such_type", "authorization": s["unknown message"], "ok": 1})
    await page.send({"type": "no_such_type", "name": "api_key", "value": s["message with a field's name"]})
    await page.send(f"password={s['frame that is no JSON']}")
    await page.event("take")
    logging.getLogger("lab").warning("between steps, pwd=%s", s["log outside of a step"])
    await inspector.step(name="boom")
    await inspector.until(lambda: "visible-text" in "".join(inspector.bytes), "what is no secret")
    await page.close()
    await inspector.step(kind="close")


async def all_that_leaves():
    """What two inspectors get: one that is there from the beginning, and one that comes in between and asks."""
    first = await Listener().attach()
    await drive(first)
    page = await Page().mount("lab.views.planted.PlantedView", f"/planted/?token={SECRETS['query of the mount']}")
    await page.event("leak", password=SECRETS["parameter that becomes state"])
    late = await Listener().attach()
    assert (await late.command("ring", session=page.id, view=None))["ok"]
    for command in ("sync", "config"):
        assert (await late.command(command))["ok"]
    await late.command("jump", session=page.id, view=None, set={"clicks": 7, "draft": SECRETS["textarea of a secret's name"]})
    await late.step(kind="jump")
    kinds = {frame["t"] for frame in first.got + late.got}
    frames = [f for s in first.steps() + late.steps() for f in s["frames"]]
    for each in (first, late):
        await each.close()
    await page.close()
    return ["".join(first.bytes), "".join(late.bytes)], kinds, frames


def test_corpus_is_what_it_is_said_to_be():
    assert len(SECRETS) >= 60 and len(set(SECRETS.values())) == len(SECRETS)
    for way, secret in SECRETS.items():
        assert way in found_in(f"x {secret} y"), way
        assert way in found_in(json.dumps(f"x {secret} y")), way
        assert way in found_in(base64.b64encode(f"x{secret}y".encode()).decode()), way


def test_no_planted_secret_leaves_the_process(caplog):
    caplog.set_level(logging.DEBUG)

    async def check():
        texts, kinds, frames = await all_that_leaves()
        for text in texts:
            assert found_in(text) == {}
            # Two levels of JSON's escapes less.
            assert found_in(text.replace("\\\\", "\\").replace('\\"', '"')) == {}
        assert {"welcome", "session", "state", "step", "answer", "synced", "config", "rate", "log"} <= kinds
        sent = {frame["dir"] for frame in frames}, {kind for f in frames for kind in re.findall(r'"type":\s?"(\w+)"', f["text"])}
        assert sent[0] == {"in", "out"} and {"mount", "event", "patch", "push_event", "error", "url_change", "no_such_type", "SetAttr"} <= sent[1]
        assert any("binary" in frame["text"] for frame in frames)
        # What is no secret is there, beside each of them.
        for visible in ("visible-text", "visible-user", "visible-owner", "no_such_type"):
            assert visible in texts[0], visible

    run(check())
    agents = [r.getMessage() + str(r.exc_text) for r in caplog.records if r.name.startswith("djust_inspector")]
    assert found_in("\n".join(agents)) == {}


def test_without_redaction_every_way_is_found(monkeypatch):
    """The test above can fail, for each of them: they are planted where they would leave."""
    monkeypatch.setattr(patterns, "spans", lambda text, emails: [])
    monkeypatch.setattr(markup, "named", lambda text, hints, free: [])
    monkeypatch.setattr(redact, "sensitive", lambda name: False)
    monkeypatch.setattr(redact, "describes_secret", lambda value, extra=frozenset(): False)
    monkeypatch.setattr(redact, "is_pair", lambda name, value: False)
    monkeypatch.setattr(redact, "_without_steps", lambda path, known: path)
    monkeypatch.setattr(redact, "learn_headers", lambda headers, known: None)
    monkeypatch.setattr(Walker, "hides", lambda *_: False)
    monkeypatch.setattr(Known, "learn", lambda *_: None)

    async def check():
        texts, _, _ = await all_that_leaves()
        assert set(SECRETS) - set(found_in("".join(texts))) == NOT_TOLD

    run(check())


@pytest.mark.parametrize("way", ["text", "repr", "bytes", "base64", "hex", "percent", "json", "html"])
def test_known_secret_is_hidden_in_every_encoding(way):
    known = Known()
    secrets_ = ["s3cret-é<&>\"'/+ x", "plain-4-secret", "7a1c0f52-93be-4d6a-8e21-5b0c9d3f7e64", "ab-123"]
    known.learn(secrets_)
    known.learn([f"other-{n}-one" for n in range(50)])  # so that they are searched for together
    for secret in secrets_:
        data = secret.encode()
        spelled = {
            "text": [secret], "repr": [repr(secret), ascii(secret), repr(data)], "bytes": [data.decode("latin-1").encode("latin-1").decode()],
            "base64": [base64.b64encode(b"x" * n + data + b"yz").decode() for n in range(7)]
            + [base64.urlsafe_b64encode(b"x" * n + data + b"yz").decode() for n in range(7)],
            "hex": [data.hex(), data.hex().upper()], "percent": [urllib.parse.quote(data, safe=""), urllib.parse.quote(data).lower(), urllib.parse.quote_plus(data)],
            "json": [json.dumps(secret), json.dumps(json.dumps(secret))], "html": [html.escape(secret), html.escape(secret, quote=False)],
        }[way]  # fmt: skip
        for text in spelled:
            for before in range(4):  # wherever in the text's blocks
                shown = known.hide("é" * before + "x" * before + text + " and more")
                assert hidden.mark(secret) in shown, (text, shown)
                assert shown.endswith(" and more") or way == "base64"
