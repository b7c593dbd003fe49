'use strict';

// The same in a file of its own, for --parallel: every specification. --check-leaks fails a test that leaves a global.

const WebSocket = require('ws');
const record = require('../record.cjs');
const specs = require('../specs.cjs');

describe('ws', () => {
  for (const [name, run] of Object.entries(specs)) {
    it(name, async () => record(`again: ${name}`, await run(WebSocket)));
  }
});
