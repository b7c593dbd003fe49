/**
 * mocha, ava and node:test run the specifications of project/specs.cjs.
 */

import { compare } from './compare.mjs';

const MOCHA = ['node_modules/mocha/bin/mocha.js', '--check-leaks', 'mocha/*.cjs'];
const AVA = ['--no-warnings', 'node_modules/ava/entrypoints/cli.mjs', 'ava/*.test.mjs'];

compare('mocha', MOCHA, { isGate: false });
compare('mocha --parallel', [...MOCHA, '--parallel', '--jobs=2']);
compare('ava', AVA);
compare('ava without worker threads', [...AVA, '--no-worker-threads'], { isGate: false });
compare('node:test, mock.method', ['--test', 'node-test/specs.test.mjs']);
compare('node:test, mock.timers', ['--test', 'node-test/timers.test.mjs']);
