'use strict';

// Runs every scenario with ws in both roles, then with ferrows in one or both, and compares the traces. One transport per run:
// FERROWS_TRANSPORT=stream|event_loop|io_threads node --test __test__/differential/
//
//   FERROWS_SUBJECT       a replacement for ferrows, see subjects.js
//   DIFFERENTIAL_ONLY     runs scenarios whose name contains this text
//   DIFFERENTIAL_REPEAT   number of repetitions with ferrows

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { Context } = require('./context');
const { compare, scenarios } = require('./run');
const { areThreadsAsked, combinations, oracle, subject } = require('./subjects');
const { Trace } = require('./trace');
const { reasonFor, varies } = require('./differences');

const ws = oracle();
const other = subject();
const transport = process.env.FERROWS_TRANSPORT ?? 'default transport';
const rounds = Number(process.env.DIFFERENTIAL_REPEAT ?? 1);

// Without this test, a silent fallback would test one transport twice.
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
  test(one.name, async () => {
    const all = combinations(one.kind, ws, other);
    const { model, differences } = await compare(one, all, rounds);
    assert.equal(model.failure, null, `${one.name}: ws itself: ${model.failure}`);
    assert.notEqual(model.lines.length, 0, 'a scenario must record something');
    const isListed = other.name === 'ferrows' && reasonFor(one.name, transport) !== null;
    if (!isListed) {
      const found = differences.filter(Boolean);
      assert.ok(
        found.length === 0,
        `${one.name}, ${transport} (- expected, + actual)\n${found.join('\n\n')}`
      );
    } else if (!varies(one.name, transport)) {
      assert.ok(
        differences.every(Boolean),
        `${one.name} is equal now: remove it from differences.js`
      );
    }
  });
}
