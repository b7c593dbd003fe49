'use strict';

/*
 * The package as others see it: what publint and attw find in the tarball that npm would publish.
 */

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const { join } = require('node:path');
const { test } = require('node:test');

const root = join(__dirname, '..');

/**
 * Runs a tool of node_modules/.bin and fails with what it printed.
 *
 * @param {string} tool
 * @param {...string} args
 */
function check(tool, ...args) {
  const path = join(root, 'node_modules', '.bin', tool);
  const { status, stdout, stderr } = spawnSync(path, args, { cwd: root, encoding: 'utf8' });
  assert.equal(status, 0, `${stdout}\n${stderr}`);
}

test('publint finds no error in the manifest', () => check('publint', '--strict'));

test('the types resolve in CommonJS, ES modules and bundlers', () => check('attw', '--pack', '.'));
