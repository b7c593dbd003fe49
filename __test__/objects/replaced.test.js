'use strict';

// Every member that ws calls or reads through an object (members.js), replaced in every way: what the replacement sees, and
// what becomes of the conversation, must be as with ws.

const assert = require('node:assert/strict');
const { execFile } = require('node:child_process');
const path = require('node:path');
const test = require('node:test');
const { promisify } = require('node:util');
const { BEFORE_OPEN } = require('./members');

const root = path.join(__dirname, '..', '..');
const subject = process.env.FERROWS_SUBJECT === 'ws' ? 'ws' : root;

/** @param {string} library @returns {Promise<Record<string, Record<string, string[]>>>} traces by the names of cases */
async function traces(library) {
  const file = path.join(__dirname, 'child.js');
  const { stdout } = await promisify(execFile)(process.execPath, [file, library], {
    maxBuffer: 2 ** 28,
    timeout: 240000
  });
  return JSON.parse(stdout);
}

/** Without what a member is told that is no longer asked. */
const withoutCalls = (trace) =>
  Object.fromEntries(Object.entries(trace).filter(([lane]) => !lane.startsWith('calls')));

/** @param {string} name @returns {boolean} whether a connection that is open does not ask a replaced member */
function isTooLate(name) {
  const member = /^(?:Receiver\.)?([\w.]+) spied.* after$/.exec(name)?.[1];
  return member !== undefined && BEFORE_OPEN.has(member);
}

test('replaced members are called as with ws', async (t) => {
  const [expected, actual] = await Promise.all([traces('ws'), traces(subject)]);
  assert.deepEqual(Object.keys(actual), Object.keys(expected));
  assert.ok(Object.keys(expected).length > 400);
  for (const [name, model] of Object.entries(expected)) {
    await t.test(name, () => {
      const view = isTooLate(name) ? withoutCalls : (trace) => trace;
      assert.deepEqual(view(actual[name]), view(model));
    });
  }
});
