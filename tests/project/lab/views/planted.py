"""A page with a secret on each way by which one could leave the process; they are listed in ``planted.json``."""

import base64
import collections
import dataclasses
import decimal
import enum
import html
import json
import logging
import pathlib
import urllib.parse
import uuid

from django.db import connection
from djust import LiveView
from djust.decorators import event_handler

SECRETS = json.loads((pathlib.Path(__file__).resolve().parent.parent / "planted.json").read_text("utf-8"))["secrets"]
REPR = "Python's repr of a secret"
Login = collections.namedtuple("Login", "user token")


@dataclasses.dataclass
class Account:
    """Its field has a secret's name."""

    owner: str
    secret: str


class Text(str):
    """A text of another type."""


class PlantedView(LiveView):
    """Nothing of ``planted.json`` may be seen by an inspector."""

    template_name = "lab/planted.html"
    login_required = False
    time_travel_enabled = True

    def mount(self, request, **kwargs):
        s = SECRETS
        self.clicks = 0
        self.visible = "visible-text"
        self.is_open = False
        self._names(s)
        self._copies(s)
        self._texts(s)
        # What the page shows in fields and attributes of a secret's name.
        self.typed = s["password input with another assign's value"]
        self.draft = s["textarea of a secret's name"]
        self.mark = s["attribute of a secret's name"]
        self.meta = s["meta of a secret's name"]
        self.form = s["hidden input"]
        self.attr_json = json.dumps({"X-CSRFToken": s["JSON in an attribute"]})
        self.model = s["model of an input"]
        self.link = f"/reset/MQ/{s['link in the page']}/"
        self.shown = f"pwd={s['text of the page']}"
        self.extra = ""
        self.later = ""
        self.became = ""

    def _names(self, s):
        """Under a secret's name, in containers of each kind."""
        self.password = s["state name"]
        self.rows = [{"deep": {"api_key": s["state nested name"], "ok": "visible-text"}}]
        self.login = Login("visible-user", s["state namedtuple"])
        self.account = Account("visible-owner", s["state dataclass"])
        self.odd = {1: "visible-text", "password": s["state dict with odd keys"]}
        self.header = (b"authorization", f"Token {s['state header pair']}".encode())
        self.queue = collections.deque([{"pwd": s["state in a deque"]}])

    def _copies(self, s):
        """What is hidden under one name, under another: in other types and encodings."""
        hidden = dict(self.vault) if hasattr(self, "vault") else {}

        def hide(way, value=None):
            hidden[f"token_{len(hidden)}"] = s[way] if value is None else value
            return s[way]

        self.a_set = {hide("state copy in a set")}
        self.a_uuid = uuid.UUID(hide("state copy as UUID"))
        bare = uuid.UUID(s["state UUID copied without dashes"])
        hide("state UUID copied without dashes", str(bare))
        self.a_bare_uuid = bare.hex
        self.a_uuid_text = s["state UUID hidden copied as text"]
        hide("state UUID hidden copied as text", uuid.UUID(self.a_uuid_text))
        self.a_decimal = decimal.Decimal(hide("state copy as Decimal"))
        self.an_int = int(hide("state copy as int"))
        self.a_float = float(hide("state copy as float"))
        self.card_decimal = decimal.Decimal(s["card as Decimal"])
        self.card_float = float(s["card as float"])
        self.card_int = int(s["card as int"])
        self.card_text = f"paid 2 {s['card after a number']} today"
        self.cards = f"4222222222222 {s['card in a list of cards']} 6011111111111117"
        self.a_bytes = hide("bytes of a non-ASCII secret").encode()
        self.a_long_bytes = b"x" * 4090 + hide("bytes of a secret at the end of what is shown").encode() + b"y" * 100
        self.a_base64 = base64.b64encode(hide("base64 of a secret").encode() + b" and more").decode()
        self.a_base64_on = base64.b64encode(b"1" + hide("base64 one byte on").encode() + b" and more").decode()
        self.a_base64_on_on = "data:text/plain;base64," + base64.b64encode(b"12" + hide("base64 two bytes on").encode()).decode()
        self.a_hex = "0x" + hide("hex of a secret").encode().hex() + "00"
        self.a_capital_hex = hide("capital hex of a secret").encode().hex().upper()
        self.a_percent = "next=" + urllib.parse.quote(hide("percent escapes of a secret"), safe="")
        self.a_json = "said " + json.dumps(hide("JSON escapes of a secret"))
        self.a_repr = f"it was {hide(REPR)!r}"
        self.a_markup = "<b>" + html.escape(hide("HTML escapes of a secret")) + "</b>"
        self.a_key = {hide("key of a dict"): "visible-text"}
        self.a_path = pathlib.PurePosixPath("/srv") / hide("path of files") / "x"
        self.an_enum = enum.Enum("Kind", {"ONE": hide("value of an enum")}).ONE
        self.a_subclass = Text(hide("subclass of str"))
        raw = b"\xff\xfe" + s["bytes that are no text"].encode()
        hide("bytes that are no text", raw)
        self.a_raw = b"begin " + raw + b" end"
        self.parts = [{"state": {"note": hide("object of a component")}}]
        self.vault = hidden

    def _texts(self, s):
        """Texts that name a secret."""
        self.texts = [
            f"said pwd={s['text pwd=']} there",
            f"the passphrase: {s['text passphrase:']}",
            f"access_key={s['text access_key=']}",
            f"private_key={s['text private_key=']}",
            f"Cookie: theme=dark; sid={s['text cookie:']}",
            f"iban={s['text iban=']}",
            f"Authorization: Token {s['text Authorization: Token']}",
            json.dumps({"api_key": s["text with JSON"], "n": 1}),
            json.dumps({"body": json.dumps({"token": s["text with JSON in JSON"]})}),
            f"https://example.org/x?a=1&token={s['query of an address']}",
            f"https://example.org/reset/MQ/{s['step of an address']}/",
            f"https://example.org/done#access_token={s['fragment of an address']}&n=1",
            f"postgres://shop:{s['credentials of an address']}@db/shop",
            f"user=visible-user&password={s['form body']}",
            f"x {s['looks: JWT']} y",
            f"id {s['looks: AWS']}",
            f"Bearer {s['looks: bearer']}9",
            f"-----BEGIN PRIVATE KEY-----\n{s['looks: private key']}\n-----END PRIVATE KEY-----",
        ]

    @event_handler()
    def leak(self, password: str = "", **kwargs):
        """Change what the page shows, and log, query and push secrets."""
        s = SECRETS
        self.clicks += 1
        self.mark = s["patch of an attribute"]
        self.draft = s["patch of a text"]
        self.extra = s["patch with a new field"]
        self.typed = s["patch of a password input"]
        self.is_open = True
        # Not in the first state: djust writes that into the Django session, as JSON.
        self.byte_keys = {b"cookie": s["state bytes key"].encode()}
        self.became = password and f"it became {password}"
        log = logging.getLogger("lab")
        log.warning("login with pwd=%s failed", s["log pwd="])
        log.warning("Cookie: theme=dark; sid=%s", s["log cookies"])
        log.warning("Authorization: Token %s", s["log authorization"])
        log.warning("passphrase: %s", s["log passphrase with spaces"])
        log.warning("settings %s", {"password": s["log of a dict"], "n": 1})
        log.warning("headers %s", [(b"authorization", b"Token " + s["log of headers"].encode())])
        try:
            raise LookupError(f"no user with token={s['traceback in a log']}")
        except LookupError:
            log.exception("lookup")
        log.warning("secret=%s", s["state after a log named it"])
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT 1 AS password WHERE '{s['literal of a query']}' <> %s", [s["parameter of a query"]])
        self.later = f"seen {s['state after a log named it']} again"
        self.push_event("told", {"token": s["pushed event"], "ok": "visible-text"})

    @event_handler()
    def take(self, **kwargs):
        """Take whatever is sent."""
        self.clicks += 1

    @event_handler()
    def boom(self, **kwargs):
        """Raise with a secret in the message."""
        raise ValueError(f"cannot log in: password={SECRETS['message of an error']}")
