// What a library makes of a pair of states that are parsed already: prints its median time in microseconds and its number of changes.
//
//   node diff.mjs LIBRARY BEFORE.json AFTER.json

import { readFileSync } from "node:fs";

const NAME_OF_ELEMENT = (element, index) => element?.id ?? element?.pk ?? `$$index:${index}`;

/** The leaves of a delta of jsondiffpatch. */
function leaves(delta) {
  if (delta === undefined) return 0;
  if (Array.isArray(delta)) return 1;
  return Object.entries(delta).reduce((sum, [key, value]) => sum + (key === "_t" ? 0 : leaves(value)), 0);
}

const libraries = {
  "fast-json-patch": async () => {
    const { compare } = (await import("fast-json-patch")).default;
    return [compare, (patch) => patch.length];
  },
  microdiff: async () => {
    const diff = (await import("microdiff")).default;
    return [diff, (changes) => changes.length];
  },
  jsondiffpatch: async () => {
    const { create } = await import("jsondiffpatch");
    const differ = create();
    return [(before, after) => differ.diff(before, after), leaves];
  },
  "jsondiffpatch, objectHash": async () => {
    const { create } = await import("jsondiffpatch");
    const differ = create({ objectHash: NAME_OF_ELEMENT });
    return [(before, after) => differ.diff(before, after), leaves];
  },
  "jsondiffpatch, text diffs": async () => {
    const { create } = await import("jsondiffpatch/with-text-diffs");
    const differ = create({ objectHash: NAME_OF_ELEMENT });
    return [(before, after) => differ.diff(before, after), leaves];
  },
};

const LONGEST_MS = 2_000;
const [name, ...files] = process.argv.slice(2);
const [diff, count] = await libraries[name]();
const [before, after] = files.map((file) => JSON.parse(readFileSync(file, "utf8")));
const times = [];
const end = performance.now() + LONGEST_MS;
let changes;
// The first runs are those that the compiler has not seen: the median is over all, and there are many.
do {
  const start = performance.now();
  changes = diff(before, after);
  times.push(performance.now() - start);
} while (performance.now() < end && times.length < 2_000);
times.sort((a, b) => a - b);
console.log(JSON.stringify({ micros: times[times.length >> 1] * 1_000, changes: count(changes) }));
