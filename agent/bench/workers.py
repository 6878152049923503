"""How long a click waits when an inspector is attached to the page's worker, or to another one.

    python agent/bench/workers.py [--clicks N]

Needs djust, ``tests/project/requirements.txt`` and redis-server. Two real servers share a Redis; a page of the second is
clicked over its WebSocket. The figure is the median time from the click to its answer, over blocks that alternate:
nobody attached, an inspector at the page's own worker, and one at the other. At last, the commands that Redis had in
ten seconds with nobody attached and one page open.
"""

import argparse
import asyncio
import contextlib
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.dont_write_bytecode = True
sys.path.insert(0, str(ROOT / "agent" / "tests"))

import conftest  # noqa: E402,F401  (sets the example project up)
from harness import TOKEN  # noqa: E402
from test_relay import COUNTER, Redis, RemotePage, worker  # noqa: E402
from websockets.asyncio.client import connect  # noqa: E402

BLOCKS = 12
AT_REST_SECS = 10.0


@contextlib.asynccontextmanager
async def inspector(process):
    """An attached inspector that reads everything and keeps nothing."""
    headers = {"Authorization": f"Bearer {TOKEN}"}
    url = f"ws://127.0.0.1:{process.port}/ws/live/?djust_inspector=1"
    async with connect(url, origin=f"http://127.0.0.1:{process.port}", additional_headers=headers, max_size=None) as socket:
        await socket.send(json.dumps({"t": "hello", "protocol": 1, "inspector": "bench", "resume": [], "workers": True}))
        reading = asyncio.ensure_future(_read(socket))
        await asyncio.sleep(1.5)  # until the workers have found each other
        yield
        reading.cancel()


async def _read(socket):
    async for _ in socket:
        pass


async def clicks(page, count):
    times = []
    for _ in range(count):
        page.got.clear()
        start = time.perf_counter()
        await page.event("increment")
        times.append((time.perf_counter() - start) * 1000)
    return times


async def measure(redis, first, second, count):
    import redis.asyncio as client

    page = await RemotePage(second).mount(COUNTER)
    await clicks(page, 200)
    found = {"detached": [], "own worker": [], "another worker": []}
    for _ in range(BLOCKS):
        found["detached"] += await clicks(page, count)
        for name, process in (("own worker", second), ("another worker", first)):
            async with inspector(process):
                found[name] += await clicks(page, count)
    for name, times in found.items():
        print(f"{name:15} {statistics.median(times):6.2f} ms, tenth percentile {statistics.quantiles(times, n=10)[0]:6.2f} ms")
    stats = client.Redis(port=redis)

    async def commands():
        entries = await stats.info("commandstats")
        return sum(entry["calls"] for name, entry in entries.items() if name != "cmdstat_info")

    await asyncio.sleep(1.0)
    before = await commands()
    await asyncio.sleep(AT_REST_SECS)
    print(f"at rest: {await commands() - before} commands of Redis in {AT_REST_SECS:.0f} s, for a page and two workers")
    await stats.aclose()
    await page.close()


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--clicks", type=int, default=60, help="clicks of a block")
    count = arguments.parse_args().clicks
    with tempfile.TemporaryDirectory() as folder:
        redis = Redis(folder)
        try:
            quiet = {"DEMO_LOG_LEVEL": "ERROR", "DEMO_RATE": "loose"}
            with worker(Path(folder), "a", redis, **quiet) as first, worker(Path(folder), "b", redis, **quiet) as second:
                asyncio.run(measure(redis.port, first, second, count))
        finally:
            redis.stop()


if __name__ == "__main__":
    main()
