"""One attachment and several workers, over a real Redis: this process holds the inspector, others the pages."""

import asyncio
import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from channels.layers import channel_layers
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.test import override_settings
from djust_inspector import crossing, relay
from djust_inspector.hub import HUB
from djust_inspector.relay import RELAY
from harness import ORIGIN, TOKEN, Inspector, Page, run
from test_discovery import AGENT, PROJECT, answers, free_port, serve, wait_for
from websockets.asyncio.client import connect

COUNTER = "lab.views.counter.CounterView"
LAYERS = ["core.RedisChannelLayer", "pubsub.RedisPubSubChannelLayer"]

pytestmark = pytest.mark.skipif(shutil.which("redis-server") is None, reason="needs redis-server")


class Redis:
    """A Redis of its own that keeps nothing on disk."""

    def __init__(self, folder):
        self.port, self.folder = free_port(), folder
        self.url = f"redis://127.0.0.1:{self.port}"
        self.start()

    def start(self):
        command = ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        self.process = subprocess.Popen(command, cwd=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for(self._answers, "Redis")

    def _answers(self):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1) as probe:
            probe.sendall(b"PING\r\n")
            return probe.recv(16).startswith(b"+PONG")
        return False

    def stop(self):
        self.process.kill()
        self.process.wait()


@pytest.fixture
def redis(tmp_path):
    server = Redis(tmp_path)
    yield server
    server.stop()


def layer_settings(redis, layer=LAYERS[0]):
    backend = {"BACKEND": "channels_redis." + layer, "CONFIG": {"hosts": [redis.url]}}
    return override_settings(CHANNEL_LAYERS={"default": backend})


@contextlib.contextmanager
def worker(folder, name, redis, layer=LAYERS[0], **env):
    """Another process of the same server, with a port of its own so that a test can choose it."""
    place = folder / name
    place.mkdir()
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "relay_app:application", "--port", str(port)]
    path = os.pathsep.join([str(AGENT / "inject"), str(AGENT), str(Path(__file__).parent), str(PROJECT)])
    variables = {"DEMO_REDIS": redis.url, "DEMO_LAYER": layer, "DJUST_INSPECTOR_TOKEN": TOKEN, "PYTHONPATH": path, **env}
    with serve(command, place / "runtime", **variables) as process:
        process.port, process.log = port, place / "server.log"
        wait_for(lambda: answers(f"http://127.0.0.1:{port}"), "an answer")
        yield process


def beside_another(check, redis, tmp_path, **env):
    """Runs a check in this process, with another worker beside it."""
    with layer_settings(redis), worker(tmp_path, "b", redis, **env) as other:
        run(check(other))


class Remote:
    """A WebSocket to another process."""

    def __init__(self, process):
        super().__init__()
        self.port = process.port

    async def open(self):
        url = f"ws://127.0.0.1:{self.port}{self.scope['path']}?{self.scope['query_string'].decode()}"
        token = {name.decode(): value.decode() for name, value in self.scope["headers"] if name == b"authorization"}
        self.socket = await connect(url, origin=ORIGIN.decode(), additional_headers=token, max_size=None)
        self.accepted = True
        self.task = asyncio.ensure_future(self._listen())
        return True

    async def _listen(self):
        with contextlib.suppress(Exception):
            async for text in self.socket:
                await self._send({"type": "websocket.send", "text": text})
        await self._send({"type": "websocket.close", "code": self.socket.close_code})

    async def send(self, message):
        await self.socket.send(json.dumps(message))

    async def close(self, code=1000):
        await self.socket.close()
        await self.task


class RemotePage(Remote, Page):
    """A page of another process."""


class RemoteInspector(Remote, Inspector):
    """An inspector that is attached to another process."""


@contextlib.asynccontextmanager
async def watching(**attach):
    """An inspector that is attached to this process and wants to see all workers."""
    inspector = await Inspector().attach(workers=True, **attach)
    try:
        yield inspector
    finally:
        await inspector.close()
        await inspector.until(lambda: not crossing.SERVED)
        await RELAY.stop()
        await asyncio.gather(*list(crossing._tasks), return_exceptions=True)
        await channel_layers.make_backend("default").flush()


async def told(inspector, count):
    """The workers that it sees, once there are so many."""
    return await inspector.until(
        lambda: [f for f in inspector.frames("workers")[-1:] if len(f["agents"]) == count], f"{count} workers"
    )


def own_relay():
    """A channel layer as anybody has who can reach the Redis."""
    return channel_layers.make_backend("default")


# -- signing


def test_message_is_taken_only_as_it_was_signed_with_this_projects_secret():
    sealed = relay.seal({"k": "who", "n": 1}, b"\x1ebody\n")
    assert relay.unseal(sealed) == ({"k": "who", "n": 1}, b"\x1ebody\n")
    for position in (0, 31, 32, 40, len(sealed) - 1):
        forged = bytearray(sealed)
        forged[position] ^= 1
        assert relay.unseal(bytes(forged)) is None, position
    for odd in (None, "text", b"", sealed[:32], sealed[:-1], sealed + b"x", {"data": sealed}):
        assert relay.unseal(odd) is None
    with override_settings(SECRET_KEY="another"):
        assert relay.unseal(sealed) is None


def test_secret_itself_and_the_group_tell_nothing_of_each_other():
    name = relay.group()
    with override_settings(SECRET_KEY="another"):
        assert relay.group() != name
    secret = settings.SECRET_KEY.encode()
    assert secret not in relay.seal({"k": "who"}) and len(name) < 100
    with override_settings(SECRET_KEY=""), pytest.raises(ImproperlyConfigured):
        relay.seal({"k": "who"})


# -- seeing and commanding


@pytest.mark.parametrize("layer", LAYERS)
def test_one_attachment_sees_and_commands_the_pages_of_all_workers(layer, redis, tmp_path):
    async def check(second, third):
        pages = [await Page().mount(COUNTER), await RemotePage(second).mount(COUNTER)]
        async with watching() as inspector:
            pages.append(await RemotePage(third).mount(COUNTER))
            agents = (await told(inspector, 3))[0]["agents"]
            assert agents[0] == HUB.agent_id == inspector.welcome["agent"]
            of = {}
            for page in pages:
                await page.event("increment")
                step = await inspector.step(name="increment", session=page.id)
                of[page.id] = step.get("worker", agents[0])
                assert inspector.states(page.id)[step["key"]] == ({"count": 0} | _rest(inspector, step), _after(inspector, step))
            assert sorted(of.values()) == sorted(agents)
            for page in pages:
                answer = await inspector.command("dispatch", session=page.id, worker=of[page.id], event="add", params={"n": 5})
                assert answer["ok"] is True, answer
                step = await inspector.step(name="add", session=page.id)
                assert step["key"] == answer["result"]["step"] and _after(inspector, step)["count"] == 6
            answer = await inspector.command("dispatch", session=pages[1].id, worker="nobody", event="add", params={"n": 5})
            assert answer["error"]["code"] == "no_session"
            keys = [step["key"] for step in inspector.frames("step")]
            assert len(keys) == len(set(keys))
            for page in pages:
                await page.close()
                await inspector.step(kind="close", session=page.id)

    with layer_settings(redis, layer), worker(tmp_path, "b", redis, layer) as b, worker(tmp_path, "c", redis, layer) as c:
        run(check(b, c))


def _after(inspector, step):
    return inspector.states(step["session"])[step["key"]][1]


def _rest(inspector, step):
    before = inspector.states(step["session"])[step["key"]][0]
    return {name: value for name, value in before.items() if name != "count"}


def test_large_state_crosses_in_parts(redis, tmp_path):
    async def check(other):
        page = await RemotePage(other).mount("lab.views.big_state.BigStateView")
        async with watching() as inspector:
            await told(inspector, 2)
            await page.event("edit_row", row_id=3)
            step = await inspector.step(name="edit_row")
            assert len(json.dumps(_after(inspector, step))) > crossing.CHUNK
            await page.close()

    beside_another(check, redis, tmp_path)


def test_reading_attachment_changes_nothing_on_another_worker(redis, tmp_path):
    async def check(other):
        page = await RemotePage(other).mount(COUNTER)
        async with watching(writes=False) as inspector:
            agents = (await told(inspector, 2))[0]["agents"]
            command = {"session": page.id, "worker": agents[1], "event": "increment", "params": {}}
            answer = await inspector.command("dispatch", **command)
            assert answer["error"]["code"] == "read_only"
            # The other worker would not do it either, were it asked.
            others = next(iter(crossing.OTHERS.values()))
            others.forward({"t": "command", "id": 77, "do": "dispatch", **command})
            answer = await inspector.until(lambda: [f for f in inspector.frames("answer") if f["id"] == 77])
            assert answer[0]["error"]["code"] == "read_only"
            await page.event("increment")
            step = await inspector.step(name="increment")
            assert _after(inspector, step)["count"] == 1
            await page.close()

    beside_another(check, redis, tmp_path)


# -- coming and going


def test_worker_that_dies_is_told_and_one_that_comes_is_joined(redis, tmp_path):
    async def check(first, start):
        page = await RemotePage(first).mount(COUNTER)
        async with watching() as inspector:
            agent = (await told(inspector, 2))[0]["agents"][1]
            os.killpg(first.pid, signal.SIGKILL)
            await inspector.until(lambda: inspector.frames("workers")[-1]["agents"] == [HUB.agent_id], "the end")
            answer = await inspector.command("dispatch", session=page.id, worker=agent, event="increment", params={})
            assert answer["error"]["code"] == "no_session"
            second = start()
            again = await RemotePage(second).mount(COUNTER)
            new = (await told(inspector, 2))[0]["agents"][1]
            assert new != agent
            await again.event("increment")
            assert (await inspector.step(name="increment"))["worker"] == new
            os.kill(second.pid, signal.SIGTERM)  # says so itself, sooner than its silence does
            begun = asyncio.get_running_loop().time()
            await inspector.until(lambda: inspector.frames("workers")[-1]["agents"] == [HUB.agent_id], "the end")
            assert asyncio.get_running_loop().time() - begun < crossing.SILENT_SECS

    with layer_settings(redis), contextlib.ExitStack() as running:
        first = running.enter_context(worker(tmp_path, "b", redis))
        run(check(first, lambda: running.enter_context(worker(tmp_path, "c", redis))))


def test_lost_message_is_repaired_and_no_step_is_missing_or_twice(redis, tmp_path, monkeypatch):
    async def check(other):
        page = await RemotePage(other).mount(COUNTER)
        async with watching() as inspector:
            await told(inspector, 2)
            take, lost = RELAY._take, []

            def lossy(message):
                found = relay.unseal(message["data"])
                if found[0]["k"] == "frames" and b'"kind":"event","name":"add"' in found[1] and not lost:
                    lost.append(message)
                else:
                    take(message)

            monkeypatch.setattr(RELAY, "_take", lossy)
            for _ in range(5):
                await page.event("add", n=1)
            await inspector.step(5, name="add")
            assert lost and [_after(inspector, s)["count"] for s in inspector.steps(name="add")] == [1, 2, 3, 4, 5]
            assert [f["resumed"] for f in inspector.frames("worker")] == [False, True]
            assert len(inspector.frames("workers")) == 1, "it was there all the time"
            await page.close()

    beside_another(check, redis, tmp_path)


def test_redis_that_was_away_is_found_again_and_nothing_is_missing(redis, tmp_path):
    async def check(other):
        page = await RemotePage(other).mount(COUNTER)
        async with watching() as inspector:
            assert inspector.welcome["server"]["workers"]["why"] is None
            await told(inspector, 2)
            await page.event("increment")
            await inspector.step(name="increment", session=page.id)
            redis.stop()
            await inspector.until(lambda: RELAY.failed and inspector.frames("server"), "the loss")
            second = await Inspector().attach()
            assert "does not answer" in second.welcome["server"]["workers"]["why"]
            assert "does not answer" in inspector.frames("server")[-1]["server"]["workers"]["why"]
            await second.close()
            await page.until(lambda: page.close_code is not None, "djust's end of a page that lost its channel layer")
            redis.start()
            await inspector.until(lambda: inspector.frames("log"), "what the other worker logged meanwhile")
            await inspector.until(lambda: inspector.frames("server")[-1]["server"]["workers"]["why"] is None, "the way back")
            # Whether the crossing broke, or what was on its way only waited, is a matter of moments.
            assert all(f["resumed"] for f in inspector.frames("worker")[1:]) and not inspector.frames("gap")
            page = await RemotePage(other).mount(COUNTER)
            await page.event("add", n=4)
            await inspector.step(name="add", session=page.id)
            await page.close()

    beside_another(check, redis, tmp_path)


async def listen_elsewhere():
    """What happens to this worker when its channel layer has failed and is back: it listens on another channel."""
    before = RELAY.channel
    RELAY._task.cancel()
    await asyncio.gather(RELAY._task, return_exceptions=True)
    RELAY.start()
    await asyncio.wait_for(RELAY.joined.wait(), 10)
    assert RELAY.channel != before


def test_worker_with_the_inspector_that_listens_on_another_channel_is_answered_there(redis, tmp_path):
    async def check(other):
        page = await RemotePage(other).mount(COUNTER)
        async with watching() as inspector:
            agent = (await told(inspector, 2))[0]["agents"][1]
            await listen_elsewhere()
            await page.event("add", n=3)
            await inspector.step(name="add", session=page.id)
            answer = await inspector.command("dispatch", session=page.id, worker=agent, event="add", params={"n": 1})
            assert answer["ok"] is True and not inspector.frames("gap")
            await page.close()

    beside_another(check, redis, tmp_path)


def test_worker_with_the_page_that_listens_on_another_channel_is_asked_there(redis, tmp_path):
    async def check(other):
        page = await Page().mount(COUNTER)
        inspector = await RemoteInspector(other).attach(workers=True)
        await told(inspector, 2)
        await listen_elsewhere()
        await inspector.until(lambda: len(inspector.frames("worker")) == 2, "the crossing once more")
        assert inspector.frames("worker")[1]["resumed"] is True
        answer = await inspector.command("dispatch", session=page.id, worker=HUB.agent_id, event="add", params={"n": 1})
        assert answer["ok"] is True
        await inspector.step(name="add", session=page.id)
        await inspector.close()
        await page.until(lambda: not crossing.SERVED, "the end")
        await page.close()
        await RELAY.stop()
        await asyncio.gather(*list(crossing._tasks), return_exceptions=True)

    beside_another(check, redis, tmp_path)


def test_inspector_that_does_not_read_holds_no_page_of_another_worker_back(redis, tmp_path):
    async def check(other):
        page = await RemotePage(other).mount(COUNTER)
        async with watching() as inspector:
            await told(inspector, 2)
            await inspector.until(lambda: len(inspector.frames("synced")) == 2, "what the other worker has")
            inspector.stalled = asyncio.Event()
            for _ in range(80):
                await page.event("add", n=1)
            inspector.stalled.set()
            gap = await inspector.until(lambda: inspector.frames("gap"), "a gap")
            assert gap[0]["why"] == "slow" and gap[0]["dropped"] > 0 and gap[0]["worker"] != HUB.agent_id
            await inspector.until(lambda: len(inspector.frames("synced")) == 3, "what repairs it")
            await page.event("add", n=1000)
            await inspector.until(lambda: [s for s in inspector.steps(name="add") if _after(inspector, s)["count"] == 1080])
            dropped = sum(frame["dropped"] for frame in inspector.frames("gap"))
            assert len(inspector.steps(name="add")) + dropped >= 81
            await page.close()

    beside_another(check, redis, tmp_path, QUEUE_BYTES="30000")


# -- who can write to the Redis, and nothing else


def test_who_can_write_to_the_redis_commands_nothing(redis, tmp_path, monkeypatch):
    async def check(other):
        sent, got = [], []
        tell, take = RELAY.tell, RELAY._take

        async def telling(channel, header, body=b""):
            sent.append((channel, {"type": "djust_inspector", "data": relay.seal(header, body)}))
            await tell(channel, header, body)

        def taking(message):
            got.append(message)
            take(message)

        monkeypatch.setattr(RELAY, "tell", telling)
        monkeypatch.setattr(RELAY, "_take", taking)
        page = await RemotePage(other).mount(COUNTER)
        stranger = own_relay()
        async with watching() as inspector:
            agent = (await told(inspector, 2))[0]["agents"][1]
            answer = await inspector.command("dispatch", session=page.id, worker=agent, event="increment", params={})
            assert answer["ok"] is True
            await inspector.step(name="increment")
            there = next(channel for channel, message in sent if relay.unseal(message["data"])[0]["k"] == "do")
            line = next(iter(next(iter(crossing.OTHERS.values())).seen.values())).line
            # Everything once more, as it went over the Redis.
            for channel, message in list(sent):
                await stranger.send(channel, message)
            for message in list(got):
                await stranger.send(RELAY.channel, message)
            # A command of his own: unsigned, and signed with another project's secret.
            order = json.dumps({"t": "command", "id": 9, "do": "dispatch", "session": page.id, "event": "increment", "params": {}})
            header = {"k": "do", "c": line.crossing, "n": line.sent + 1}
            with override_settings(SECRET_KEY="another"):
                forged = relay.seal(header, order.encode())
            for data in (forged, b"\0" * 32 + forged[32:], order.encode(), "text", None, b""):
                await stranger.send(there, {"type": "djust_inspector", "data": data})
            await stranger.send(there, {"type": "wibble"})
            # What is said after all that is heard, and nothing else happened.
            answer = await inspector.command("dispatch", session=page.id, worker=agent, event="add", params={"n": 10})
            step = await inspector.step(name="add")
            assert _after(inspector, step)["count"] == 11
            assert len(inspector.steps(name="increment")) == 1 and len(inspector.frames("worker")) == 1
            await page.close()
        log = other.log.read_text()
        assert log.count("attached through another worker") == 1
        assert "not signed with this project's SECRET_KEY" in log

    beside_another(check, redis, tmp_path, DEMO_DEBUG="0", DJUST_INSPECTOR_WRITES="1")


def test_project_with_another_secret_on_the_same_redis_is_not_seen(redis, tmp_path):
    async def check(other):
        page = await RemotePage(other).mount(COUNTER)
        async with watching() as inspector:
            assert (await told(inspector, 1))[0]["agents"] == [HUB.agent_id]
            await page.event("increment")
            own = await Page().mount(COUNTER)
            await own.event("increment")
            await inspector.step(name="increment", session=own.id)
            assert not inspector.steps(session=page.id) and not inspector.frames("worker")
            await own.close()
            await page.close()

    with layer_settings(redis), worker(tmp_path, "b", redis) as other, override_settings(SECRET_KEY="another"):
        run(check(other))


def test_worker_that_is_switched_off_shows_nothing(redis, tmp_path):
    async def check(other):
        page = await RemotePage(other).mount(COUNTER)
        async with watching() as inspector:
            await told(inspector, 2)
            control.write_text('{"off": true, "revoked": []}')
            await inspector.until(lambda: inspector.frames("workers")[-1]["agents"] == [HUB.agent_id], "the end")
            await page.event("increment")
            await page.close()

    control = tmp_path / "control.json"
    block = json.dumps({"control_file": str(control)})
    beside_another(check, redis, tmp_path, DEMO_INSPECTOR=block)


# -- at rest


def test_with_nobody_attached_a_worker_only_waits(redis, tmp_path):
    async def calls(client):
        stats = await client.info("commandstats")
        return sum(entry["calls"] for name, entry in stats.items() if name != "cmdstat_info")

    async def check(other):
        import redis.asyncio

        page = await RemotePage(other).mount("lab.views.plain.PlainView")
        async with watching() as inspector:
            await told(inspector, 2)
        await asyncio.to_thread(wait_for, lambda: "detached, through another worker" in other.log.read_text(), "the end")
        client = redis.asyncio.Redis(port=int(other_port))
        await page.event("increment")
        before = await calls(client)
        await asyncio.sleep(6.0)  # what is measured, not waited for
        # The page's own channel and the agent's: one look of two commands each in five seconds.
        assert await calls(client) - before <= 12
        await client.aclose()
        await page.close()

    other_port = redis.port
    beside_another(check, redis, tmp_path, DEMO_DEBUG="0")


# -- processes that share a port


def many(name, port, workers):
    """The command of a server with several processes."""
    return {
        "uvicorn": [sys.executable, "-m", "uvicorn", "config.asgi:application", "--port", str(port), "--workers", str(workers)],
        "gunicorn --preload": [sys.executable, "-m", "gunicorn", "config.asgi:application", "--preload", "--bind", f"127.0.0.1:{port}"]
        + ["--worker-class", "uvicorn_worker.UvicornWorker", "--workers", str(workers)],
    }[name]


@contextlib.contextmanager
def standing_still(pids):
    """Stops processes, and lets them go on."""
    pids = set(pids)
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


@pytest.mark.parametrize("name", ["uvicorn", "gunicorn --preload"])
def test_workers_that_share_a_port_are_all_seen(name, redis, tmp_path):
    async def check():
        server = Elsewhere(port)
        inspector = await RemoteInspector(server).attach(workers=True)
        pages, described = [], {}
        for _ in range(3):
            # Where a connection goes is the system's choice: a process that stands still takes none.
            with standing_still(described.values()):
                pages.append(await RemotePage(server).mount(COUNTER))
                await pages[-1].event("increment")
            await inspector.step(kind="event", session=pages[-1].id)
            described = {f["session"]: f["pid"] for f in inspector.frames("session")}
        agents = (await told(inspector, 3))[0]["agents"]
        assert len(set(described.values())) == 3 and len(set(agents)) == 3
        process = {}
        for page in pages:
            step = inspector.steps(kind="event", session=page.id)[0]
            worker = step.get("worker", agents[0])
            assert process.setdefault(worker, described[page.id]) == described[page.id]
            answer = await inspector.command("dispatch", session=page.id, worker=worker, event="add", params={"n": 2})
            assert answer["ok"] is True, answer
        await inspector.close()

    port = free_port()
    with serve(many(name, port, 3), tmp_path / "runtime", DEMO_REDIS=redis.url, DJUST_INSPECTOR_TOKEN=TOKEN, DEMO_RATE="loose"):
        wait_for(lambda: answers(f"http://127.0.0.1:{port}"), "an answer")
        run(check())


class Elsewhere:
    """A server by its port."""

    def __init__(self, port):
        self.port = port


# -- without a shared channel layer


@pytest.mark.parametrize("name", ["uvicorn", "gunicorn --preload"])
def test_in_memory_layer_says_how_many_workers_there_are(name, tmp_path):
    async def check():
        async with connect(f"ws://127.0.0.1:{port}/ws/live/?djust_inspector=1", origin=ORIGIN.decode(), additional_headers=headers) as s:
            await s.send(json.dumps({"t": "hello", "protocol": 1, "inspector": "test", "resume": None, "workers": True}))
            return json.loads(await s.recv())["server"]["workers"]

    port = free_port()
    headers = {"Authorization": f"Bearer {TOKEN}"}
    for workers in (3, 1):
        place = tmp_path / str(workers)
        place.mkdir()
        with serve(many(name, port, workers), place / "runtime", DJUST_INSPECTOR_TOKEN=TOKEN):
            wait_for(lambda: answers(f"http://127.0.0.1:{port}"), "an answer")
            found = wait_for(lambda: _if_all(run(check()), workers), f"{workers} workers")
            assert found["shared"] is False and "channels_redis" in found["why"]


def _if_all(found, workers):
    return found if found["all"] == workers else None
