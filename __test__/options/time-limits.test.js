'use strict';

// The options idleTimeout, sendPings and maxLifetime: peers by ws, raw sockets and other processes, in both roles. No test measures
// time: the pings that an answering client gets are the clock of the others.

const assert = require('node:assert/strict');
const { spawn } = require('node:child_process');
const diagnostics = require('node:diagnostics_channel');
const { once } = require('node:events');
const net = require('node:net');
const test = require('node:test');
const theirs = require('ws');
const { connect, frame, request, startServer } = require('./servers');

const { Receiver, WebSocket, WebSocketServer } = require('ferrows');

/** Long enough for a busy machine to answer within half of it. */
const IDLE = 1000;
const HEARTBEAT = 'idle\0';

/** Causes of connections that have closed, by WebSocket. @type {Map<any, string | undefined>} */
const causes = new Map();
/** @param {any} message */
const note = ({ websocket, cause }) => causes.set(websocket, cause);
diagnostics.subscribe('ferrows:connection:close', note);

/**
 * A raw client that never answers, and its connection.
 *
 * @param {test.TestContext} context
 * @param {any} server of startServer()
 */
async function connectSilent(context, { connectRaw, wss }) {
  const connected = once(wss, 'connection');
  const socket = connectRaw(() => socket.write(request()));
  context.after(() => socket.destroy());
  socket.on('error', () => {});
  const [[ws]] = await Promise.all([connected, once(socket, 'readable')]);
  return { socket, ws };
}

/**
 * A client of ws, and its connection.
 *
 * @param {test.TestContext} context
 * @param {any} server
 */
async function connectAnswering(context, { url, wss }) {
  const client = connect(context, url);
  const [[ws]] = await Promise.all([once(wss, 'connection'), once(client, 'open')]);
  return { client, ws };
}

/** @param {any} client @param {number} count automatic pings to wait for */
async function pings(client, count) {
  for (let index = 0; index < count; index++) {
    const [data] = await once(client, 'ping');
    assert.equal(String(data), HEARTBEAT);
  }
}

/** @param {any} ws @returns {Promise<[number, string, string | undefined]>} code, reason and cause of its end */
async function end(ws) {
  const [code, reason] = await once(ws, 'close');
  return [code, String(reason), causes.get(ws)];
}

test('rejects invalid values', () => {
  for (const name of ['idleTimeout', 'maxLifetime']) {
    for (const [value, code] of [
      ['1000', 'ERR_INVALID_ARG_TYPE'],
      [null, 'ERR_INVALID_ARG_TYPE'],
      [-1, 'ERR_OUT_OF_RANGE'],
      [0.5, 'ERR_OUT_OF_RANGE'],
      [2 ** 31, 'ERR_OUT_OF_RANGE']
    ]) {
      const options = { [name]: value };
      assert.throws(() => new WebSocketServer({ noServer: true, ...options }), { code });
      assert.throws(() => new WebSocket('ws://127.0.0.1:1', options), { code });
    }
  }
  const options = /** @type {any} */ ({ sendPings: 1 });
  assert.throws(() => new WebSocketServer({ noServer: true, ...options }), {
    code: 'ERR_INVALID_ARG_TYPE'
  });
});

test.describe('peers at the same time', { concurrency: true }, () => {
  for (const mode of ['port', 'server', 'tls']) {
    test.it(
      `${mode}: a silent peer is pinged and terminated, one that answers is kept`,
      async (t) => {
        const server = await startServer(t, mode, { idleTimeout: IDLE });
        const answering = await connectAnswering(t, server);
        const silent = await connectSilent(t, server);
        answering.ws.on('pong', () => assert.fail('the pong of an automatic ping'));
        /** @type {Buffer[]} */
        const received = [];
        silent.socket.on('data', (chunk) => received.push(chunk));
        assert.deepEqual(await end(silent.ws), [1006, '', 'idleTimeout']);
        assert.ok(
          Buffer.concat(received).toString('latin1').endsWith(`\r\n\r\n\x89\x05${HEARTBEAT}`)
        );
        await pings(answering.client, 4);
        assert.equal(answering.ws.readyState, WebSocket.OPEN);
        // Still a connection as any other.
        answering.ws.on('message', (/** @type {any} */ data) => answering.ws.send(String(data)));
        answering.client.send('echo');
        assert.equal(String((await once(answering.client, 'message'))[0]), 'echo');
        await pings(answering.client, 1);
        answering.client.close(4000);
        assert.deepEqual(await end(answering.ws), [4000, '', undefined]);
      }
    );

    test.it(`${mode}: pongs that answer pings of the program are emitted`, async (t) => {
      const server = await startServer(t, mode, { idleTimeout: IDLE });
      const { client, ws } = await connectAnswering(t, server);
      for (const payload of ['', 'mine']) {
        await pings(client, 1);
        ws.ping(payload);
        assert.equal(String((await once(ws, 'pong'))[0]), payload);
      }
    });

    test.it(`${mode}: without pings only silence counts`, async (t) => {
      const server = await startServer(t, mode, { idleTimeout: IDLE, sendPings: false });
      const silent = await connectAnswering(t, server);
      const busy = await connectAnswering(t, server);
      silent.client.on('ping', () => assert.fail('a ping'));
      busy.client.on('ping', () => assert.fail('a ping'));
      busy.client.on('message', () => busy.client.send('again'));
      busy.ws.on('message', (/** @type {any} */ data) => setImmediate(() => busy.ws.send(data)));
      busy.client.send('begin');
      // Output of the server is no sign of a peer.
      const timer = setInterval(() => silent.ws.send('a push'), IDLE / 5);
      t.after(() => clearInterval(timer));
      assert.deepEqual(await end(silent.ws), [1006, '', 'idleTimeout']);
      assert.equal(busy.ws.readyState, WebSocket.OPEN);
    });

    test.it(`${mode}: a peer that reads slowly is kept until it stops`, async (t) => {
      const server = await startServer(t, mode, { idleTimeout: IDLE });
      const clock = await connectAnswering(t, server);
      const slow = await connectSilent(t, server);
      slow.socket.pause();
      const payload = Buffer.alloc(64 * 1024);
      for (let count = 0; count < 512; count++) slow.ws.send(payload);
      for (let round = 0; round < 6; round++) {
        await pings(clock.client, 1);
        for (let length = 0; length < 4 * 1024 * 1024;) {
          const chunk = slow.socket.read();
          if (chunk === null) await once(slow.socket, 'readable');
          else length += chunk.length;
        }
        assert.equal(slow.ws.readyState, WebSocket.OPEN);
      }
      assert.deepEqual(await end(slow.ws), [1006, '', 'idleTimeout']);
    });

    test.it(`${mode}: a paused connection is kept`, async (t) => {
      const server = await startServer(t, mode, { idleTimeout: IDLE });
      const clock = await connectAnswering(t, server);
      const { socket, ws } = await connectSilent(t, server);
      ws.pause();
      socket.write(frame(1, 'unread'));
      await pings(clock.client, 5);
      assert.equal(ws.readyState, WebSocket.OPEN);
      ws.resume();
      assert.equal(String((await once(ws, 'message'))[0]), 'unread');
      assert.deepEqual(await end(ws), [1006, '', 'idleTimeout']);
    });

    test.it(`${mode}: a lifetime ends with a closing handshake`, async (t) => {
      const server = await startServer(t, mode, { maxLifetime: IDLE / 2 });
      const { client, ws } = await connectAnswering(t, server);
      const closed = once(client, 'close');
      assert.deepEqual(await end(ws), [1000, 'please reconnect', 'maxLifetime']);
      const [code, reason] = await closed;
      assert.deepEqual([code, String(reason)], [1000, 'please reconnect']);
    });
  }

  test.it('a lifetime ends by closeTimeout if the peer does not answer', async (t) => {
    const server = await startServer(t, 'port', { maxLifetime: 100, closeTimeout: 100 });
    const { ws } = await connectSilent(t, server);
    assert.deepEqual(await end(ws), [1006, '', 'maxLifetime']);
  });

  test.it('closeTimeout is the cause of the end of a closing handshake', async (t) => {
    const server = await startServer(t, 'port', { closeTimeout: 100 });
    const { ws } = await connectSilent(t, server);
    ws.close(4001);
    assert.deepEqual(await end(ws), [1006, '', 'closeTimeout']);
  });

  test.it('servers with different limits share nothing', async (t) => {
    const short = await startServer(t, 'port', { idleTimeout: IDLE });
    const none = await startServer(t, 'port', {});
    const long = await startServer(t, 'port', { idleTimeout: 3_600_000, maxLifetime: 3_600_000 });
    const kept = [await connectSilent(t, none), await connectSilent(t, long)];
    const { ws } = await connectSilent(t, short);
    await once(ws, 'close');
    for (const other of kept) assert.equal(other.ws.readyState, WebSocket.OPEN);
  });

  test.it('a connection that falls back to a stream keeps its limits', async (t) => {
    const server = await startServer(t, 'port', { idleTimeout: IDLE });
    const answering = await connectAnswering(t, server);
    const silent = await connectSilent(t, server);
    for (const { ws } of [answering, silent]) ws._socket.on('data', () => {});
    answering.ws.on('pong', () => assert.fail('the pong of an automatic ping'));
    assert.deepEqual(await end(silent.ws), [1006, '', 'idleTimeout']);
    await pings(answering.client, 3);
    assert.equal(answering.ws.readyState, WebSocket.OPEN);
  });

  test.it('a client terminates a server that is silent, and keeps one that answers', async (t) => {
    const answering = new theirs.WebSocketServer({ host: '127.0.0.1', port: 0 });
    t.after(() => answering.close());
    await once(answering, 'listening');
    const { createHash } = require('node:crypto');
    const silent = net.createServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', (head) => {
        const key = /Sec-WebSocket-Key: (.*)\r\n/i.exec(head.toString())?.[1];
        const accept = createHash('sha1')
          .update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
          .digest('base64');
        socket.write(
          `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`
        );
        socket.on('data', (chunk) => bytes.push(chunk));
      });
    });
    /** @type {Buffer[]} */
    const bytes = [];
    t.after(() => silent.close());
    silent.listen(0, '127.0.0.1');
    await once(silent, 'listening');
    /** @param {any} server */
    const open = (server) =>
      new WebSocket(
        `ws://127.0.0.1:${server.address().port}`,
        /** @type {any} */ ({
          idleTimeout: IDLE
        })
      );

    const [kept, lost] = [open(answering), open(silent)];
    t.after(() => kept.terminate());
    kept.on('pong', () => assert.fail('the pong of an automatic ping'));
    const [[peer]] = await Promise.all([once(answering, 'connection'), once(kept, 'open')]);
    assert.deepEqual(await end(lost), [1006, '', 'idleTimeout']);
    // One masked ping.
    const ping = Buffer.concat(bytes);
    assert.deepEqual([ping[0], ping[1], ping.length], [0x89, 0x85, 11]);
    const payload = ping.subarray(6).map((byte, index) => byte ^ ping[2 + (index % 4)]);
    assert.equal(payload.toString(), HEARTBEAT);
    await pings(peer, 3);
    assert.equal(kept.readyState, WebSocket.OPEN);
  });

  test.it('limits keep no process alive', async () => {
    const script = `
      const { WebSocketServer, WebSocket } = require('ferrows');
      const wss = new WebSocketServer({ port: 0, host: '127.0.0.1', idleTimeout: 3600000, maxLifetime: 3600000 });
      wss.on('listening', () => {
        const client = new WebSocket('ws://127.0.0.1:' + wss.address().port, { idleTimeout: 3600000 });
        client.on('open', () => client.close());
        client.on('close', () => wss.close());
      });`;
    const child = spawn(process.execPath, ['-e', script], { cwd: __dirname, stdio: 'inherit' });
    const [code] = await once(child, 'exit');
    assert.equal(code, 0);
  });
});

test('a Receiver of the program that parses', async (t) => {
  const { prototype } = /** @type {any} */ (Receiver);
  const { getInfo } = prototype;
  prototype.getInfo = function (/** @type {any[]} */ ...args) {
    return Reflect.apply(getInfo, this, args);
  };
  t.after(() => {
    prototype.getInfo = getInfo;
  });
  const server = await startServer(t, 'port', { idleTimeout: IDLE });
  const answering = await connectAnswering(t, server);
  answering.ws.on('pong', () => assert.fail('the pong of an automatic ping'));
  const silent = await connectSilent(t, server);
  assert.deepEqual(await end(silent.ws), [1006, '', 'idleTimeout']);
  await pings(answering.client, 3);
  assert.equal(answering.ws.readyState, WebSocket.OPEN);
});

/**
 * A client of ws in a process of its own.
 *
 * @param {test.TestContext} context
 * @param {any} server
 */
async function connectProcess(context, { url, wss }) {
  const script = `
    const client = new (require('ws').WebSocket)(${JSON.stringify(url)});
    client.on('message', (data) => client.send(String(data)));
    client.on('close', () => process.exit());`;
  const child = spawn(process.execPath, ['-e', script], { cwd: __dirname, stdio: 'inherit' });
  context.after(() => child.kill('SIGKILL'));
  const [ws] = await once(wss, 'connection');
  return { child, ws };
}

test('a process that stops is lost, one that is busy elsewhere is not', async (t) => {
  const server = await startServer(t, 'port', { idleTimeout: IDLE });
  const stopped = await connectProcess(t, server);
  const other = await connectProcess(t, server);
  stopped.child.kill('SIGSTOP');
  assert.deepEqual(await end(stopped.ws), [1006, '', 'idleTimeout']);
  // This thread does not see the pongs in time.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 3 * IDLE);
  other.ws.send('echo');
  assert.equal(String((await once(other.ws, 'message'))[0]), 'echo');
});
