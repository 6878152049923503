"""Runs djust's own tests with the agent in the process and an inspector attached that reads everything, or without.

A plugin of pytest. ``PEER_SUITE_AGENT=1`` is with the agent; ``PEER_SUITE_REPORT`` is the file for each test's outcome.
The inspector lives in a thread with an event loop of its own, as one attached to another worker's loop does: the tests
make and end their loops as they like.
"""

import asyncio
import json
import os
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import pytest

WITH_AGENT = os.environ.get("PEER_SUITE_AGENT") == "1"
TOKEN = "the-token-of-the-peer-suite"
DEADLINE = 30.0

if WITH_AGENT:
    os.environ["DJUST_INSPECTOR_TOKEN"] = TOKEN
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

outcomes = {}
#: Wall-clock and processor seconds in the tests themselves.
spent = {"wall": 0.0, "cpu": 0.0}


class Reader:
    """An attached inspector that reads what it is sent."""

    def __init__(self):
        self.frames = Counter()
        self.bytes = 0
        self.ended = None
        self.synced = threading.Event()
        self.thread = threading.Thread(target=self._run, name="inspector", daemon=True)
        self.thread.start()
        if not self.synced.wait(DEADLINE):
            raise pytest.UsageError("the inspector could not attach")

    def _run(self):
        self.loop = asyncio.new_event_loop()
        self.loop.run_until_complete(self._attached())

    async def _attached(self):
        from djust.websocket import LiveViewConsumer

        self.to_app = asyncio.Queue()
        headers = [(b"authorization", f"Bearer {TOKEN}".encode()), (b"origin", b"http://localhost")]
        scope = {
            "type": "websocket",
            "path": "/ws/live/",
            "query_string": b"djust_inspector=1",
            "headers": headers,
            "client": ("127.0.0.1", 1),
        }
        hello = {"t": "hello", "protocol": 1, "inspector": "peer suite", "resume": None, "writes": False}
        await self.to_app.put({"type": "websocket.connect"})
        await self.to_app.put({"type": "websocket.receive", "text": json.dumps(hello)})
        try:
            await LiveViewConsumer.as_asgi()(scope, self.to_app.get, self._take)
        except BaseException as error:
            self.ended = repr(error)

    async def _take(self, message):
        text = message.get("text")
        if message["type"] == "websocket.close":
            self.ended = f"closed with {message.get('code')}"
        if text is None:
            return
        frame = json.loads(text)
        self.bytes += len(text)
        self.frames[frame["t"]] += 1
        if frame["t"] == "refused":
            self.ended = frame["message"]
        if frame["t"] == "synced":
            self.synced.set()

    def leave(self):
        self.loop.call_soon_threadsafe(self.to_app.put_nowait, {"type": "websocket.disconnect", "code": 1000})
        self.thread.join(DEADLINE)


reader = None


@pytest.hookimpl(trylast=True)
def pytest_configure(config):
    global reader
    for mark in ("admin", "tenants", "auth", "theming", "components", "slow", "integration", "e2e", "benchmark", "nightly"):
        config.addinivalue_line("markers", f"{mark}: of djust's own suite")
    if WITH_AGENT:
        import djust_inspector

        assert djust_inspector.install(), "the agent is not installed"
        reader = Reader()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item):
    wall, cpu = time.perf_counter(), time.process_time()
    try:
        return (yield)
    finally:
        spent["wall"] += time.perf_counter() - wall
        spent["cpu"] += time.process_time() - cpu


def pytest_runtest_logreport(report):
    file, _, test = report.nodeid.partition("::")
    name = f"{Path(file).name}::{test}"
    if report.when == "call" or report.outcome != "passed":
        outcome = report.outcome if report.when == "call" else f"{report.outcome} in {report.when}"
        outcomes[name] = {"outcome": outcome, "why": str(report.longrepr)[-2000:] if report.failed else None}


def pytest_sessionfinish(session):
    told = {"tests": outcomes, **spent, "agent": None}
    if reader is not None:
        from djust_inspector import guard

        ended = reader.ended
        reader.leave()
        told["agent"] = {
            "frames": dict(reader.frames),
            "bytes": reader.bytes,
            "ended": ended,
            "errors": {name: error["traceback"] for name, error in guard.errors.items()},
        }
    Path(os.environ["PEER_SUITE_REPORT"]).write_text(json.dumps(told))
