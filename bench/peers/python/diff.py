"""What a library makes of a pair of states that are parsed already: prints its median time in microseconds and its number of changes.

python diff.py LIBRARY BEFORE.json AFTER.json
"""

import json
import statistics
import sys
import time

import jsonpatch
from deepdiff import DeepDiff

LONGEST_SECONDS = 2


def count(tree):
    """The changes of all kinds of a result of DeepDiff."""
    return sum(len(changes) for changes in tree.values())


LIBRARIES = {
    "jsonpatch": (jsonpatch.make_patch, lambda patch: len(patch.patch)),
    "DeepDiff": (DeepDiff, count),
    "DeepDiff, ignore_order": (lambda before, after: DeepDiff(before, after, ignore_order=True), count),
}


def main(name, *files):
    diff, changes_of = LIBRARIES[name]
    before, after = (json.load(open(file, encoding="utf-8")) for file in files)
    times = []
    end = time.perf_counter() + LONGEST_SECONDS
    while not times or time.perf_counter() < end and len(times) < 1_000:
        start = time.perf_counter()
        changes = diff(before, after)
        times.append(time.perf_counter() - start)
    print(json.dumps({"micros": statistics.median(times) * 1e6, "changes": changes_of(changes)}))


main(*sys.argv[1:])
