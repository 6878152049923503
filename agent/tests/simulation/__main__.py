"""``python -m simulation --seeds 1000 --first 0``, from ``agent/tests``."""

import argparse
import sys
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import conftest  # noqa: E402,F401  (sets Django and the agent up)

from simulation import known, world  # noqa: E402


def main():
    parser = argparse.ArgumentParser(prog="python -m simulation", description="Run seeds of the agent's simulation.")
    parser.add_argument("--seeds", type=int, default=100, help="how many")
    parser.add_argument("--first", type=int, default=0, help="the first of them")
    parser.add_argument("--keep-going", action="store_true", help="go on after a seed that fails")
    parser.add_argument("--known", action=argparse.BooleanOptionalAction, default=True, help="let known faults pass")
    arguments = parser.parse_args()
    began = time.perf_counter()
    failed, counts, longest, agent, total, happened = [], Counter(), {}, 0.0, 0.0, 0
    for seed in range(arguments.first, arguments.first + arguments.seeds):
        try:
            run = world.simulate(seed, known.KNOWN if arguments.known else frozenset())
        except world.Failed as error:
            print(error, flush=True)
            failed.append(seed)
            if not arguments.keep_going:
                break
            continue
        counts += run.counts
        happened += len(run.ledger.happened)
        agent, total = agent + run.meter.agent, total + run.meter.all
        for where, held in run.meter.longest.items():
            longest[where] = max(longest.get(where, (0.0, 0)), (held, seed))
    secs = time.perf_counter() - began
    print(f"{arguments.seeds} seeds in {secs:.1f} s, {happened} things happened; failed: {failed or 'none'}")
    print(f"the agent took {agent:.2f} s of processor time in the event loop, all else {total - agent:.2f} s; it held it longest in")
    for held, seed, where in sorted(((held, seed, where) for where, (held, seed) in longest.items()), reverse=True)[:12]:
        print(f"  {where}: {1000 * held:.2f} ms (seed {seed})")
    print(", ".join(f"{name} {count}" for name, count in sorted(counts.items())))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
