// What Redux DevTools' recorder makes of states that arrive as JSON: prints the time per step, of the last steps, of a jump, and the memory.
//
//   node --expose-gc redux.mjs STATES.ndjson STEPS

import { readFileSync } from "node:fs";
import { instrument } from "@redux-devtools/instrument";
import { legacy_createStore as createStore } from "redux";

const [file, count] = [process.argv[2], Number(process.argv[3])];
const lines = readFileSync(file, "utf8").trimEnd().split("\n");
const reducer = (state = {}, action) => (action.type === "step" ? action.state : state);
const store = createStore(reducer, instrument(undefined, { maxAge: Infinity }));

const micros = (run) => {
  const start = performance.now();
  run();
  return (performance.now() - start) * 1_000;
};
const quantile = (times, part) => times.sort((a, b) => a - b)[Math.min(times.length - 1, Math.floor(times.length * part))];

const memory = () => {
  globalThis.gc();
  return process.memoryUsage().heapUsed;
};
const empty = memory();
const last = [];
const all = micros(() => {
  for (let step = 0; step < count; step++) {
    const time = micros(() => store.dispatch({ type: "step", state: JSON.parse(lines[step % lines.length]) }));
    if (step >= count - 100) last.push(time);
  }
});
const megabytes = (memory() - empty) / 1e6;
const jumps = [];
for (let nth = 0; nth < 300; nth++) {
  const to = (nth * 7_919) % count;
  jumps.push(micros(() => store.liftedStore.dispatch({ type: "JUMP_TO_STATE", index: to, actionId: to })));
}
console.log(
  JSON.stringify({ micros: all / count, last: quantile(last, 0.5), p50: quantile(jumps, 0.5), p99: quantile(jumps, 0.99), megabytes }),
);
