'use strict';

// Elastic APM with a transport of its own. It wraps http, and ws only before version 8.

const spans = [];
const transactions = [];
const apm = require('elastic-apm-node').start({
  serviceName: 'program',
  centralConfig: false,
  cloudProvider: 'none',
  metricsInterval: '0s',
  captureSpanStackTraces: false,
  spanCompressionEnabled: false,
  logLevel: 'off',
  transport: () => ({
    config() {},
    addMetadataFilter() {},
    setExtraMetadata() {},
    lambdaStart() {},
    sendSpan: (span) =>
      spans.push([
        span.type,
        span.subtype,
        span.action,
        span.name.replace(/\d{4,}/, 'PORT'),
        span.outcome
      ]),
    sendTransaction: ({ name, type, result }) => transactions.push([name, type, result]),
    sendError() {},
    sendMetricSet() {},
    flush: (options, callback) => (callback ?? options)?.(),
    supportsKeepingUnsampledTransaction: () => true,
    destroy() {}
  })
});
const record = require('../record.cjs');

(async () => {
  const app = require('./app.cjs');
  const WebSocket = require('ws');
  const transaction = apm.startTransaction('program', 'custom');
  record('the program', await app(WebSocket));
  transaction.end();
  await new Promise((resolve) => apm.flush(resolve));
  // Spans are encoded one after the other, asynchronously.
  for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  record('spans', spans.map((value) => JSON.stringify(value)).sort());
  record('transactions', transactions.map((value) => JSON.stringify(value)).sort());
})();
