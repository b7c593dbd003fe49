'use strict';

// The option handshakeTimeout of servers: late requests and late answers of verifyClient, in every way to get requests.

const assert = require('node:assert/strict');
const { once } = require('node:events');
const test = require('node:test');
const { MODES, answerTo, connect, request, startServer } = require('./servers');

const { WebSocketServer } = require('ferrows');

test('rejects invalid values', () => {
  const options = /** @type {any} */ ({ noServer: true, handshakeTimeout: '1' });
  assert.throws(() => new WebSocketServer(options), { code: 'ERR_INVALID_ARG_TYPE' });
});

for (const mode of MODES) {
  test(`${mode}: a late answer of verifyClient is 408 and has no effect`, async (t) => {
    /** @type {((isVerified: boolean) => void)[]} */
    const answers = [];
    const { wss, ...server } = await startServer(t, mode, {
      handshakeTimeout: 200,
      verifyClient: (/** @type {any} */ _info, /** @type {any} */ answer) => {
        if (answers.length === 0) answers.push(answer);
        else setImmediate(answer, true);
      }
    });
    wss.on('connection', (/** @type {any} */ ws) => ws.send('accepted'));
    const response = await answerTo(server, request());
    assert.match(response, /^HTTP\/1.1 408 Request Timeout\r\n/);
    answers[0](true);
    assert.equal(wss.clients.size, 0);
    const client = connect(t, server.url);
    assert.equal(String((await once(client, 'message'))[0]), 'accepted');
  });
}

test('port: a late request is 408', async (t) => {
  const server = await startServer(t, 'port', { handshakeTimeout: 200 });
  for (const bytes of ['', request().slice(0, -2)]) {
    assert.match(await answerTo(server, bytes), /^HTTP\/1.1 408 Request Timeout\r\n/);
  }
});

test('a connection that is open is not limited', async (t) => {
  const { url, wss } = await startServer(t, 'port', { handshakeTimeout: 100 });
  const client = connect(t, url);
  const [[ws]] = await Promise.all([once(wss, 'connection'), once(client, 'open')]);
  // A later connection is late.
  const { connectRaw } = /** @type {any} */ (
    await startServer(t, 'port', { handshakeTimeout: 300 })
  );
  const late = connectRaw(() => {});
  late.resume();
  await once(late, 'close');
  ws.send('still open');
  assert.equal(String((await once(client, 'message'))[0]), 'still open');
});
