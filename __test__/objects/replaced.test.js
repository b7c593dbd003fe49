'use strict';

// Every member that ws calls or reads through an object (members.js), replaced in every way: the calls of the replacement and
// the rest of the conversation must be those of ws.

const assert = require('node:assert/strict');
const { execFile } = require('node:child_process');
const { mkdtempSync, readFileSync, rmSync, writeFileSync } = require('node:fs');
const { tmpdir } = require('node:os');
const path = require('node:path');
const test = require('node:test');
const { promisify } = require('node:util');
const { isTooLate } = require('./members');

const root = path.join(__dirname, '..', '..');
const subject = process.env.FERROWS_SUBJECT === 'ws' ? 'ws' : root;

/**
 * @param {string} library
 * @param {string} [model] file with the output of another run
 * @returns {Promise<string>} JSON: traces by the names of cases
 */
async function run(library, model = '') {
  const file = path.join(__dirname, 'replace-child.js');
  const { stdout } = await promisify(execFile)(process.execPath, [file, library, model], {
    maxBuffer: 2 ** 28,
    timeout: 240000
  });
  return stdout;
}

/** Without the calls of members that an open connection does not call. */
const withoutCalls = (trace) =>
  Object.fromEntries(Object.entries(trace).filter(([lane]) => !lane.startsWith('calls')));

test('replaced members are called as with ws', async (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'replaced-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const model = path.join(folder, 'model.json');
  writeFileSync(model, await run('ws'));
  const expected = JSON.parse(readFileSync(model, 'utf8'));
  const actual = JSON.parse(await run(subject, model));
  assert.deepEqual(Object.keys(actual), Object.keys(expected));
  assert.ok(Object.keys(expected).length > 400);
  for (const [name, { lanes }] of Object.entries(expected)) {
    await t.test(name, () => {
      const view = isTooLate(name) ? withoutCalls : (trace) => trace;
      assert.deepEqual(view(actual[name].lanes), view(lanes));
    });
  }
});
