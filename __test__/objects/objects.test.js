'use strict';

// The objects that programs hold, in each of their states, looked at in the ways in which programs look: listed, copied,
// inspected, turned into JSON, through a Proxy and a derived object. What is seen must be what ws shows.

const assert = require('node:assert/strict');
const { execFile } = require('node:child_process');
const path = require('node:path');
const test = require('node:test');
const { promisify } = require('node:util');

const root = path.join(__dirname, '..', '..');
const subject = process.env.FERROWS_SUBJECT === 'ws' ? 'ws' : root;

/** @param {string} library @returns {Promise<string[]>} what looks-child.js has seen */
async function looks(library) {
  const file = path.join(__dirname, 'looks-child.js');
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
