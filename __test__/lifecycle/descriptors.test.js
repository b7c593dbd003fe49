'use strict';

// Ownership of descriptors: no byte goes to or comes from a connection of another owner, however a descriptor is taken away.
// STORM: rounds of terminated workers, four in each.

const assert = require('node:assert/strict');
const path = require('node:path');
const test = require('node:test');
const { Child } = require('../transport/child');

const { FERROWS_SUBJECT, FERROWS_TRANSPORT = 'auto', STORM = '8' } = process.env;
const SUBJECT = FERROWS_SUBJECT === 'ws' ? 'ws' : path.resolve(__dirname, '../..');

/** @param {import('node:test').TestContext} t @param {string} program @param {Record<string, string>} env */
async function run(t, program, env) {
  const child = new Child(t, `../../lifecycle/children/${program}`, { FERROWS_TRANSPORT, ...env });
  const { code, signal, lines } = await child.finished();
  assert.deepEqual({ code, signal }, { code: 0, signal: null });
  return lines;
}

test('a connection that loses its descriptor behaves like one of ws', async (t) => {
  const expected = await run(t, 'losing.js', { MODULE: 'ws' });
  const actual = await run(t, 'losing.js', { MODULE: SUBJECT });
  assert.equal(actual.length, expected.length);
  for (const [i, one] of actual.entries()) assert.deepEqual(one, expected[i]);
  const strangers = actual.flatMap(({ lines }) =>
    lines.unrelated.filter((text) => text !== 'echo')
  );
  assert.deepEqual(strangers, []);
});

test('workers terminated under load take no bytes of other connections', async (t) => {
  const env = { WORKERS: '4', CLIENTS: '12', KNOCKS: '400', ROUNDS: STORM };
  const [seen] = await run(t, 'storm.js', { MODULE: SUBJECT, ...env });
  const accepted = Number(STORM) * 400;
  assert.deepEqual(seen, { accepted, complete: accepted, terminated: Number(STORM) * 4 });
});
