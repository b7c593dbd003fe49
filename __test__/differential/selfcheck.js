'use strict';

// Proves that every scenario can fail: each must distinguish at least one mutant (mutants.js) from ws. Run by hand, about two
// minutes: `node selfcheck.js`. Exits with status 1 and lists the scenarios that detect no mutant.

const mutants = require('./mutants');
const { record, scenarios, verdict } = require('./run');
const { combinations, oracle, subject } = require('./subjects');

/** Milliseconds per run with a mutant. A run that does not end counts as detected. */
const LIMIT = 1500;

(async () => {
  // Uncaught exceptions of a mutant count as a run that does not end.
  process.on('uncaughtException', () => {});
  process.on('unhandledRejection', () => {});
  const ws = oracle();
  const all = scenarios();
  const left = [];
  const notices = async (one, model, fault) => {
    const [combination] = combinations(one.kind, ws, subject(`mutant:${fault}`)).actual;
    return verdict(model, await record(one, combination, LIMIT)) !== null;
  };
  const expectation = (one) => record(one, combinations(one.kind, ws, ws).expected);

  for (const one of all) {
    const model = await expectation(one);
    let noticed = false;
    for (const fault of mutants.names) {
      noticed = await notices(one, model, fault);
      if (noticed) break;
    }
    if (!noticed) left.push(`scenario notices no mutant: ${one.name}`);
  }
  console.log(`${all.length} scenarios, ${mutants.names.length} mutants, ${left.length} left over`);
  for (const text of left) console.log(text);
  process.exit(left.length ? 1 : 0);
})();
