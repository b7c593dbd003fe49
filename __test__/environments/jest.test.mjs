/**
 * Jest 29 and 30: every test file is a realm of its own, with a copy of ws of its own. The files are in project/jest/.
 */

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { compare } from './compare.mjs';

const MODULES = '--experimental-vm-modules';

/**
 * Declares a run of Jest, in one process unless `args` differ.
 *
 * @param {number} version
 * @param {string} name
 * @param {string} file in project/jest/, without its extension
 * @param {import('./compare.mjs').Case & { args?: string[], node?: string[] }} [options]
 */
function jest(version, name, file, { args = ['-i'], node = [], env, ...options } = {}) {
  compare(
    `Jest ${version}: ${name}`,
    [
      '--no-warnings',
      ...node,
      `node_modules/jest-${version}/bin/jest.js`,
      '--config=jest/config.cjs',
      ...args,
      `--testPathPattern${version === 30 ? 's' : ''}=/jest/${file}\\.test\\.`
    ],
    { ...options, env: { JEST: String(version), ...env } }
  );
}

/** The handles that --detectOpenHandles names. */
const handles = (/** @type {import('./compare.mjs').Run} */ { stderr }) =>
  [...stderr.matchAll(/^\s+●\s+(\S+)$/gm)].map(([, name]) => name).sort();

/** As many test files as a project may run in one worker. */
const MANY = 30;

const writeMany = (/** @type {string} */ folder) => {
  mkdirSync(join(folder, 'jest/many'), { recursive: true });
  for (let index = 0; index < MANY; index += 1) {
    writeFileSync(
      join(folder, `jest/many/${index}.test.js`),
      `const record = require('../../record.cjs');
const specs = require('../../specs.cjs');
test('an echo', async () => record('${index}', await specs['an echo'](require('ws'))));
test('a compressed echo', async () => record('${index}', await specs['a compressed echo'](require('ws'))));
`
    );
  }
};

for (const version of [30, 29]) {
  const isGate = version === 30;
  jest(version, 'CommonJS', 'specs');
  jest(version, 'ESM', 'esm', { node: [MODULES], isGate });
  jest(version, 'in jsdom', 'specs', { env: { ENVIRONMENT: 'jsdom' }, isGate });
  jest(version, 'the WebSocket of jsdom', 'window', { env: { ENVIRONMENT: 'browser' } });
  jest(version, 'modern fake timers', 'timers', { env: { FAKE: 'modern' } });
  jest(version, 'modern fake timers, of ticks, too', 'timers', { env: { FAKE: 'all' }, isGate });
  jest(version, 'legacy fake timers', 'timers', { env: { FAKE: 'legacy' }, isGate });
  jest(version, 'automock, spies and resetModules', 'mocks', { isGate });
  jest(version, `${MANY} files in one worker`, 'many/\\d+', {
    before: writeMany,
    records: MANY,
    isGate
  });
  // Jest kills a worker that does not exit, and reports that.
  for (const kind of ['processes', 'threads']) {
    jest(version, `${MANY} files in two workers, ${kind}`, 'many/\\d+', {
      args: ['--maxWorkers=2', `--workerThreads=${kind === 'threads'}`],
      before: writeMany,
      read: ({ stderr }) => /failed to exit gracefully|did not exit/.test(stderr),
      records: MANY,
      isGate: false
    });
  }
  for (const left of ['nothing', 'the server', 'everything']) {
    jest(version, `--detectOpenHandles, ${left} left open`, 'handles', {
      args: ['-i', '--detectOpenHandles', '--forceExit'],
      env: { LEFT: left },
      read: handles,
      isGate: isGate && left !== 'everything'
    });
  }
}
