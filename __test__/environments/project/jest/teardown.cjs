'use strict';

// After the last test file, in the process of Jest, which is that of the tests with `-i`: records what they have left there. Jest
// itself opens and closes a few files, and has timers.

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
  // What was closed in the last test may still be on its way.
  for (let turn = 0; turn < 10; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  const { descriptors, warnings, open, listeners } = globalThis.atStart;
  record('left by all files', {
    moreDescriptors: descriptors() - open > 6,
    listeners: process.listenerCount('exit') - listeners,
    warnings,
    resources: process.getActiveResourcesInfo().filter((name) => !OF_JEST.has(name))
  });
};
