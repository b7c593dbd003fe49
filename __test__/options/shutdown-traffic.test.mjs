// Shutdowns while 300 clients of ws send as fast as they get answers: no acknowledged message is lost, and nothing is left behind.

import assert from 'node:assert/strict';
import test from 'node:test';
import { runTraffic } from './traffic.mjs';

const CONNECTIONS = 300;
const ROUNDS = 5;

for (let round = 1; round <= ROUNDS; round++) {
  test(`round ${round}`, async () => {
    const sockets = () =>
      process.getActiveResourcesInfo().filter((name) => /TCP/.test(name)).length;
    const before = sockets();
    const { messages } = await runTraffic(CONNECTIONS, 300, 0);
    assert.ok(messages > CONNECTIONS);
    assert.equal(sockets(), before);
  });
}
