"""Injection through ``sitecustomize``: installs in djust processes, leaves all others alone."""

import os
import subprocess
import sys
from pathlib import Path

AGENT = Path(__file__).resolve().parent.parent
PROJECT = AGENT.parent / "tests" / "project"


def python(code, *paths, cwd=None, **env):
    """Run code in a new Python with `inject` first on its path."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("DJUST_INSPECTOR", "PYTHON"))}
    environment["PYTHONPATH"] = os.pathsep.join([str(AGENT / "inject"), *map(str, paths)])
    environment["PYTHONDONTWRITEBYTECODE"] = "1"
    environment.update(env)
    return subprocess.run(
        [sys.executable, "-c", code], env=environment, cwd=cwd, capture_output=True, text=True, timeout=60
    )


def test_program_without_djust_starts_untouched():
    done = python("import sys; print('djust' in sys.modules, 'django' in sys.modules, 'asyncio' in sys.modules)")
    assert done.returncode == 0 and done.stdout == "False False False\n" and done.stderr == ""


def test_hooks_are_in_once_djust_is_imported():
    code = (
        "import django; django.setup()\n"
        "import sys; assert 'djust_inspector.hooks' not in sys.modules or 'djust.websocket' in sys.modules\n"
        "from djust.websocket import LiveViewConsumer as C\n"
        "from djust_inspector import hooks, install\n"
        "before = C.receive\n"
        "assert install() and C.receive is before\n"
        "print(C.receive._djust_inspector, type(sys.modules['djust.websocket'].__loader__).__name__, hooks.missing)"
    )
    done = python(code, PROJECT, DJANGO_SETTINGS_MODULE="config.settings", DEMO_HOT_RELOAD="0")
    assert done.stdout.strip().endswith("True SourceFileLoader []"), done


def test_injected_and_installed_at_once_hook_once():
    code = (
        "import django; django.setup()\n"
        "from djust.websocket import LiveViewConsumer as C\n"
        "depth, f = 0, C.receive\n"
        "while hasattr(f, '__wrapped__'): f = f.__wrapped__; depth += 1\n"
        "print('depth', depth)"
    )
    env = {"DJANGO_SETTINGS_MODULE": "config.settings", "DEMO_HOT_RELOAD": "0", "DEMO_INSTALLED": "1"}
    assert python(code, PROJECT, **env).stdout.strip().endswith("depth 1")
    # Without the injection the app config alone does it.
    alone = python(code, PROJECT, AGENT, **env, PYTHONPATH=os.pathsep.join([str(AGENT), str(PROJECT)]))
    assert alone.stdout.strip().endswith("depth 1"), alone


def test_off_switch():
    code = (
        "import django; django.setup()\n"
        "from djust.websocket import LiveViewConsumer as C\n"
        "print(hasattr(C.receive, '_djust_inspector'))"
    )
    env = {"DJANGO_SETTINGS_MODULE": "config.settings", "DEMO_HOT_RELOAD": "0", "DJUST_INSPECTOR": "0"}
    assert python(code, PROJECT, **env).stdout.strip().endswith("False")


def test_another_sitecustomize_is_run_too(tmp_path):
    (tmp_path / "sitecustomize.py").write_text("import builtins; builtins.other_ran = __file__\n")
    done = python("import builtins, sitecustomize; print(builtins.other_ran == sitecustomize.__file__)", tmp_path)
    assert done.stdout == "True\n" and done.stderr == ""


def test_broken_sitecustomize_of_somebody_else_is_reported_as_python_would(tmp_path):
    (tmp_path / "sitecustomize.py").write_text("raise RuntimeError('theirs')\n")
    done = python("print('still runs')", tmp_path)
    assert done.stdout == "still runs\n" and "theirs" in done.stderr


def test_broken_agent_stays_silent_unless_debugging(tmp_path):
    inject = tmp_path / "inject"
    inject.mkdir()
    (inject / "sitecustomize.py").write_bytes((AGENT / "inject" / "sitecustomize.py").read_bytes())
    package = tmp_path / "djust_inspector"
    package.mkdir()
    (package / "__init__.py").write_text("raise RuntimeError('ours')\n")
    quiet = python("print('runs')", PYTHONPATH=str(inject))
    assert quiet.stdout == "runs\n" and quiet.stderr == ""
    loud = python("print('runs')", PYTHONPATH=str(inject), DJUST_INSPECTOR_DEBUG="1")
    assert loud.stdout == "runs\n" and "ours" in loud.stderr


def test_installed_package_has_all_of_its_folders():
    import re

    text = (AGENT / "pyproject.toml").read_text()
    listed = set(re.findall(r'"([\w.]+)"', re.search(r"^packages = \[(.*)\]$", text, re.MULTILINE).group(1)))
    there = {".".join(f.parent.relative_to(AGENT).parts) for f in (AGENT / "djust_inspector").rglob("__init__.py")}
    assert listed == there
