'use strict';

// The objects that programs hold, in each of their states, listed, copied, inspected, converted to JSON, and accessed through a
// Proxy and a derived object: the results must be those of ws.

const assert = require('node:assert/strict');
const { execFile } = require('node:child_process');
const path = require('node:path');
const test = require('node:test');
const { promisify } = require('node:util');

const root = path.join(__dirname, '..', '..');
const subject = process.env.FERROWS_SUBJECT === 'ws' ? 'ws' : root;

/** @param {string} library @returns {Promise<string[]>} the output of inspect-child.js */
async function looks(library) {
  const file = path.join(__dirname, 'inspect-child.js');
  const { stdout } = await promisify(execFile)(process.execPath, [file, library], {
    maxBuffer: 2 ** 26,
    timeout: 60000
  });
  return JSON.parse(stdout);
}

test('objects look like those of ws', async () => {
  const [expected, actual] = await Promise.all([looks('ws'), looks(subject)]);
  assert.ok(expected.length > 300);
  const differing = expected.flatMap((line, index) =>
    line === actual[index] ? [] : [`- ${line}`, `+ ${actual[index]}`]
  );
  assert.deepEqual(differing, []);
  assert.equal(actual.length, expected.length);
});
