"""Levels of rate limits, read from whatever stands where djust's limiter is."""

import json
from unittest.mock import MagicMock

from djust_inspector import limits
from harness import attached, run


def test_limiter_of_another_kind_is_described_and_is_no_error_of_the_agent():
    async def check():
        async with attached("lab.views.counter.CounterView") as (inspector, page):
            from djust_inspector.sessions import SESSIONS

            session = SESSIONS[page.id]
            limiter, session.consumer._rate_limiter = session.consumer._rate_limiter, MagicMock()
            try:
                told = json.loads("{" + limits.describe(session) + "}")
            finally:
                session.consumer._rate_limiter = limiter
            assert (told["warnings"], told["max_warnings"], told["global"]) == (0, 0, None)

    run(check())
