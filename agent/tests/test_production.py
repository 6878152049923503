"""What is started where nobody can attach, or where nothing is served: nothing."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

AGENT = Path(__file__).resolve().parent.parent
PROJECT = AGENT.parent / "tests" / "project"

LOOK = """
import atexit, json, os, signal, socket, sys, threading
before = signal.raise_signal, signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
{before}
import django
from django.core.management import execute_from_command_line
if sys.argv[1:]:
    try:
        execute_from_command_line(sys.argv)
    except SystemExit:
        pass
else:
    django.setup()
    import config.asgi
    {serve}
from djust.live_view import LiveView
from djust.websocket import LiveViewConsumer
print("\\nSEEN", json.dumps({{
    "threads": [t.name for t in threading.enumerate() if t is not threading.main_thread()],
    "signals": before == (signal.raise_signal, signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)),
    "hooked": hasattr(LiveViewConsumer.receive, "_djust_inspector"),
    "kept": hasattr(LiveView._inject_client_script, "_djust_inspector"),
    "files": sorted(os.listdir(os.environ["DJUST_INSPECTOR_RUNTIME_DIR"]))
    if os.path.isdir(os.environ["DJUST_INSPECTOR_RUNTIME_DIR"]) else [],
}}))
"""
LISTENS = "s = socket.socket(); s.bind(('127.0.0.1', 0)); s.listen(1)"


def process(tmp_path, *command, serve="pass", before="", **env):
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("DJUST_INSPECTOR", "PYTHON", "DEMO_"))}
    environment.update(
        PYTHONPATH=os.pathsep.join([str(AGENT), str(PROJECT)]),
        PYTHONDONTWRITEBYTECODE="1",
        DJANGO_SETTINGS_MODULE="config.settings",
        DJUST_INSPECTOR_RUNTIME_DIR=str(tmp_path / "runtime"),
        DEMO_DB=str(tmp_path / "db.sqlite3"),
        DEMO_HOT_RELOAD="0",
        DEMO_INSTALLED="1",
        **env,
    )
    done = subprocess.run(
        [sys.executable, "-c", LOOK.format(serve=serve, before=before), *command],
        env=environment, cwd=PROJECT, capture_output=True, text=True, timeout=120,
    )
    assert "SEEN" in done.stdout, done
    return json.loads(done.stdout.rsplit("SEEN", 1)[1])


@pytest.mark.parametrize("command", [["check"], ["migrate", "--verbosity=0"], ["showmigrations"]], ids=lambda c: c[0])
@pytest.mark.parametrize("debug", ["0", "1"])
def test_management_command_that_serves_nothing_starts_nothing(command, debug, tmp_path):
    seen = process(tmp_path, *command, DEMO_DEBUG=debug)
    assert seen["threads"] == [] and seen["signals"] is True and seen["files"] == []


def test_without_debug_and_without_a_token_nothing_of_djust_is_touched(tmp_path):
    seen = process(tmp_path, serve=LISTENS, DEMO_DEBUG="0")
    assert seen == {"threads": [], "signals": True, "hooked": False, "kept": False, "files": []}


def test_with_a_token_but_without_debug_pages_are_recorded_and_nothing_else_is_started(tmp_path):
    for env in (
        {"DJUST_INSPECTOR_TOKEN": "a-token-in-the-environment"},
        {"DEMO_INSPECTOR": json.dumps({"tokens": {"ann": {"hash": "sha256:" + "0" * 64}}})},
    ):
        seen = process(tmp_path, serve=LISTENS, DEMO_DEBUG="0", **env)
        assert seen == {"threads": [], "signals": True, "hooked": True, "kept": True, "files": []}


def test_a_server_in_debug_has_its_file_once_it_listens(tmp_path):
    seen = process(tmp_path, serve=LISTENS, DEMO_DEBUG="1")
    assert seen["hooked"] and seen["threads"] == [] and seen["signals"] is False
    assert any(name.endswith(".json") for name in seen["files"])


@pytest.mark.skipif(not os.path.exists("/proc/self/net/tcp"), reason="no /proc on this system")
def test_sockets_are_looked_up_only_where_a_server_may_listen_without_pythons(tmp_path):
    assert process(tmp_path, DEMO_DEBUG="1")["threads"] == []
    loaded = process(tmp_path, before="sys.modules['uvloop'] = type(sys)('uvloop')", DEMO_DEBUG="1")
    assert loaded["threads"] == ["djust-inspector-listen"]
    started = process(tmp_path, DEMO_DEBUG="1", DJUST_INSPECTOR_RUN="run-1")
    assert started["threads"] == ["djust-inspector-listen"]
