'use strict';

// NODE_DEBUG=ferrows reports each decision about a transport, and why. Without it nothing is written.

const assert = require('node:assert/strict');
const { execFile } = require('node:child_process');
const path = require('node:path');
const test = require('node:test');
const { promisify } = require('node:util');

const run = promisify(execFile);

/**
 * @param {string} debug value of NODE_DEBUG
 * @param {string} [child] a file of children/
 * @returns {Promise<string>} the standard error of the child
 */
async function debugOutput(debug, child = 'debug.js') {
  const { FERROWS_TRANSPORT: _, ...inherited } = process.env;
  const { stderr } = await run(process.execPath, [path.join(__dirname, 'children', child)], {
    env: { ...inherited, NODE_DEBUG: debug },
    timeout: 60_000
  });
  return stderr;
}

test('decisions are reported', async () => {
  const output = await debugOutput('ferrows');
  for (const line of [
    /^FERROWS \d+: connection \d+ opens on event_loop: transport: auto \(default\)$/m,
    /^FERROWS \d+: connection \d+ opens on stream: transport: stream \(option\); the mode is stream$/m,
    /^FERROWS \d+: connection \d+ opens on io_threads: FERROWS_TRANSPORT=io_threads$/m,
    /^FERROWS \d+: 1 connections became idle, 0 are active$/m,
    /^FERROWS \d+: connection \d+ falls back to stream: on\('data'\) was called$/m
  ]) {
    assert.match(output, line);
  }
});

test('a connection keeps its transport until it has closed', async () => {
  const output = await debugOutput('ferrows', 'closing.js');
  assert.equal(output.match(/opens on event_loop/g)?.length, 28);
  assert.doesNotMatch(output, /falls back/);
});

test('nothing is written without NODE_DEBUG=ferrows', async () => {
  assert.equal(await debugOutput('other'), '');
});
