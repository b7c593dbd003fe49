'use strict';

// Runs every scenario once, in every combination, and prints one line of JSON for each: its name, and whether its traces
// were those of ws (null: threads have a say in what comes first). For scripts/compatibility.mjs; differential.test.js is what people run, and shows the differences.

const { record, scenarios, verdict } = require('./run');
const { areThreadsAsked, combinations, oracle, subject } = require('./subjects');

(async () => {
  const ws = oracle();
  const other = subject();
  for (const one of scenarios()) {
    if (!one.onThreads && areThreadsAsked()) {
      console.log(JSON.stringify({ name: one.name, equal: null }));
      continue;
    }
    const { expected, actual } = combinations(one.kind, ws, other);
    const model = await record(one, expected);
    if (model.failure) throw new Error(`${one.name}: ws itself: ${model.failure}`);
    let equal = true;
    for (const combination of actual) {
      if (verdict(model, await record(one, combination)) !== null) equal = false;
    }
    console.log(JSON.stringify({ name: one.name, equal }));
  }
  process.exit(0);
})();
