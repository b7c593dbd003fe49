/** ferrows and the Python package `websockets`, each as client and as server, over FERROWS_TRANSPORT. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import WebSocket from '../subject.cjs';
import { BINARY, CLOSE_CODE, CLOSE_REASON, LONG_TEXT, TEXT } from './payloads.mjs';
import { preparePython, startPython } from './python.mjs';

/** @param {string} name */
const script = (name) => fileURLToPath(new URL(name, import.meta.url));
const TIME_LIMIT = { timeout: 15_000 };

before(() => {
  assert.equal(Buffer.byteLength(LONG_TEXT), 210_000);
  preparePython();
});

describe('client of a websockets server', () => {
  /** @type {ReturnType<typeof startPython>} */
  let server;
  /** @type {string} */
  let url;

  before(async () => {
    server = startPython(script('server.py'));
    url = `ws://127.0.0.1:${(await server.line()).port}`;
  });

  after(async () => assert.equal(await server.end(), 0));

  test('echoes, ping, subprotocol, and a close by ferrows', TIME_LIMIT, async () => {
    const ws = new WebSocket(`${url}/echo`, ['chat', 'superchat']);
    await once(ws, 'open');
    assert.equal(ws.protocol, 'superchat');
    for (const payload of [TEXT, BINARY, LONG_TEXT, '', Buffer.alloc(0)]) {
      const answer = once(ws, 'message');
      ws.send(payload);
      const [data, isBinary] = await answer;
      assert.equal(isBinary, typeof payload !== 'string');
      assert.ok(Buffer.from(payload).equals(data), 'the echo equals the message');
    }

    const whole = once(ws, 'message');
    ws.send('one, ', { fin: false });
    ws.send('two, ', { fin: false });
    ws.send('three');
    assert.equal(String((await whole)[0]), 'one, two, three');

    const pong = once(ws, 'pong');
    ws.ping('are you there?');
    assert.equal(String((await pong)[0]), 'are you there?');

    const closed = once(ws, 'close');
    ws.close(CLOSE_CODE, CLOSE_REASON);
    const [code, reason] = await closed;
    assert.deepEqual([code, String(reason)], [CLOSE_CODE, CLOSE_REASON]);
    assert.deepEqual(await server.line(), { code: CLOSE_CODE, reason: CLOSE_REASON });
  });

  test('answers a ping, and receives a close', TIME_LIMIT, async () => {
    const ws = new WebSocket(`${url}/ping`, 'superchat');
    const pinged = once(ws, 'ping');
    const closed = once(ws, 'close');
    assert.equal(String((await pinged)[0]), 'are you there?');
    const [code, reason] = await closed;
    assert.deepEqual([code, String(reason)], [CLOSE_CODE, CLOSE_REASON]);
    assert.deepEqual(await server.line(), { code: CLOSE_CODE, reason: CLOSE_REASON });
  });
});

describe('server of a websockets client', () => {
  /** @type {import('ferrows').WebSocketServer} */
  let wss;
  /** @type {string} */
  let url;

  before(async () => {
    wss = new WebSocket.WebSocketServer({
      host: '127.0.0.1',
      port: 0,
      handleProtocols: (protocols) => (protocols.has('superchat') ? 'superchat' : false)
    });
    await once(wss, 'listening');
    url = `ws://127.0.0.1:${/** @type {import('ferrows').AddressInfo} */ (wss.address()).port}`;
  });

  after(async () => {
    const closed = once(wss, 'close');
    // Only after a failed test; its client must not keep this process alive.
    for (const ws of wss.clients) ws.terminate();
    wss.close();
    await closed;
  });

  test('echoes, pong, subprotocol, and a close by the peer', TIME_LIMIT, async () => {
    const connected = once(wss, 'connection');
    const client = startPython(script('client.py'), url, 'exchange');
    /** @type {import('ferrows').WebSocket[]} */
    const [ws] = await connected;
    ws.on('message', (data, isBinary) => ws.send(data, { binary: isBinary }));
    const [code, reason] = await once(ws, 'close');
    assert.deepEqual([code, String(reason)], [CLOSE_CODE, CLOSE_REASON]);
    assert.deepEqual(await client.line(), {
      echoes: [true, true, true, true, true, true],
      subprotocol: 'superchat',
      pong: true,
      code: CLOSE_CODE,
      reason: CLOSE_REASON
    });
    assert.equal(await client.end(), 0);
  });

  test('pings, and a close by ferrows', TIME_LIMIT, async () => {
    const connected = once(wss, 'connection');
    const client = startPython(script('client.py'), url, 'listen');
    const [ws] = await connected;
    const pong = once(ws, 'pong');
    ws.ping('are you there?');
    assert.equal(String((await pong)[0]), 'are you there?');
    const closed = once(ws, 'close');
    ws.close(CLOSE_CODE, CLOSE_REASON);
    const [code, reason] = await closed;
    assert.deepEqual([code, String(reason)], [CLOSE_CODE, CLOSE_REASON]);
    assert.deepEqual(await client.line(), {
      echoes: [],
      subprotocol: 'superchat',
      code: CLOSE_CODE,
      reason: CLOSE_REASON
    });
    assert.equal(await client.end(), 0);
  });
});
