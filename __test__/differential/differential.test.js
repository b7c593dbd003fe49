'use strict';

// Entry point: runs every scenario with ws on all sides, then with ferrows on one or both, and wants equal traces.
// Run once per transport: FERROWS_TRANSPORT=stream|io_threads node --test __test__/differential/
//
//   FERROWS_SUBJECT       what stands in for ferrows, see subjects.js
//   DIFFERENTIAL_ONLY     text that a scenario's name must contain
//   DIFFERENTIAL_REPEAT   run everything so many times

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { Context } = require('./context');
const { record, scenarios, verdict } = require('./run');
const { areThreadsAsked, combinations, oracle, subject } = require('./subjects');
const { Trace } = require('./trace');
const { reasonFor, varies } = require('./differences');

const ws = oracle();
const other = subject();
const transport = process.env.FERROWS_TRANSPORT ?? 'default transport';
const rounds = Number(process.env.DIFFERENTIAL_REPEAT ?? 1);

// Without this, a socket that quietly took the other way would have one transport tested twice.
if (other.name === 'ferrows' && process.env.FERROWS_TRANSPORT) {
  test(`connections are carried by ${transport}`, async () => {
    const { threads } = require('../../binding.js');
    const trace = new Trace();
    const context = new Context({ kind: 'pair', server: other, client: other, trace });
    await context.pair();
    assert.equal(threads() > 0, transport === 'io_threads');
    await context.dispose();
  });
}

for (const one of scenarios()) {
  if (!one.onThreads && other.name === 'ferrows' && areThreadsAsked()) continue;
  test(one.name, async (t) => {
    const { expected, actual } = combinations(one.kind, ws, other);
    const model = await record(one, expected);
    assert.equal(model.failure, null, `${one.name}: ws itself: ${model.failure}`);
    assert.notEqual(model.lines.length, 0, 'a scenario must record something');
    for (let round = 1; round <= rounds; round++) {
      for (const combination of actual) {
        await t.test(`${combination.label} #${round}`, async () => {
          const difference = verdict(model, await record(one, combination));
          const reason = other.name === 'ferrows' ? reasonFor(one.name, transport) : null;
          if (reason) {
            assert.ok(
              difference || varies(one.name, transport),
              `${one.name} is equal now: take it off differences.js`
            );
          } else if (difference) {
            assert.fail(
              `${one.name}\n${combination.label}, ${transport} (- expected, + actual)\n${difference}`
            );
          }
        });
      }
    }
  });
}
