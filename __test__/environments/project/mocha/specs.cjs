'use strict';

// Every specification. --check-leaks fails a test that leaves a global.

const WebSocket = require('ws');
const record = require('../record.cjs');
const specs = require('../specs.cjs');

describe('ws', () => {
  for (const [name, run] of Object.entries(specs)) {
    it(name, async () => record(name, await run(WebSocket)));
  }
});
