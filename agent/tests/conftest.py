"""Tests of the agent, inside a real Django process with a real djust.

They use the example project in ``tests/project``. Run with a virtual environment that has djust:
``python -m pytest agent/tests``.
"""

import os
import sys
import tempfile
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
AGENT = HERE.parent
PROJECT = AGENT.parent / "tests" / "project"

_scratch = tempfile.mkdtemp(prefix="djust-inspector-tests-")
os.environ["DEMO_DB"] = os.path.join(_scratch, "db.sqlite3")
os.environ["DEMO_RATE"] = "loose"
os.environ["DEMO_HOT_RELOAD"] = "0"
os.environ["DJUST_INSPECTOR_RUNTIME_DIR"] = os.path.join(_scratch, "runtime")
os.environ["DJUST_INSPECTOR_TOKEN"] = "the-token-of-the-tests"
os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
os.environ.pop("DJUST_INSPECTOR", None)
# The program embeds this package as it lies here, so no test leaves compiled files in it.
sys.dont_write_bytecode = True
sys.path[:0] = [str(AGENT), str(PROJECT), str(HERE)]

import django  # noqa: E402

django.setup()

from django.core.management import call_command  # noqa: E402

call_command("migrate", verbosity=0, interactive=False)

import djust_inspector  # noqa: E402

assert djust_inspector.install()

import config.urls  # noqa: E402,F401  (loads the project's views)


@pytest.fixture(autouse=True)
def quiet_hub():
    """Each test starts with nobody attached and leaves no error of the agent behind."""
    from djust import rate_limit
    from djust_inspector import access, budget, guard, sessions
    from djust_inspector.hub import HUB

    guard.errors.clear()
    access.LOCKOUT = access.Lockout()
    budget.BUDGET = budget.Budget()
    rate_limit.reset_handler_buckets()
    rate_limit.ip_tracker._connections.clear()
    rate_limit.ip_tracker._cooldowns.clear()
    yield
    if HUB._grace is not None:
        HUB._grace.cancel()
    HUB.inspectors.clear()
    HUB._expire()
    sessions.SESSIONS.clear()
    errors, _ = dict(guard.errors), guard.errors.clear()
    assert not errors, errors


@pytest.fixture(autouse=True, scope="session")
def remove_scratch():
    yield
    import shutil

    shutil.rmtree(_scratch, ignore_errors=True)
