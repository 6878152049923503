"""How long the agent holds the event loop: the processor time inside of it, for each callback of the loop.

What the agent does begins in a function that is guarded, or in one of `ALSO`; each is wrapped, and of nested ones the
outermost is measured. Time in other threads does not hold the loop and is left out on both sides.
"""

import functools
import gc
import inspect
import json
import sys
import threading

from djust_inspector import guard

from .clock import real_thread_time

#: Entry points that are not guarded, by module and name; what this agent lacks is passed over.
ALSO = [
    ("endpoint", "_welcome"),
    ("sync", "queue"),
    ("budget", "Budget.allows"),
    ("budget", "Budget.look"),
    ("hub", "Hub.publish"),
    ("sessions", "begin"),
    ("sessions", "of"),
    ("sessions", "register"),
    ("configuration", "describe"),
]


class Meter:
    def __init__(self):
        self._local = threading.local()
        self._main = threading.get_ident()
        self._began = 0.0
        self._inside = 0.0
        #: Seconds of the agent and of everything on the loop's thread.
        self.agent = 0.0
        self.all = 0.0
        #: The longest hold by the agent, by what took most of it; the longest by all else.
        self.longest = {}
        self.longest_other = 0.0
        self._longest_part = (0.0, None)

    def wrap(self, function):
        name = function.__qualname__

        @functools.wraps(function)
        def measured(*args, **kwargs):
            local = self._local
            if getattr(local, "depth", 0) or threading.get_ident() != self._main:
                return function(*args, **kwargs)
            local.depth = 1
            start = real_thread_time()
            try:
                return function(*args, **kwargs)
            finally:
                took = real_thread_time() - start
                local.depth = 0
                self._inside += took
                if took > self._longest_part[0]:
                    self._longest_part = (took, name)

        return measured

    def begin(self):
        self._inside, self._longest_part = 0.0, (0.0, None)
        self._began = real_thread_time()

    def end(self):
        took = real_thread_time() - self._began
        self.all += took
        self.agent += self._inside
        where = self._longest_part[1]
        if self._inside > self.longest.get(where, 0.0):
            self.longest[where] = self._inside
        self.longest_other = max(self.longest_other, took - self._inside)

    def install(self):
        """Wrap everything; a function that undoes it."""
        undo = []

        def put(owner, name, value):
            undo.append((owner, name, inspect.getattr_static(owner, name)))
            setattr(owner, name, value)

        guarded = guard.guarded
        code = guarded(_sample).__code__
        put(guard, "guarded", lambda function: self.wrap(guarded(function)))
        for module in [m for n, m in sorted(sys.modules.items()) if n.startswith("djust_inspector")]:
            for owner in [module, *[c for c in vars(module).values() if inspect.isclass(c) and c.__module__ == module.__name__]]:
                for name, value in list(vars(owner).items()):
                    if getattr(value, "__code__", None) is code:
                        put(owner, name, self.wrap(value))
        for module, path in ALSO:
            owner = sys.modules.get("djust_inspector." + module)
            *classes, name = path.split(".")
            for cls in classes:
                owner = getattr(owner, cls, None)
            value = getattr(owner, name, None)
            if value is not None and not inspect.iscoroutinefunction(value):
                put(owner, name, self.wrap(value))
        collecting = gc.isenabled()
        gc.disable()  # a collection is nobody's work, and would be measured where it happens

        def uninstall():
            for owner, name, value in reversed(undo):
                setattr(owner, name, value)
            if collecting:
                gc.enable()

        return uninstall


#: Processor seconds of `_work` on a core of a current server.
NOMINAL = 0.0032


def slowness():
    """How much longer than there the same work takes here and now; at least 1."""
    took = []
    for _ in range(3):
        start = real_thread_time()
        _work()
        took.append(real_thread_time() - start)
    return max(1.0, min(took) / NOMINAL)


def _work():
    rows = [{"id": n, "text": "row %d of a table " % n * 8, "edits": n % 7} for n in range(1200)]
    return sum(len(row["text"]) for row in json.loads(json.dumps(rows)))


def _sample():
    pass
