'use strict';

// Every specification, as CommonJS.

const WebSocket = require('ws');
const record = require('../record.cjs');
const specs = require('../specs.cjs');

for (const [name, run] of Object.entries(specs)) {
  test(name, async () => record(name, await run(WebSocket)));
}
