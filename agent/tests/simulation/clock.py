"""Time that passes only where everybody waits, and threads that the event loop waits for.

With both, a run is the same each time: a timer of ten minutes costs nothing, and what a thread does is done before
the loop goes on. Only the processor time of the machine is real, and nothing in a run depends on it.
"""

import asyncio
import concurrent.futures
import contextlib
import random
import selectors
import time
import uuid
from asyncio import events

real_thread_time = time.thread_time
#: Real seconds that a function in a thread may take.
THREAD_SECS = 60.0
#: Where the simulated time begins, as seconds of Unix.
EPOCH = 1_800_000_000.0


class Stuck(AssertionError):
    """Everybody waits, and for nothing that will come."""


class Clock:
    """The time of one run."""

    def __init__(self):
        self.now = 0.0

    @contextlib.contextmanager
    def instead_of_the_machines(self, rng):
        """Let this time be everybody's, and let what is random come from `rng`."""
        fakes = {
            (time, "time"): lambda: EPOCH + self.now,
            (time, "monotonic"): lambda: self.now,
            (time, "perf_counter"): lambda: self.now,
            (time, "thread_time"): lambda: 0.0,
            (uuid, "uuid4"): lambda: uuid.UUID(int=rng.getrandbits(128), version=4),
        }
        originals = {place: getattr(*place) for place in fakes}
        state = random.getstate()
        random.seed(rng.random())
        for (owner, name), fake in fakes.items():
            setattr(owner, name, fake)
        try:
            yield
        finally:
            for (owner, name), original in originals.items():
                setattr(owner, name, original)
            random.setstate(state)


class _Selector(selectors.DefaultSelector):
    """Does not wait: moves the clock instead."""

    def __init__(self, clock):
        super().__init__()
        self.clock = clock

    def select(self, timeout=None):
        found = super().select(0)
        if found or timeout == 0:
            return found
        if timeout is None:
            raise Stuck("everybody waits, and no timer is set")
        self.clock.now += max(timeout, 0.0)
        return found


class _Handle(events.Handle):
    """A callback of the loop, measured."""

    def _run(self):
        begin, end = self._loop.around
        begin()
        try:
            super()._run()
        finally:
            end()


def _nothing():
    pass


class Loop(asyncio.SelectorEventLoop):
    """An event loop with a clock of its own, which waits for its threads."""

    def __init__(self, clock):
        self._clock = clock
        #: Called before and after each callback.
        self.around = (_nothing, _nothing)
        super().__init__(_Selector(clock))
        self._thread = concurrent.futures.ThreadPoolExecutor(1, thread_name_prefix="simulated")

    def time(self):
        return self._clock.now

    def _call_soon(self, callback, args, context):
        handle = _Handle(callback, args, self, context)
        self._ready.append(handle)
        return handle

    def run_in_executor(self, executor, function, *args):
        """As it is, but over when this returns; whichever executor is meant, it is one thread beside the loop's."""
        future = self.create_future()
        try:
            result = self._thread.submit(function, *args).result(THREAD_SECS)
        except concurrent.futures.TimeoutError:
            raise Stuck("a thread waits for the event loop, which waits for it") from None
        except BaseException as error:
            future.set_exception(error)
        else:
            future.set_result(result)
        return future

    def close(self):
        super().close()
        self._thread.shutdown()
