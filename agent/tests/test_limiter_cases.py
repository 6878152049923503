"""The cases that the window's simulation is held to are what djust's own limiter does."""

import importlib

import limiter_cases


def test_the_cases_are_djusts_own():
    rate_limit = importlib.import_module("djust.rate_limit")
    assert limiter_cases.FILE.read_text(encoding="utf-8") == limiter_cases.text(rate_limit)
    refused = [case["passed"].count(False) for case in limiter_cases.cases(rate_limit)]
    assert refused[0] == 5 and 0 in refused
