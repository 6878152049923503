"""A view with a secret on every way by which something leaves the process."""

import dataclasses
import decimal
import logging
import uuid

from django.db import connection
from djust import LiveView
from djust.decorators import event_handler

#: What must never leave: by name, by the project's exclusions, by place, by type, and by how it looks.
BY_NAME = "hunter2-of-the-state"
EXCLUDED = "excluded-note-77"
SCRUBBED = "scrubbed-note-88"
BY_SETTING = "in-house-code-99"
AT_PLACE = "placed-phone-555-11"
OF_TYPE = "typed-envelope-66"
CARD = "4111 1111 1111 1111"
CARD_NUMBER = 5555555555554444
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P"
AWS = "AKIAIOSFODNN7EXAMPLE"
STRIPE = "sk_live_" + "4eC39HqLyjWDarjtT1zdp7dc"
PRIVATE = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEA\n-----END PRIVATE KEY-----"
IN_URL = "p4ss-in-url"
EMAIL = "ann.onym@mail.example.org"
QUOTED = 'say "hush" <now> & then'
TYPED_IN = "typed-in-pass-1"


@dataclasses.dataclass
class Envelope:
    """Hidden by its class."""

    content: str


class SecretView(LiveView):
    """Holds secrets at several depths, and shows, logs, queries and raises them."""

    template = """<div>
      <p>{{ shown }}</p><p>{{ note }}</p><p>{{ code }}</p><p>{{ card }}</p><p>{{ jwt }}</p><p>{{ quoted_secret }}</p>
      <p data-api-key="{{ shown }}">{{ owner.phone }}</p><p>{{ count }} {{ mail }} {{ opened }}</p>
      <input type="password" name="password" value="{{ shown }}">
    </div>"""
    login_required = False
    time_travel_enabled = True
    time_travel_excluded_fields = ["note"]

    def mount(self, request, **kwargs):
        self.count = 0
        self.aaa_before = f"the word is {BY_NAME}"  # comes before the assign whose name makes it a secret
        self.password = BY_NAME
        self.shown = BY_NAME
        self.note = EXCLUDED
        self.rows = [{"deep": [{"note": EXCLUDED, "scrub_me": SCRUBBED, "house_code": BY_SETTING, "ok": "visible-text"}]}]
        self.scrubbed_again = SCRUBBED
        self.code = BY_SETTING
        self.owner = {"phone": AT_PLACE, "name": "visible-name"}
        self.people = [{"contact": {"phone": AT_PLACE}}]
        self.envelope = Envelope(OF_TYPE)
        self.opened = OF_TYPE
        self.card = CARD
        self.numbers = [1, CARD_NUMBER, decimal.Decimal("1.5"), uuid.UUID(int=7)]
        self.jwt = JWT
        self.keys = {"aws": AWS, "list": (STRIPE,), JWT: 1}
        self.pem = PRIVATE
        self.blob = JWT.encode()
        self.dsn = f"postgres://shop:{IN_URL}@db/shop"
        self.mail = EMAIL
        self.quoted_secret = QUOTED
        self.session_key = QUOTED

    @event_handler()
    def leak(self, text: str = "", password: str = "", **kwargs):
        """Let them out on each way."""
        self.count += 1
        self.said = f"you said {password} and {text}"
        log = logging.getLogger("lab")
        log.warning("card %s, jwt %s, note %s, code %s", CARD, JWT, self.note, BY_SETTING)
        log.warning("Authorization: Bearer %s; password=%s", STRIPE, password)
        with connection.cursor() as cursor:
            cursor.execute("SELECT %s, %s, %s", [JWT, self.note, AT_PLACE])
            cursor.execute(f"SELECT '{AWS}', '{EXCLUDED}'")
            cursor.execute("SELECT 1 AS password WHERE 'literal-of-query' <> %s", ["short"])
        self.push_event("told", {"to": BY_NAME, "card": CARD, "token": "pushed-token-1"})

    @event_handler()
    def boom(self, **kwargs):
        """Raise with secrets in the message."""
        raise ValueError(f"bad card {CARD} of {self.note}, key {AWS}, {BY_NAME}")


ALL = [
    BY_NAME, EXCLUDED, SCRUBBED, BY_SETTING, AT_PLACE, OF_TYPE, CARD, CARD.replace(" ", ""), str(CARD_NUMBER), JWT, AWS,
    STRIPE, IN_URL, EMAIL, TYPED_IN, "pushed-token-1", "literal-of-query", "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEA",
    "say \"hush\"", "say \\\"hush\\\"", "say &quot;hush", "&lt;now&gt;", "hush",
]  # fmt: skip
