'use strict';

// Runs every scenario once in every combination and prints a line of JSON for each: its name, and true if all traces are equal
// to those of ws (null if it is not run over this transport). For scripts/compatibility.mjs; differential.test.js shows the
// differences.

const { compare, scenarios } = require('./run');
const { areThreadsAsked, combinations, oracle, subject } = require('./subjects');

(async () => {
  const ws = oracle();
  const other = subject();
  for (const one of scenarios()) {
    if (!one.onThreads && areThreadsAsked()) {
      console.log(JSON.stringify({ name: one.name, equal: null }));
      continue;
    }
    const { model, differences } = await compare(one, combinations(one.kind, ws, other));
    if (model.failure) throw new Error(`${one.name}: ws itself: ${model.failure}`);
    const equal = differences.every((difference) => difference === null);
    console.log(JSON.stringify({ name: one.name, equal }));
  }
  process.exit(0);
})();
