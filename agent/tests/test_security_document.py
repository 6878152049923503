"""``docs/SECURITY.md`` names only tests, settings, commands and limits that exist."""

import ast
import re
from pathlib import Path

from djust_inspector import access, endpoint, lockout, options, serving
from djust_inspector.management.commands.djust_inspector import Command

ROOT = Path(__file__).resolve().parent.parent.parent
TEXT = (ROOT / "docs" / "SECURITY.md").read_text(encoding="utf-8")


def functions_of(file):
    return {node.name for node in ast.parse(file.read_text(encoding="utf-8")).body if isinstance(node, ast.FunctionDef)}


def test_named_tests_exist():
    named = re.findall(r"`([\w./-]+\.(?:py|rs))::(\w+)`", TEXT)
    assert len(named) > 50
    missing = []
    for file, test in named:
        if file.endswith(".rs"):
            source = (ROOT / file).read_text(encoding="utf-8")
            # The window's tests are listed in `cases![…]`, which makes tests of them.
            is_listed = file.endswith("cases.rs")
            found = rf"^    {test},$" if is_listed else rf"#\[(tokio::)?test\b[^\n]*\]\s+(async )?fn {test}\("
            there = re.search(found, source, re.MULTILINE) is not None
        else:
            there = test in functions_of(Path(__file__).parent / file)
        if not there:
            missing.append(f"{file}::{test}")
    assert not missing


def test_every_test_of_the_gate_is_named():
    for file in ("test_gate.py", "test_redaction.py", "test_budget.py"):
        for test in functions_of(Path(__file__).parent / file):
            if test.startswith("test_"):
                assert f"`{file}::{test}`" in TEXT or test in UNNAMED, f"{file}::{test}"


#: Tests of how well it works, not of what is promised here.
UNNAMED = frozenset(
    """test_page_without_the_query_is_djusts_own test_fast_encoder_hides_as_the_walker_does
    test_looking_through_a_text_without_secrets_costs_little test_in_development_nothing_is_bounded
    test_recorder_works_without_debug_and_without_djusts_own_time_travel""".split()
)


def test_settings_and_commands_are_those_of_the_agent():
    table = TEXT[TEXT.index("| key | default | |") : TEXT.index("**The hash**")]
    assert set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)) == set(options.Options.__dataclass_fields__) - {"problems"}
    example = ast.literal_eval(TEXT[TEXT.index("DJUST_INSPECTOR = {") + 18 : TEXT.index("\n```\n", TEXT.index("DJUST_INSPECTOR = {"))])
    for name in ("ann", "ci"):
        entry = example["tokens"][name]
        hashed = "sha256:" + "a" * 64
        example["tokens"][name] = {**entry, "hash": hashed} if isinstance(entry, dict) else hashed
    assert options.read(example, debug=False).problems == ()
    parser = Command().create_parser("manage.py", "djust_inspector")
    for words in re.findall(r"python manage\.py djust_inspector ([a-z ]+?)(?:  |\n)", TEXT):
        assert parser.parse_args(words.split()).do in ("revoke", "off", "status")


def test_limits_are_those_of_the_agent():
    flat = " ".join(TEXT.split())
    for text in (
        f"{lockout.ADDRESS_FAILURES} failures of an address in a minute: it waits {lockout.FIRST_SECS:.0f} s, doubling to {lockout.LONGEST_SECS / 60:.0f} minutes",
        f"{lockout.ALL_FAILURES} of all",
        f"{endpoint.MAX_INSPECTORS} inspectors at once, {endpoint.HELLO_SECS:.0f} s for `hello`, {endpoint.MAX_HELLO // 1024} KiB for it, "
        f"{serving.MAX_FRAME // 1024 // 1024} MiB for any other frame, {serving.MAX_RATE:.0f} frames a second, {serving.MAX_COMMANDS} commands at once",
        f"more than {serving.MAX_DEPTH} levels is passed over, one of more than {serving.MAX_VALUES:,} values",
        f"than {access.MIN_LENGTH} characters",
        f"Without DEBUG {options.STAGING_CPU:g} and {options.STAGING_MEMORY_MB}, else unbounded",
    ):
        assert text in flat, text
