"""The gate of real servers: who comes in, with and without the middleware in front, and what hostile peers do.

Each server runs without DEBUG and with a settings block of named tokens, as staging does.
"""

import base64
import contextlib
import json
import os
import random
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path

import pytest
import staging
from djust_inspector import lockout
from test_discovery import AGENT, BIN, DEADLINE, PROJECT, answers, free_port, serve, wait_for
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

ATTACH = "?djust_inspector=1"
BARE, FULL = "/ws/bare/", "/ws/live/"
HELLO = {"t": "hello", "protocol": 1, "inspector": "test", "resume": None, "writes": True}
SERVERS = ["uvicorn", "daphne"]
#: After this, a handshake that is not answered counts as one that was not let in.
NO_ANSWER_SECS = 3.0


class Server:
    """A staging server: where it is, and the tokens that it knows."""

    def __init__(self, name, folder, record=None):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = folder / "server.log"
        self.token, good = staging.make_token()
        self.expired, expired = staging.make_token()
        self.revoked, revoked = staging.make_token()
        self.second, second = staging.make_token()
        block = {
            "tokens": {
                "good": {"hash": good, "writes": True},
                "expired": {"hash": expired, "expires": "2020-01-01"},
                "revoked": revoked,
                "second": second,
            },
            "control_file": str(folder / "control.json"),
            "record": {"cpu": 64, **(record or {})},
        }
        self.env = {
            "DEMO_DEBUG": "0",
            "DEMO_INSTALLED": "1",
            "DEMO_RATE": "loose",
            "DEMO_INSPECTOR": json.dumps(block),
            "PYTHONPATH": os.pathsep.join([str(AGENT / "inject"), str(AGENT), str(Path(__file__).parent), str(PROJECT)]),
        }
        self.command = {
            "uvicorn": [str(BIN / "uvicorn"), "gate_app:application", "--port", str(self.port)],
            "daphne": [str(BIN / "daphne"), "-p", str(self.port), "gate_app:application"],
        }[name]
        self.runtime = folder / "runtime"

    @contextlib.contextmanager
    def running(self):
        with serve(self.command, self.runtime, **self.env) as process:
            self.pid = process.pid
            wait_for(lambda: answers(self.url), "an answer")
            yield self

    def manage(self, *words):
        """Run a management command as an operator does, in a process of its own."""
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("DJUST_INSPECTOR", "PYTHON"))}
        environment.update(self.env, DJANGO_SETTINGS_MODULE="config.settings", PYTHONDONTWRITEBYTECODE="1")
        return subprocess.run(
            [sys.executable, "manage.py", *words],
            cwd=PROJECT,
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        ).stdout

    def status(self, token=None, path=BARE + ATTACH, origin=None, scheme="Bearer", headers=()):
        """The HTTP status of a handshake."""
        lines = list(headers)
        if token is not None:
            lines.append(f"Authorization: {scheme} {token}")
        if origin is not None:
            lines.append(f"Origin: {origin}")
        with self.handshake(path, lines) as client:
            return status_of(client)

    @contextlib.contextmanager
    def handshake(self, path, lines=()):
        with socket.create_connection(("127.0.0.1", self.port), timeout=DEADLINE) as client:
            head = [
                f"GET {path} HTTP/1.1",
                f"Host: 127.0.0.1:{self.port}",
                "Upgrade: websocket",
                "Connection: Upgrade",
                "Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==",
                "Sec-WebSocket-Version: 13",
                *lines,
            ]
            client.sendall(("\r\n".join(head) + "\r\n\r\n").encode("latin-1"))
            yield client

    def attach(self, token=None, path=BARE):
        """An inspector that has said hello; a context."""
        return connect(
            self.url.replace("http", "ws") + path + ATTACH,
            origin=self.url,
            additional_headers={"Authorization": f"Bearer {token or self.token}"},
            max_size=None,
            max_queue=None,
            compression=None,
            proxy=None,
        )

    def is_well(self):
        """Whether pages are answered, and the right token attaches and finds no error of the agent."""
        assert answers(self.url)
        with self.attach() as inspector:
            inspector.send(json.dumps(HELLO))
            welcome = json.loads(inspector.recv(timeout=DEADLINE))
            assert welcome["t"] == "welcome", welcome
            read_until(inspector, "synced")
            errors = [a for a in welcome["server"]["advice"] if a["code"] == "agent_error"]
            assert not errors, errors
        return True


def status_of(client):
    """The status of the answer, 0 where the server gave none: some leave what is malformed lying."""
    try:
        client.settimeout(NO_ANSWER_SECS)
        head = client.recv(4096)
        return int(head.split()[1]) if head.startswith(b"HTTP/1.1 ") else 0
    except (OSError, IndexError, ValueError):
        return 0


@pytest.fixture(scope="module", params=SERVERS)
def server(request, tmp_path_factory):
    """One server for the tests that leave it as it was."""
    with Server(request.param, tmp_path_factory.mktemp(request.param)).running() as running:
        yield running


def test_right_token_comes_in_with_and_without_the_middleware(server):
    assert server.status(server.token, BARE + ATTACH) == 101
    assert server.status(server.token, BARE + ATTACH, origin=server.url) == 101
    assert server.status(server.token, FULL + ATTACH, origin=server.url) == 101
    assert server.status(server.token, FULL + ATTACH) == 403  # the scaffold's middleware wants an Origin


def test_page_without_the_query_is_djusts_own(server):
    assert server.status(None, BARE) == 101
    assert server.status("wrong", BARE + "?platform=html") == 101


@pytest.mark.parametrize("path", [BARE, FULL])
@pytest.mark.parametrize(
    "origin",
    [
        "null",
        "https://evil.example",
        "http://127.0.0.1.evil.example",
        "http://evil.example@127.0.0.1:evil",
        "http://127.0.0.1@evil.example",
        "127.0.0.1",
        "http://",
        "http:///",
        "http://127.0.0.1/../evil.example",
        "://",
        "javascript:alert(1)",
        "http://[::1",
        "\x7f\xff\xfe",
        "http://127.0.0.1, http://evil.example",
    ],
)
def test_foreign_and_malformed_origins_are_refused_also_with_the_right_token(server, path, origin):
    # Servers answer some of them themselves, and the middleware of channels fails at `http://[::1`.
    refused = (400, 403, 0) if path == BARE else (400, 403, 500, 0)
    assert server.status(server.token, path + ATTACH, origin=origin) in refused
    assert server.status(server.token) == 101


def test_second_origin_is_refused(server):
    assert server.status(server.token, origin=server.url, headers=["Origin: https://evil.example"]) in (400, 403)
    assert server.status(server.token) == 101


@pytest.mark.parametrize(
    "given",
    [
        lambda s: None,
        lambda s: "",
        lambda s: "wrong",
        lambda s: s.expired,
        lambda s: s.token[:-1],
        lambda s: s.token + "A",
        lambda s: s.token[:6] + s.token[6:].swapcase(),
        lambda s: s.token.upper(),
        lambda s: f'"{s.token}"',
        lambda s: f"{s.token} {s.token}",
        lambda s: f"{s.token},{s.token}",
        lambda s: "A" * 20_000,
        lambda s: "\xff\xfe" * 20,
        lambda s: "%00",
    ],
)
def test_wrong_tokens_are_refused(server, given):
    assert server.status(given(server)) in (400, 403, 431, 0)
    assert server.status(server.token) == 101


def test_other_schemes_and_second_headers_are_refused(server):
    assert server.status(server.token, scheme="Basic") == 403
    assert server.status(server.token, scheme="Token") == 403
    assert server.status(base64.b64encode(f"x:{server.token}".encode()).decode(), scheme="Basic") == 403
    two = [f"Authorization: Bearer {server.token}"]
    assert server.status(server.token, headers=two) in (400, 403)
    for name in ("X-Authorization", "Cookie", "Sec-WebSocket-Protocol", "X-Token"):
        assert server.status(headers=[f"{name}: Bearer {server.token}"]) != 101, name
    assert server.status(server.token) == 101


def test_token_in_the_address_never_comes_in(server):
    assert server.status(path=f"{BARE}{ATTACH}&token=x") == 403
    for token, query in ((None, f"&token={server.second}"), (server.second, f"&t={server.second}")):
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        where = server.url.replace("http", "ws") + BARE + ATTACH + query
        with connect(where, additional_headers=headers, proxy=None) as inspector:
            refused = json.loads(inspector.recv(timeout=DEADLINE))
            assert refused["t"] == "refused" and refused["code"] == "token_in_address"
            with pytest.raises(ConnectionClosed):
                inspector.recv(timeout=DEADLINE)
    assert server.status(server.token) == 101


def test_revoked_token_and_what_is_attached_with_it(server):
    assert server.status(server.revoked) == 101
    with server.attach(server.revoked) as inspector, server.attach() as other:
        for each in (inspector, other):
            each.send(json.dumps(HELLO))
            read_until(each, "synced")
        assert "is revoked" in server.manage("djust_inspector", "revoke", "revoked")
        assert read_until(inspector, "refused")["code"] == "revoked"
        with pytest.raises(ConnectionClosed):
            inspector.recv(timeout=DEADLINE)
        other.send('{"t":"command","id":1,"do":"sync"}')
        assert read_until(other, "answer")["ok"] is True
    assert server.status(server.revoked) == 403
    assert server.is_well()


def read_until(inspector, kind):
    while True:
        frame = json.loads(inspector.recv(timeout=DEADLINE))
        if frame["t"] == kind:
            return frame


def test_server_log_has_names_and_no_token(server):
    assert server.status(server.token, origin="https://evil.example") == 403
    with server.attach() as inspector:
        inspector.send(json.dumps(HELLO))
        read_until(inspector, "synced")
    text = server.log.read_text(errors="replace")
    assert "a foreign Origin, with the token good" in text
    assert "attached: good from 127.0.0.1, may write" in text
    assert server.token not in text and server.expired not in text


MALFORMED = [
    b"",
    b"\r\n\r\n",
    b"GET /ws/bare/?djust_inspector=1 HTTP/1.1\r\n\r\n",
    b"GET /ws/bare/?djust_inspector=1 HTTP/9.9\r\nHost: x\r\nUpgrade: websocket\r\n\r\n",
    b"GET /ws/bare/?djust_inspector=1 HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
    b"GET /ws/bare/?djust_inspector=1 HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: x\r\nSec-WebSocket-Version: 99\r\n\r\n",
    b"GET /ws/bare/?djust_inspector=1 HTTP/1.1\r\nHost: x\r\nAuthorization\r\n\r\n",
    b"GET /ws/bare/?djust_inspector=1 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \x00\x01\r\n\r\n",
    b"GET /ws/bare/?djust_inspector=1&djust_inspector=1&%ff%fe=%zz HTTP/1.1\r\nHost: \xff\r\nUpgrade: websocket\r\n\r\n",
    b"POST /ws/bare/?djust_inspector=1 HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\nabc",
    b"GET /ws/bare/?djust_inspector=1 HTTP/1.1\r\n" + b"X: y\r\n" * 5000 + b"\r\n",
    b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(256)),
    bytes(range(256)) * 64,
]


def test_malformed_handshakes_do_no_harm(server):
    for data in MALFORMED:
        with socket.create_connection(("127.0.0.1", server.port), timeout=DEADLINE) as client:
            with contextlib.suppress(OSError):
                client.sendall(data)
                client.shutdown(socket.SHUT_WR)
                client.recv(4096)
    assert server.is_well()


def test_half_open_sockets_do_no_harm(server):
    with contextlib.ExitStack() as stack:
        for _ in range(60):  # half a request, and nothing more
            client = stack.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=DEADLINE))
            client.sendall(b"GET /ws/bare/?djust_inspector=1 HTTP/1.1\r\nHost: x\r\n")
        silent = stack.enter_context(server.attach())  # the right token, and no hello
        assert server.is_well()
        refused = json.loads(silent.recv(timeout=DEADLINE))
        assert refused == {"t": "refused", "code": "hello", "message": "no hello within five seconds"}
    assert server.is_well()


def test_more_inspectors_than_places_are_refused(server):
    from djust_inspector.endpoint import MAX_INSPECTORS

    with contextlib.ExitStack() as stack:
        for _ in range(MAX_INSPECTORS):
            inspector = stack.enter_context(server.attach())
            inspector.send(json.dumps(HELLO))
            read_until(inspector, "synced")
        one_more = stack.enter_context(server.attach())
        assert json.loads(one_more.recv(timeout=DEADLINE))["code"] == "busy"

    def free_again():
        with contextlib.suppress(AssertionError, ConnectionClosed):
            return server.is_well()

    wait_for(free_again, "a free place")


def frame(opcode, payload, fin=True, masked=True, length=None):
    """A WebSocket frame, well-formed or not."""
    size = len(payload) if length is None else length
    head = bytes([(0x80 if fin else 0) | opcode])
    mask = 0x80 if masked else 0
    if size < 126:
        head += bytes([mask | size])
    elif size < 65536:
        head += bytes([mask | 126]) + struct.pack(">H", size)
    else:
        head += bytes([mask | 127]) + struct.pack(">Q", size)
    if not masked:
        return head + payload
    key = b"\x01\x02\x03\x04"
    return head + key + bytes(b ^ key[i % 4] for i, b in enumerate(payload))


def nonsense(random_):
    """A random frame: JSON that is nearly right, text, bytes, broken frames."""
    kind = random_.randrange(8)
    if kind == 0:
        fields = {"t": random_.choice(["command", "hello", "answer", "", None, 1]), "id": random_.choice([1, None, {}, [], "x"])}
        fields["do"] = random_.choice(["jump", "replay", "dispatch", "ring", "ticks", "lift_cooldown", "sync", "x", None, 7, [], {}])
        for name in ("session", "view", "set", "event", "params", "component", "ip", "paused", "handler_view"):
            if random_.random() < 0.5:
                fields[name] = random_.choice([None, 0, -1, "", "x", "__class__", [], {}, {"$t": "cycle"}, 1e308, True])
        return frame(1, json.dumps(fields).encode())
    if kind == 1:
        return frame(1, ("[" * random_.randrange(1, 30_000)).encode())
    if kind == 2:
        return frame(1, json.dumps({"t": "command", "id": "x" * random_.randrange(5000), "do": "sync"}).encode())
    if kind == 3:
        return frame(1, random_.randbytes(random_.randrange(200)))  # not UTF-8
    if kind == 4:
        return frame(2, random_.randbytes(random_.randrange(5000)))
    if kind == 5:
        return frame(random_.choice([0, 3, 7, 9, 10, 11, 15]), random_.randbytes(random_.randrange(140)), random_.random() < 0.5)
    if kind == 6:
        return frame(1, b"x" * 10, length=random_.choice([0, 5, 100, 2**40, 2**63 + 1]))
    return random_.randbytes(random_.randrange(1, 300))


@pytest.mark.parametrize("seed", range(3))
def test_random_frames_do_no_harm(server, seed):
    random_ = random.Random(seed)
    for _ in range(25):
        with server.handshake(BARE + ATTACH, [f"Authorization: Bearer {server.token}"]) as client:
            assert status_of(client) == 101
            with contextlib.suppress(OSError):
                if random_.random() < 0.8:
                    client.sendall(frame(1, json.dumps(HELLO).encode()))
                for _ in range(random_.randrange(1, 40)):
                    client.sendall(nonsense(random_))
                if random_.random() < 0.5:
                    client.shutdown(socket.SHUT_WR)
    # All but the last may still be on its way out.
    wait_for(lambda: attempt(server), "a server that is well")


def attempt(server):
    with contextlib.suppress(ConnectionClosed):
        with server.attach() as inspector:
            inspector.send(json.dumps(HELLO))
            if json.loads(inspector.recv(timeout=DEADLINE)).get("code") == "busy":
                return False
        return server.is_well()


def test_flood_of_frames_ends_the_attachment_only(server):
    with server.attach() as inspector, server.attach() as other:
        for each in (inspector, other):
            each.send(json.dumps(HELLO))
            read_until(each, "synced")
        with contextlib.suppress(ConnectionClosed):
            for n in range(5000):
                inspector.send('{"t":"command","id":%d,"do":"config"}' % n)
        codes = []
        with contextlib.suppress(ConnectionClosed):
            while True:
                found = json.loads(inspector.recv(timeout=DEADLINE))
                codes += [found["code"]] if found["t"] == "refused" else []
        assert codes in (["flood"], [])  # it may be cut off before the word arrives
        other.send('{"t":"command","id":1,"do":"sync"}')
        assert read_until(other, "answer")["ok"] is True
    assert server.is_well()


@pytest.mark.parametrize("name", SERVERS)
def test_flood_of_wrong_tokens_is_locked_out_and_pages_are_served(name, tmp_path):
    with Server(name, tmp_path).running() as server:
        statuses = [server.status(f"wrong-{n}") for n in range(lockout.ADDRESS_FAILURES + 100)]
        assert set(statuses) == {403}
        assert server.status("wrong-again") == 403
        assert server.status(server.token) == 101  # all of a proxy's users share its address
        assert answers(server.url) and server.status(None, BARE) == 101
        text = server.log.read_text(errors="replace")
        assert text.count("refused an inspector") == lockout.ADDRESS_FAILURES
        assert text.count("too many refused inspectors: 127.0.0.1 has to wait 30 s") == 1


@pytest.mark.parametrize("name", SERVERS)
def test_slow_reader_costs_neither_memory_nor_answers(name, tmp_path):
    with Server(name, tmp_path, {"memory_mb": 8}).running() as server:
        where = server.url.replace("http", "ws") + FULL
        with contextlib.ExitStack() as stack:
            inspector = stack.enter_context(server.handshake(BARE + ATTACH, [f"Authorization: Bearer {server.token}"]))
            assert status_of(inspector) == 101
            inspector.sendall(frame(1, json.dumps(HELLO).encode()))  # and never reads again
            page = stack.enter_context(connect(where, origin=server.url, max_size=None, proxy=None))
            page.send(
                json.dumps(
                    {"type": "mount", "view": "lab.views.big_state.BigStateView", "params": {}, "url": "/big/"}
                )
            )
            while json.loads(page.recv(timeout=DEADLINE))["type"] != "mount":
                pass

            def click(ref):
                page.send(json.dumps({"type": "event", "event": "edit_row", "params": {"row_id": ref % 400}, "ref": ref}))
                started = time.monotonic()
                while json.loads(page.recv(timeout=DEADLINE)).get("ref") != ref:
                    pass
                return time.monotonic() - started

            for ref in range(1, 151):
                click(ref)
            before = resident(server.pid)
            # Each step has the whole of the rows, about 200 KB: 50 MB that nobody reads.
            slowest = max(click(ref) for ref in range(151, 401))
            grown = resident(server.pid) - before
            assert grown < 25_000_000, f"{grown / 1e6:.0f} MB more"
            assert slowest < 10.0
        assert server.is_well()


def resident(pid):
    """Bytes of memory that a process uses now."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise AssertionError("no such process")


def test_refused_handshake_has_no_body_and_says_nothing(server):
    with pytest.raises(InvalidStatus) as wrong:
        connect(
            server.url.replace("http", "ws") + BARE + ATTACH,
            additional_headers={"Authorization": "Bearer wrong"},
            proxy=None,
        )
    with pytest.raises(InvalidStatus) as expired:
        connect(
            server.url.replace("http", "ws") + BARE + ATTACH,
            additional_headers={"Authorization": f"Bearer {server.expired}"},
            proxy=None,
        )
    assert wrong.value.response.status_code == expired.value.response.status_code == 403
    assert wrong.value.response.body == expired.value.response.body
    assert b"inspector" not in (wrong.value.response.body or b"").lower()
    assert server.status(server.token) == 101
