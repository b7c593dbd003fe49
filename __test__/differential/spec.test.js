'use strict';

// That the scenarios cover the specification, without running them: every statement and every row has a scenario, every
// scenario belongs to a statement, and doc/compatibility.md lists the scenarios that there are.

const assert = require('node:assert/strict');
const { readFileSync } = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');

// All of them, whatever differential.test.js was told to run.
delete process.env.DIFFERENTIAL_ONLY;

const { DIFFERENCES } = require('./differences');
const { ROWS } = require('./rows');
const { scenarios } = require('./run');
const { STATEMENTS, begins, idOf, showing } = require('./statements');

const names = scenarios().map(({ name }) => name);

test('every statement has a scenario', () => {
  const bare = STATEMENTS.filter((statement) => showing(statement, names).length === 0);
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

test('what is named as the scenario of something is there', () => {
  const named = [
    ...STATEMENTS.flatMap(({ id, also = [] }) => also.map((beginning) => [id, beginning])),
    ...ROWS.flatMap(({ row, scenarios: all }) => all.map((beginning) => [row, beginning])),
    ...DIFFERENCES.map(({ scenario }) => ['differences.js', scenario])
  ];
  assert.deepEqual(
    named.filter(([, beginning]) => !names.some((name) => begins(name, beginning))),
    []
  );
});

test('every row of the tables has a scenario', () => {
  assert.deepEqual(
    ROWS.filter(({ scenarios: all }) => all.length === 0).map(({ row }) => row),
    []
  );
});

test('doc/compatibility.md lists the scenarios that there are', () => {
  const text = readFileSync(path.join(__dirname, '../../doc/compatibility.md'), 'utf8');
  const listed = [...text.matchAll(/^ {2}- `(.*)`$/gm)].map(([, name]) => name);
  assert.deepEqual(listed.sort(), [...names].sort(), 'npm run compatibility writes it anew');
  for (const { id, title } of STATEMENTS) assert.ok(text.includes(`| ${id} | ${title} |`), id);
});
