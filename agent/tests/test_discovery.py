"""The discovery file of real server processes: written when they listen, gone when they end."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

AGENT = Path(__file__).resolve().parent.parent
PROJECT = AGENT.parent / "tests" / "project"
DEADLINE = 40.0
BIN = Path(sys.executable).parent


def wait_for(condition, what):
    """Poll until the condition holds. The deadline is generous: a loaded machine starts servers slowly."""
    end = time.monotonic() + DEADLINE
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.05)
    raise AssertionError(f"{what} did not happen within {DEADLINE} s")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def serve(command, runtime, cwd=PROJECT, **env):
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("DJUST_INSPECTOR", "PYTHON"))}
    environment["PYTHONDONTWRITEBYTECODE"] = "1"
    environment.update(
        PYTHONPATH=str(AGENT / "inject"),
        DJANGO_SETTINGS_MODULE="config.settings",
        DJUST_INSPECTOR_RUNTIME_DIR=str(runtime),
        DEMO_HOT_RELOAD="0",
    )
    environment.update(env)
    log = open(runtime.parent / "server.log", "wb")
    process = subprocess.Popen(command, cwd=cwd, env=environment, stdout=log, stderr=log, start_new_session=True)
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # its own session: reloaders have children
        process.wait()
        log.close()


def files(runtime):
    return sorted(runtime.glob("*.json")) if runtime.exists() else []


def read(runtime):
    found = files(runtime)
    return json.loads(found[0].read_text()) if found else None


def commands(port):
    python = sys.executable
    return {
        "runserver": [python, "manage.py", "runserver", f"127.0.0.1:{port}"],
        "runserver --noreload": [python, "manage.py", "runserver", "--noreload", str(port)],
        "uvicorn": [str(BIN / "uvicorn"), "config.asgi:application", "--port", str(port)],
        "python -m uvicorn": [python, "-m", "uvicorn", "config.asgi:application", f"--port={port}"],
        "uvicorn --reload": [python, "-m", "uvicorn", "config.asgi:application", "--reload", "--port", str(port)],
        "daphne": [str(BIN / "daphne"), "-p", str(port), "config.asgi:application"],
    }


@pytest.mark.parametrize("name", list(commands(0)))
def test_server_is_found_before_any_request_and_gone_at_its_end(name, tmp_path):
    runtime = tmp_path / "runtime"
    port = free_port()
    with serve(commands(port)[name], runtime, DJUST_INSPECTOR_RUN="run-7") as process:
        found = wait_for(lambda: read(runtime), f"discovery file of {name}")
        assert found["url"] == f"http://127.0.0.1:{port}" and found["ws_path"] == "/ws/live/"
        assert found["protocol"] == 1 and found["run"] == "run-7" and found["debug"] is True
        assert found["cwd"] == str(PROJECT) and len(found["token"]) >= 40
        file = files(runtime)[0]
        assert len(files(runtime)) == 1 and file.stem == str(found["pid"])
        assert os.name != "posix" or (file.stat().st_mode & 0o777, runtime.stat().st_mode & 0o777) == (0o600, 0o700)
        wait_for(lambda: answers(found["url"]), "an answer")
        assert websocket_status(found, None) == 403
        assert websocket_status(found, "wrong") == 403
        assert websocket_status(found, found["token"]) == 101
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGTERM)
        wait_for(lambda: not files(runtime), f"removal of the file of {name}")
        wait_for(lambda: process.poll() is not None, "end of the process")


def test_workers_of_one_server_have_one_token(tmp_path):
    runtime = tmp_path / "runtime"
    port = free_port()
    command = [*commands(port)["uvicorn"], "--workers", "3"]
    with serve(command, runtime):
        found = wait_for(lambda: _all(runtime, 3), "three discovery files")
        assert len({entry["token"] for entry in found}) == 1 and len({entry["pid"] for entry in found}) == 3
        shared = list(runtime.glob("*.token"))
        assert len(shared) == 1 and shared[0].stat().st_mode & 0o777 == 0o600
        for _ in range(6):
            assert websocket_status(found[0], found[0]["token"]) == 101


def _all(runtime, count):
    found = [json.loads(file.read_text()) for file in files(runtime)]
    return found if len(found) == count else None


def answers(url):
    try:
        urllib.request.urlopen(url + "/counter/", timeout=10).read()
        return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False


def websocket_status(found, token):
    """The HTTP status of a WebSocket handshake with the debug endpoint."""
    host, port = found["url"].rsplit("/", 1)[1].split(":")
    with socket.create_connection((host, int(port)), timeout=15) as client:
        lines = [
            f"GET {found['ws_path']}?djust_inspector=1 HTTP/1.1",
            f"Host: {host}:{port}",
            "Upgrade: websocket",
            "Connection: Upgrade",
            "Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==",
            "Sec-WebSocket-Version: 13",
            f"Origin: {found['url']}",
        ]
        if token is not None:
            lines.append(f"Authorization: Bearer {token}")
        client.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        return int(client.recv(4096).split()[1])


@pytest.mark.parametrize("name", ["uvicorn", "daphne", "runserver --noreload"])
def test_attached_inspector_is_told_of_the_end(name, tmp_path):
    from websockets.exceptions import ConnectionClosed
    from websockets.sync.client import connect

    runtime = tmp_path / "runtime"
    with serve(commands(free_port())[name], runtime) as process:
        found = wait_for(lambda: read(runtime), "discovery file")
        wait_for(lambda: answers(found["url"]), "an answer")
        with connect(
            found["url"].replace("http", "ws") + "/ws/live/?djust_inspector=1",
            origin=found["url"],
            additional_headers={"Authorization": f"Bearer {found['token']}"},
            max_size=None,
        ) as socket_:
            socket_.send(json.dumps({"t": "hello", "protocol": 1, "inspector": "test", "resume": None}))
            kinds = []
            while "synced" not in kinds:
                kinds.append(json.loads(socket_.recv(timeout=DEADLINE))["t"])
            assert kinds[0] == "welcome"
            os.kill(process.pid, signal.SIGTERM)
            with contextlib.suppress(ConnectionClosed):
                while True:
                    kinds.append(json.loads(socket_.recv(timeout=DEADLINE))["t"])
            assert kinds[-1] == "bye"


def test_interrupt_removes_the_file_too(tmp_path):
    runtime = tmp_path / "runtime"
    with serve(commands(free_port())["uvicorn"], runtime) as process:
        wait_for(lambda: read(runtime), "discovery file")
        os.kill(process.pid, signal.SIGINT)
        wait_for(lambda: not files(runtime), "removal")


def test_killed_server_leaves_a_stale_file_that_the_next_one_removes(tmp_path):
    runtime = tmp_path / "runtime"
    with serve(commands(free_port())["uvicorn"], runtime) as process:
        first = wait_for(lambda: read(runtime), "discovery file")
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    assert read(runtime) == first
    with serve(commands(free_port())["uvicorn"], runtime):
        wait_for(lambda: [f.stem for f in files(runtime)] != [str(first["pid"])], "clean-up")
        assert read(runtime)["pid"] != first["pid"] and len(files(runtime)) == 1


@pytest.mark.parametrize("name", ["runserver", "uvicorn --reload"])
def test_autoreload_replaces_the_file_by_that_of_the_new_process(name, tmp_path):
    runtime = tmp_path / "runtime"
    project = tmp_path / "project"
    shutil.copytree(PROJECT, project, ignore=shutil.ignore_patterns("*.sqlite3", "__pycache__"))
    with serve(commands(free_port())[name], runtime, cwd=project):
        first = wait_for(lambda: read(runtime), "discovery file")
        wait_for(lambda: answers(first["url"]), "an answer")
        source = project / "lab" / "pages.py"

        def restarted():
            # The reloader may not be watching yet, so the change is made again.
            source.write_text(source.read_text() + "\n# changed\n")
            end = time.monotonic() + 3
            while time.monotonic() < end:
                found = read(runtime)
                if found and found["pid"] != first["pid"]:
                    return found
                time.sleep(0.05)
            return None

        second = wait_for(restarted, "restart")
        assert second["url"] == first["url"] and len(files(runtime)) == 1
        assert second["token"] != first["token"]


def test_without_debug_and_without_token_there_is_no_file_and_no_endpoint(tmp_path):
    runtime = tmp_path / "runtime"
    port = free_port()
    with serve(commands(port)["uvicorn"], runtime, DEMO_DEBUG="0"):
        url = f"http://127.0.0.1:{port}"
        wait_for(lambda: answers(url), "an answer")
        assert not files(runtime)
        # The route is then djust's own again and nothing else.
        assert websocket_status({"url": url, "ws_path": "/ws/live/"}, "anything") == 101


def test_staging_has_a_token_but_no_file_unless_run_started_it(tmp_path):
    runtime = tmp_path / "runtime"
    port = free_port()
    with serve(commands(port)["uvicorn"], runtime, DEMO_DEBUG="0", DJUST_INSPECTOR_TOKEN="staging-token"):
        url = f"http://127.0.0.1:{port}"
        wait_for(lambda: answers(url), "an answer")
        assert not files(runtime)
        found = {"url": url, "ws_path": "/ws/live/"}
        assert websocket_status(found, "staging-token") == 101 and websocket_status(found, "x") == 403


def test_management_command_writes_no_file(tmp_path):
    runtime = tmp_path / "runtime"
    with serve([sys.executable, "manage.py", "check"], runtime) as process:
        process.wait(timeout=60)
        assert process.returncode == 0 and not files(runtime)


def test_listening_socket_is_found_in_proc_without_the_hook():
    from djust_inspector import listening

    if not os.path.exists("/proc/self/net/tcp"):
        pytest.skip("no /proc on this system")
    import _socket

    raw = _socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    raw.bind(("127.0.0.1", 0))
    raw.listen(1)
    assert raw.getsockname() in listening.from_proc()
    raw.close()


@pytest.mark.parametrize(
    ("argv", "port"),
    [
        (["manage.py", "runserver"], 8000),
        (["manage.py", "runserver", "--noreload", "0.0.0.0:9000"], 9000),
        (["uvicorn", "a:b", "--port", "7"], 7),
        (["uvicorn", "a:b", "--port=7"], 7),
        (["daphne", "-b", "0.0.0.0", "-p", "81", "a:b"], 81),
        (["hypercorn", "--bind", "127.0.0.1:99"], 99),
        (["celery"], None),
    ],
)
def test_port_of_the_command_line(argv, port):
    from djust_inspector.listening import port_from_argv

    assert port_from_argv(argv) == port
