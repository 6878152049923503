"""Seeds of the simulated world: see ``simulation``. ``DJUST_INSPECTOR_SEEDS=500`` runs that many, ``FIRST`` on from the given one."""

import gc
import os
from collections import Counter

import djust
import pytest
from djust_inspector import hub, streams, turns
from djust_inspector.hub import HUB
from simulation import world
from simulation.known import KNOWN

NEWEST = djust.__version__ == "1.2.6"
SEEDS = int(os.environ.get("DJUST_INSPECTOR_SEEDS", 12 if NEWEST else 4))
FIRST = int(os.environ.get("DJUST_INSPECTOR_FIRST_SEED", 0))
BLOCK = 4


@pytest.fixture(autouse=True)
def the_simulation_looks_at_errors_itself():
    from djust_inspector import guard

    yield
    guard.errors.clear()


@pytest.mark.parametrize("first", range(FIRST, FIRST + SEEDS, BLOCK))
def test_everything_that_happened_is_told_once_or_within_a_gap(first):
    for seed in range(first, min(first + BLOCK, FIRST + SEEDS)):
        run = world.simulate(seed, KNOWN)
        assert run.ledger.happened, f"in seed {seed} nothing happened"


def test_the_same_seed_is_the_same_run():
    first, second = (world.simulate(24, KNOWN).digest.hexdigest() for _ in range(2))
    assert first == second
    assert world.simulate(3, KNOWN).digest.hexdigest() != first


def test_memory_is_flat_when_everybody_has_left():
    def objects():
        gc.collect()
        return Counter(f"{type(o).__module__}.{type(o).__qualname__}" for o in gc.get_objects())

    def again():
        world.simulate(31, KNOWN)  # whose faults that are known leave nothing behind

    again()
    again()
    before = objects()
    again()
    grown = objects() - before
    ours = {name: count for name, count in grown.items() if name.startswith(("djust_inspector.", "simulation.", "djust."))}
    assert not ours and sum(grown.values()) < 200, grown.most_common(10)
    assert not [o for o in gc.get_objects() if type(o) in (turns.Turn, streams.Stream, hub.Inspector)]


SABOTAGE = {
    "a step is lost": "is not told",
    "a step is told twice": "is told 2 times",
    "a state is told wrongly": "really/told",
    "a frame is not numbered": "came after",
    "a page's end is kept quiet": "the end of page",
}


@pytest.mark.parametrize("what", SABOTAGE)
def test_what_is_done_wrong_is_noticed(what, monkeypatch):
    """The model would see it, if the agent did it."""
    publish, frame, count = hub.Hub.publish, hub.Hub.frame, Counter()

    def spoiled(self, kind, body, page=None):
        count[kind] += 1
        event = kind == "step" and '"kind":"event"' in body
        if what == "a step is lost" and event and count[kind] > 20 and not count["done"]:
            count["done"] = 1
            return
        if what == "a step is told twice" and event and count[kind] > 20 and not count["done"]:
            count["done"] = 1
            publish(self, kind, body, page)
        if what == "a state is told wrongly" and event:
            body = body.replace('"count":', '"count":1')
        if what == "a page's end is kept quiet" and kind == "session" and '"phase":"closed"' in body:
            return
        publish(self, kind, body, page)

    def unnumbered(self, kind, body):
        if what == "a frame is not numbered" and kind == "step":
            self.seq -= 1
        return frame(self, kind, body)

    monkeypatch.setattr(hub.Hub, "publish", spoiled)
    monkeypatch.setattr(hub.Hub, "frame", unnumbered)
    with pytest.raises(world.Failed, match=SABOTAGE[what]) as failed:
        world.simulate(32, KNOWN)
    assert "seed 32" in str(failed.value) and "the last actions:" in str(failed.value)
    assert not HUB.inspectors
