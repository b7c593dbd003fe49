'use strict';

// Sinon fakes everything that it can before ws is loaded, except `process.nextTick`, which streams need.

const sinon = require('sinon');
const record = require('../record.cjs');
const specs = require('../timers.cjs');

(async () => {
  const clock = sinon.useFakeTimers({ toNotFake: ['nextTick'] });
  const WebSocket = require('ws');
  for (const [name, run] of Object.entries(specs)) {
    record(name, await run(WebSocket, (time) => clock.tickAsync(time)));
  }
  clock.restore();
})();
