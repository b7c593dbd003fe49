'use strict';

// Sentry traces everything and sends nothing.

const Sentry = require('@sentry/node');
const record = require('../record.cjs');

const transactions = [];
Sentry.init({
  dsn: 'http://public@127.0.0.1:1/1',
  tracesSampleRate: 1,
  traceLifecycle: 'static',
  transport: () => ({ send: async () => ({}), flush: async () => true }),
  beforeSendTransaction(event) {
    transactions.push([
      String(event.transaction).replace(/\d{4,}/g, 'PORT'),
      (event.spans ?? []).map(({ op, description }) => [
        op,
        String(description).replace(/\d{4,}/g, 'PORT')
      ])
    ]);
    return event;
  }
});

(async () => {
  const app = require('./app.cjs');
  const WebSocket = require('ws');
  const seen = await Sentry.startSpan({ name: 'program' }, () => app(WebSocket));
  record('the program', seen);
  await Sentry.flush(2000);
  record('transactions', transactions.map((value) => JSON.stringify(value)).sort());
  await Sentry.close(2000);
})();
