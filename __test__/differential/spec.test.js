'use strict';

// Coverage of the specification, without running a scenario: every statement of SPEC.md and every row of api-coverage.js has a
// scenario, every scenario belongs to a statement, and the generated parts of SPEC.md and doc/compatibility.md are current.

const assert = require('node:assert/strict');
const { readFileSync } = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');

// All scenarios, whatever differential.test.js is restricted to.
delete process.env.DIFFERENTIAL_ONLY;

const { ROWS } = require('./api-coverage');
const { DIFFERENCES, differencesTable } = require('./differences');
const { scenarios } = require('./run');
const { SPEC, STATEMENTS, begins, idOf, proving, withScenarios } = require('./spec');

const all = scenarios();
const names = all.map(({ name }) => name);

test('every statement has a scenario', () => {
  const bare = STATEMENTS.filter((statement) => proving(statement, all).length === 0);
  assert.deepEqual(
    bare.map(({ id }) => id),
    []
  );
});

test('every scenario belongs to a statement', () => {
  const known = new Set(STATEMENTS.map(({ id }) => id));
  assert.equal(known.size, STATEMENTS.length, 'a statement is listed twice');
  assert.deepEqual(
    names.filter((name) => !known.has(idOf(name))),
    []
  );
});

test('every scenario that is referred to exists', () => {
  const named = [
    ...STATEMENTS.flatMap(({ id, also }) => also.map((beginning) => [id, beginning])),
    ...ROWS.flatMap(({ row, scenarios: some }) => some.map((beginning) => [row, beginning])),
    ...DIFFERENCES.map(({ scenario }) => ['differences.js', scenario])
  ];
  assert.deepEqual(
    named.filter(([, beginning]) => !names.some((name) => begins(name, beginning))),
    []
  );
});

test('every row of the API has a scenario', () => {
  assert.deepEqual(
    ROWS.filter(({ scenarios: some }) => some.length === 0).map(({ row }) => row),
    []
  );
});

test('SPEC.md lists the scenarios of each statement', () => {
  const text = readFileSync(SPEC, 'utf8');
  assert.equal(withScenarios(text, all), text, 'run npm run compatibility -- --spec');
});

test('doc/compatibility.md lists the differences and counts all scenarios', () => {
  const text = readFileSync(path.join(__dirname, '../../doc/compatibility.md'), 'utf8');
  assert.ok(text.includes(differencesTable()), 'run npm run compatibility');
  const counts = [...text.matchAll(/^\| (\w+) \| (\d+) \| \d+ \| \d+ \| \d+ \|$/gm)];
  const onThreads = all.filter(({ onThreads: isRun }) => isRun).length;
  assert.deepEqual(
    counts.map(([, transport, count]) => [transport, Number(count)]),
    [
      ['stream', all.length],
      ['event_loop', all.length],
      ['io_threads', onThreads]
    ],
    'run npm run compatibility'
  );
});
