'use strict';

// proxyquire: another ws for a module, with the real one as a fallback, and without.

const proxyquire = require('proxyquire');
const record = require('../record.cjs');
const specs = require('../specs.cjs');
const WebSocket = require('ws');

(async () => {
  const calls = [];
  class Fake {
    constructor(url) {
      calls.push(url);
    }
    on() {}
    send(data) {
      calls.push(data);
      return 'sent';
    }
  }
  const replaced = proxyquire('./subject.cjs', { ws: Fake });
  record('called through', [
    replaced.send('ws://a', 'b'),
    calls,
    Object.keys(replaced.WebSocket).sort()
  ]);
  const alone = proxyquire.noCallThru()('./subject.cjs', { ws: class extends Fake {} });
  record('not called through', [alone.send('ws://c', 'd'), calls, Object.keys(alone.WebSocket)]);
  // The package itself is loaded again, with one of its modules replaced.
  const loaded = proxyquire.noPreserveCache()('./subject.cjs', {});
  record('loaded again', [
    loaded.WebSocket === WebSocket,
    await specs['an echo'](loaded.WebSocket)
  ]);
})();
