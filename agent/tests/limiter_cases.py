"""What djust's own token bucket does, for the window's simulation of it.

The window computes with the same arithmetic in Rust; both are held to the cases in
``crates/model/src/limiter_cases.json``. ``python limiter_cases.py`` writes that file anew.
"""

import importlib
import json
from pathlib import Path

FILE = Path(__file__).resolve().parents[2] / "crates" / "model" / "src" / "limiter_cases.json"

#: Rate, burst, and the seconds after the first look at which messages come.
MESSAGES = [
    # djust's defaults: a burst of 25 at once.
    (100, 20, [0.0] * 25),
    # A token comes back every half second, at the edge of it.
    (2, 5, [0.0] * 6 + [0.5, 0.5, 1.0, 1.49, 1.5, 2.0]),
    # Steadily as fast as allowed, and a little faster.
    (10, 3, [n * 0.1 for n in range(30)]),
    (10, 3, [n * 0.09 for n in range(30)]),
    # Long rests fill it up to the brim and no further.
    (1, 4, [0, 0, 0, 0, 0, 3600, 3600, 3600, 3600, 3600]),
    # Parts of a token, a burst that is no whole number, less than one.
    (0.3, 2.5, [0, 0.1, 0.2, 3.3, 3.4, 6.7, 10.0]),
    (5, 0.5, [0, 1, 2, 3]),
    (0.001, 1, [0, 1, 999, 1000.5, 2001]),
    # A clock that does not move.
    (50, 2, [7.25] * 5),
]


def play(rate, burst, times, bucket_module):
    """Which messages pass, and the tokens after each."""
    clock = [1000.0]
    seam = "_monotonic" if hasattr(bucket_module, "_monotonic") else "time"
    original = getattr(bucket_module, seam)
    fake = lambda: clock[0]  # noqa: E731
    setattr(bucket_module, seam, fake if seam == "_monotonic" else type("time", (), {"monotonic": staticmethod(fake)}))
    try:
        bucket = bucket_module.TokenBucket(rate, burst)
        passed, tokens = [], []
        for at in times:
            clock[0] = 1000.0 + at
            passed.append(bucket.consume())
            tokens.append(bucket.tokens)
    finally:
        setattr(bucket_module, seam, original)
    return passed, tokens


def cases(bucket_module):
    out = []
    for rate, burst, times in MESSAGES:
        passed, tokens = play(rate, burst, times, bucket_module)
        out.append({"rate": rate, "burst": burst, "times": times, "passed": passed, "tokens": tokens})
    return out


def text(bucket_module):
    return "[\n" + ",\n".join(json.dumps(case) for case in cases(bucket_module)) + "\n]\n"


if __name__ == "__main__":
    FILE.write_text(text(importlib.import_module("djust.rate_limit")), encoding="utf-8")
