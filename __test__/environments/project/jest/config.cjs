'use strict';

// The configuration of both versions of Jest, chosen by JEST, in the environment ENVIRONMENT. Modules that Jest resolves by
// name are given as paths, because the packages of the other version may be nearer.

const { createRequire } = require('node:module');
const { join } = require('node:path');

const { JEST, ENVIRONMENT = 'node' } = process.env;
const jest = require.resolve(`jest-${JEST}/package.json`);
const config = ['@jest/core', 'jest-config'].reduce(
  (from, name) => createRequire(from).resolve(name),
  jest
);
const { resolve } = createRequire(config);

module.exports = {
  rootDir: __dirname,
  cacheDirectory: join(process.env.TMPDIR, 'jest'),
  haste: { enableSymlinks: false },
  runner: resolve('jest-runner'),
  testRunner: resolve('jest-circus/runner'),
  testEnvironment:
    ENVIRONMENT === 'node'
      ? resolve('jest-environment-node')
      : require.resolve(`jest-environment-jsdom-${JEST}`),
  // A program that uses ws in jsdom needs Node's globals, too.
  testEnvironmentOptions:
    ENVIRONMENT === 'jsdom' ? { customExportConditions: ['node', 'require'] } : {},
  testMatch: ['**/*.test.{js,mjs}'],
  transform: {},
  globalSetup: join(__dirname, 'setup.cjs'),
  globalTeardown: join(__dirname, 'teardown.cjs')
};
