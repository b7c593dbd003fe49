'use strict';

// After the last test file, in the process of Jest, which runs the tests with `-i`: records the resources that they left open.
// Jest itself opens and closes a few files, and has timers.

const record = require('../record.cjs');

const OF_JEST = new Set([
  'TTYWrap',
  'PipeWrap',
  'Timeout',
  'Immediate',
  'CloseReq',
  'FSReqCallback',
  'FSReqPromise'
]);

module.exports = async () => {
  // Resources closed in the last test may need a moment.
  for (let turn = 0; turn < 10; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  const { descriptors, warnings, open, listeners } = globalThis.atStart;
  record('left by all files', {
    moreDescriptors: descriptors() - open > 6,
    listeners: process.listenerCount('exit') - listeners,
    warnings,
    resources: process.getActiveResourcesInfo().filter((name) => !OF_JEST.has(name))
  });
};
