"""Texts that are made to cost time: every combination of what the patterns know, and a search for worse ones."""

import itertools
import random
import time

from djust_inspector import markup, names, patterns, redact, secret_names
from djust_inspector.hidden import MAX_KNOWN, Known

WORDS = sorted({*names.HINTS, *(word for pair in secret_names.PAIRS.split() for word in pair.split("_"))})
#: One of each sort, as all words go through the same code.
SOME_WORDS = ["token", "password", "cookie", "authorization", "passphrase", "api_key", "jwt"]
SIGNS = ["=", ":", "=>", "%3D", "\\u003a", " ", "\n", ",", ";", "&", "-", "_", ".", "/", "?", "#", "a", "A", "0", "é", "\u0130"]
QUOTES = ['"', "'", '\\"', "\\\\\\\"", "`", "&quot;", "&#39;", "%22", "\\u0022", "\\"]
BRACES = ["{", "}", "[", "]", "(", ")", "<", ">", "</", "<!--", '["', "('", "(b'"]
TAGS = [
    "<input", "<input name=password", '<input type="password" value="', "<a x", "<textarea name=api_key>", "</textarea", "<script", "</script",
    "<script ", "</script ", "<link", "<link rel=stylesheet href=", "name=", "value=", ' value="', " name='token' ",
]  # fmt: skip
LOOKS = [
    "-----BEGIN PRIVATE KEY-----", "-----END PRIVATE KEY-----", "-----BEGIN ", "-----END ", "eyJ", "eyJaaaaa.", "AKIA", "ghp_", "xoxb-", "sk-",
    "sk_live_", "bearer ", "Bearer", "basic ", "://", "a://", "://a:", "@", "a@", "@a.", "4", "4111 ", "4111-", "411111111111", "/", "/a1",
    "[redacted:", "[redacted:0123456789]", '{"$t":"redacted"', "basic bmFtZTp3b3Jk ", "abcdefgh01234567", "''", "'", "SELECT", "base64,",
]  # fmt: skip
PIECES = [*SOME_WORDS, *SIGNS, *QUOTES, *BRACES, *TAGS, *LOOKS]


def shapes():
    """(name, text of about so many characters) for every piece, every two, and a word, a sign and a quote in a row."""
    for piece in PIECES:
        yield (piece,)
    yield from itertools.product(PIECES, repeat=2)
    yield from itertools.product(SOME_WORDS[:3], SIGNS[:5], [*QUOTES, *BRACES])
    yield from itertools.product(TAGS, ["\"", "'", " ", "="], ["a", "token", ">"])


def text_of(shape, size):
    """A text of one shape: it is repeated; or its first piece begins and its second is repeated; `size` characters long."""
    unit = "".join(shape)
    return (unit * (size // len(unit) + 1))[:size]


def begun(shape, size):
    """The first piece once, the last again and again: what is opened is never closed."""
    return ("".join(shape[:-1]) + shape[-1] * (size // len(shape[-1]) + 1))[:size]


def nested(shape, size):
    """First all of the first piece, then all of the last."""
    half = size // 2
    return (shape[0] * (half // len(shape[0]) + 1))[:half] + (shape[-1] * (half // len(shape[-1]) + 1))[:half]


def decoys(number=MAX_KNOWN):
    """Secrets that are alike, of what the texts are made of."""
    known = Known()
    for n in range(number):
        known.learn(f"token=\"decoy{n % 7}-411111111111-{n:03}")
    return known


DECOYS = decoys()
#: Everything that looks at a text from outside, by its name.
FUNCTIONS = {
    "redact_text": redact.redact_text,
    "redact_value": redact.redact_value,
    "redact_frame": redact.redact_frame,
    "redact_frame of JSON": lambda text: redact.redact_frame('{"type":%s,"token":1}' % redact.json.dumps(text)),
    "redact_address": redact.redact_address,
    "redact_sql": lambda text: redact.redact_sql(text, None),
    "names_secrets": redact.names_secrets,
    "spans": lambda text: patterns.spans(text, True),
    "without_scripts": markup.without_scripts,
    "tags": lambda text: list(markup.tags(text, "link", 200)),
    "hide": DECOYS.hide,
    "hide_json": lambda text: DECOYS.hide_json(redact.json.dumps([text])),
    "sensitive": lambda text: names.sensitive(text),
}


def took(function, text, rounds=1):
    """Processor time of this thread, which the machine's other work is no part of."""
    best = float("inf")
    for _ in range(rounds):
        start = time.thread_time()
        function(text)
        best = min(best, time.thread_time() - start)
    return best


def plain_pass(text):
    """What Python takes for looking at each character once."""
    for _ in text:
        pass


def mutated(rng, text):
    """Another text of the same length."""
    size = len(text)
    for _ in range(rng.randint(1, 3)):
        way = rng.randrange(5)
        at, end = sorted((rng.randrange(size), rng.randrange(size)))
        if way == 0:
            unit = "".join(rng.choice(PIECES) for _ in range(rng.randint(1, 4)))
            text = text[:at] + (unit * size)[: end - at] + text[end:]
        elif way == 1:
            text = text[:at] + rng.choice(PIECES) + text[at:]
        elif way == 2:
            text = text[end:] + text[:end]
        elif way == 3:
            unit = text[at : at + rng.randint(1, 40)] or "a"
            text = unit * (size // len(unit) + 1)
        else:
            text = text[:at] + text[at : at + 30] * 20 + text[at:]
        text = text[:size].ljust(size, "=")
    return text


def search(function, rng, rounds, size=2048, worst=None):
    """The text that took longest of those that were tried, each made of the best so far, and the time."""
    best = worst or text_of(("token", "="), size)
    most = took(function, best, 2)
    for _ in range(rounds):
        text = mutated(rng, best if rng.random() < 0.8 else text_of(rng.choices(PIECES, k=rng.randint(1, 4)), size))
        if took(function, text) > most:
            time_ = took(function, text, 2)  # once more: the first may have been the machine's fault
            if time_ > most:
                best, most = text, time_
    return best, most
