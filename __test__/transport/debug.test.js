'use strict';

// NODE_DEBUG=ferrows reports each decision about a transport, and why. Without it nothing is written.

const assert = require('node:assert/strict');
const { execFile } = require('node:child_process');
const path = require('node:path');
const test = require('node:test');
const { promisify } = require('node:util');

const run = promisify(execFile);

/** @param {string} debug value of NODE_DEBUG; @returns {Promise<string>} the standard error of children/debug.js */
async function debugOutput(debug) {
  const { FERROWS_TRANSPORT: _, ...inherited } = process.env;
  const { stderr } = await run(process.execPath, [path.join(__dirname, 'children/debug.js')], {
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

test('nothing is written without NODE_DEBUG=ferrows', async () => {
  assert.equal(await debugOutput('other'), '');
});
