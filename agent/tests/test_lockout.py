"""Failures and waits, on a clock of their own."""

import pytest
import staging
from djust_inspector import access, lockout
from djust_inspector.lockout import Lockout, address_of
from harness import TOKEN, Inspector, run


def test_address_waits_after_too_many_failures_and_longer_each_time():
    gate = Lockout()
    waits = []
    now = 1000.0
    for _ in range(8):
        for n in range(lockout.ADDRESS_FAILURES):
            assert gate.left("a", now) == 0
            began = gate.failed("a", now)
            assert began == ("address" if n == lockout.ADDRESS_FAILURES - 1 else None)
        waits.append(gate.left("a", now))
        assert gate.left("b", now) == 0
        now += waits[-1]
    assert waits[:4] == [30, 60, 120, 240] and max(waits) == lockout.LONGEST_SECS


def test_failures_that_are_far_apart_do_not_add_up():
    gate = Lockout()
    for n in range(200):
        assert gate.failed("a", n * lockout.WINDOW_SECS / (lockout.ADDRESS_FAILURES - 2)) is None


def test_all_wait_after_too_many_failures_but_for_who_attached_lately():
    gate = Lockout()
    gate.passed("known")
    began = [gate.failed(f"host-{n}", 5.0) for n in range(lockout.ALL_FAILURES)]
    assert began[-1] == "all" and not any(began[:-1])
    assert gate.left("new", 5.0) == lockout.FIRST_SECS and gate.left("known", 5.0) == 0
    assert gate.left("new", 5.0 + lockout.FIRST_SECS) == 0


def test_memory_is_bounded():
    gate = Lockout()
    for n in range(20_000):
        gate.failed(f"host-{n}", float(n))
        gate.passed(f"good-{n}")
    assert gate.size() <= lockout.MAX_ADDRESSES + lockout.MAX_KNOWN


def test_success_forgets_the_failures():
    gate = Lockout()
    for _ in range(lockout.ADDRESS_FAILURES - 1):
        gate.failed("a", 1.0)
    gate.passed("a")
    assert gate.failed("a", 1.0) is None


def scope(client, *forwarded):
    return {"client": client, "headers": [(b"X-Forwarded-For", f.encode()) for f in forwarded]}


@pytest.mark.parametrize(
    ("client", "forwarded", "proxies", "expected"),
    [
        (("10.0.0.9", 1), ["1.2.3.4"], 0, "10.0.0.9"),
        (("10.0.0.9", 1), ["1.2.3.4"], 1, "1.2.3.4"),
        (("10.0.0.9", 1), ["6.6.6.6, 1.2.3.4"], 1, "1.2.3.4"),
        (("10.0.0.9", 1), ["6.6.6.6", "1.2.3.4, 10.0.0.1"], 2, "1.2.3.4"),
        (("10.0.0.9", 1), ["1.2.3.4"], 2, "10.0.0.9"),
        (("10.0.0.9", 1), ["not an address\n"], 1, "10.0.0.9"),
        (("10.0.0.9", 1), [], 1, "10.0.0.9"),
        (("::ffff:10.0.0.9", 1), [], 0, "10.0.0.9"),
        (("2001:db8:1:2:3:4:5:6", 1), [], 0, "2001:db8:1:2::/64"),
        (None, [], 0, "unknown"),
        (("/run/socket", None), [], 0, "unknown"),
    ],
)
def test_address_that_counts(client, forwarded, proxies, expected):
    assert address_of(scope(client, *forwarded), proxies) == expected


def test_holder_of_a_random_token_comes_in_while_its_address_and_all_others_are_locked_out(monkeypatch):
    token, fingerprint = staging.make_token()

    async def check():
        with staging.settings(monkeypatch, {"tokens": {"ann": fingerprint}}):
            for n in range(lockout.ALL_FAILURES):
                access.LOCKOUT.failed("127.0.0.1" if n % 2 else f"10.0.0.{n}", access.time.monotonic())
            assert await Inspector("djins_" + "x" * 43).open() is False
            holder = Inspector(token)
            assert await holder.open() is True
            await holder.close()

    run(check())


def test_locked_out_address_is_refused_also_with_a_right_token_that_could_be_guessed(monkeypatch):
    async def check():
        clock = [1000.0]
        monkeypatch.setattr(access.time, "monotonic", lambda: clock[0])
        with staging.log_of() as lines:
            for n in range(lockout.ADDRESS_FAILURES + 5):
                assert await Inspector(f"wrong-{n}").open() is False
            assert await Inspector(TOKEN).open() is False
        # Each attempt is a line until the lockout, and none after it.
        assert len(lines) == lockout.ADDRESS_FAILURES + 1 and "127.0.0.1 has to wait 30 s" in lines[-1]
        clock[0] += lockout.FIRST_SECS + 1
        again = Inspector(TOKEN)
        assert await again.open() is True
        await again.close()
        monkeypatch.undo()

    run(check())
