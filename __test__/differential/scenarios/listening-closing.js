'use strict';

// Closing a server with its own listener: during incomplete handshakes and verifyClient, the order of events, and the end of
// the process. Statements W1 to W3.

const { once } = require('node:events');
const { scenario } = require('../run');
const { OPCODE } = require('../frames');
const { ENDINGS, acceptRaw } = require('../endings');
const { upgradeRequest } = require('../raw-peer');

/** Closes a server and records the order of events. */
function close(t, wss, lane = 'order') {
  wss.on('close', () => t.log(lane, 'close event', wss.clients.size, wss._server?.listening));
  const called = new Promise((resolve) => {
    t.attempt(lane, 'close', () =>
      wss.close((...args) => resolve(t.log(lane, 'close called back', ...args)))
    );
  });
  t.log(lane, 'closing', wss.address(), wss._server);
  return called;
}

for (const [ending, play] of Object.entries(ENDINGS)) {
  scenario(`W2 close() of a server whose last connection ends: ${ending}`, 'server', async (t) => {
    const onConnection = (ws) => {
      ws.on('close', () => t.log('order', 'close of the WebSocket'));
      ws._socket.on('close', () => t.log('order', 'close of the raw socket'));
    };
    const accepted = await acceptRaw(t, { ending, onConnection });
    const { wss, raw, ws } = accepted;
    const http = wss._server;
    http.on('close', () => t.log('order', 'close of the http.Server'));
    const called = close(t, wss);
    // The connection is open nevertheless.
    ws.send('still here');
    t.logFrames(await raw.frame());
    t.log('order', 'listening', http.listening);
    await play(accepted);
    await called;
    await t.closed(ws);
    t.log('order', 'closed', wss.clients.size, http.listening);
  });
}

scenario('W1 close() with connections, some of which end before', 'server', async (t) => {
  const wss = await t.listen();
  const raws = [];
  const ends = [];
  for (const target of ['/a', '/b', '/c']) {
    const raw = await t.sendRequest(wss, { target });
    const { server } = await t.accepted(wss);
    await raw.head();
    server.on('close', () => t.log('order', 'gone', target, wss.clients.size));
    ends.push(new Promise((resolve) => server.on('close', resolve)));
    raws.push(raw);
  }
  raws[0].finish();
  await ends[0];
  const called = close(t, wss);
  raws[1].reset();
  await ends[1];
  t.log('order', 'one is left', wss.clients.size);
  raws[2].finish();
  await ends[2];
  await called;
});

/** The part of a request that has been sent when the server closes. */
const HALVES = {
  nothing: '',
  'a piece of the first line': 'GET / HT',
  'all but the last line': upgradeRequest().slice(0, -2)
};

for (const [name, half] of Object.entries(HALVES)) {
  scenario(`W1 close() during an incomplete request: ${name}`, 'server', async (t) => {
    const wss = await t.listen();
    const raw = await t.rawClient(wss);
    raw.write(half);
    // Later bytes of another connection are answered, so these have been read.
    const other = await t.sendRequest(wss, { target: '/other' });
    const { server } = await t.accepted(wss);
    await other.head();
    const http = wss._server;
    const called = close(t, wss);
    server.terminate();
    await other.rest();
    other.finish();
    t.log('order', 'http', http.listening);
    raw.write(upgradeRequest().slice(half.length));
    // From Node 26 on, connections that have sent nothing are ended.
    const head = await raw.head().catch(() => undefined);
    if (head === undefined) {
      t.log('wire', 'ended');
    } else {
      t.logHead(head);
      t.log('wire', 'body', await raw.bytes(16));
    }
    raw.finish();
    await called;
  });
}

scenario('W1 close() during several calls of verifyClient', 'server', async (t) => {
  const asked = [];
  const wss = await t.listen({
    verifyClient: ({ req }, callback) => {
      asked.push(callback);
      wss.emit('asked', req.url);
    }
  });
  const raws = [];
  for (const target of ['/yes', '/no', '/gone']) {
    const question = once(wss, 'asked');
    raws.push(await t.sendRequest(wss, { target }));
    t.log('order', 'asked', ...(await question));
  }
  const called = close(t, wss);
  raws[2].reset();
  await raws[2].gone();
  asked[0](true);
  asked[1](false, 404);
  for (const raw of raws.slice(0, 2)) {
    t.logHead(await raw.head());
    t.log('wire', 'body', await raw.rest());
    raw.finish();
  }
  asked[2](true);
  await called;
});

scenario('W1 close() in listeners', 'server', async (t) => {
  for (const event of ['listening', 'connection', 'headers', 'message']) {
    const wss = new t.Server({ port: 0, host: '127.0.0.1' });
    t.defer(() => wss.close());
    const called = new Promise((resolve) => {
      const stop = () => resolve(close(t, wss, event));
      wss.on('connection', (ws) => {
        ws.on('close', () => wss.emit('over'));
        t.watch(`${event}, server`, ws);
        if (event === 'message') ws.on('message', stop);
      });
      if (event !== 'message') wss.on(event, stop);
    });
    if (event !== 'listening') {
      await once(wss, 'listening');
      const over = once(wss, 'over');
      const raw = await t.sendRequest(wss);
      t.logHead(await raw.head());
      raw.send(OPCODE.text, 'close');
      raw.finish();
      await raw.rest();
      await over;
    }
    await called;
  }
});

scenario('W3 close() again and again while connections are open', 'server', async (t) => {
  const { wss, raw, ws } = await acceptRaw(t);
  const calls = ['first', 'second', 'third'].map((lane) => close(t, wss, lane));
  t.attempt('server', 'without a callback', () => wss.close());
  t.attempt('server', 'with nonsense', () => wss.close('nonsense'));
  raw.finish();
  await t.closed(ws);
  await Promise.all(calls);
  await close(t, wss, 'late');
});

scenario('W1 the state of a closed server', 'server', async (t) => {
  const { wss, raw, ws } = await acceptRaw(t);
  const http = wss._server;
  const counts = () =>
    ['connection', 'upgrade', 'request', 'listening', 'error', 'close'].map((event) => [
      event,
      http.listenerCount(event)
    ]);
  t.log('server', 'open', counts());
  const called = close(t, wss);
  t.log('server', 'closing', counts(), wss._server === http, 'clients' in wss);
  t.log('server', 'socket', ws._socket.server === http);
  raw.finish();
  await t.closed(ws);
  await called;
  t.log('server', 'closed', counts(), wss._server === http, http.listening, wss.clients);
});

scenario('W2 close() of the http.Server alone', 'server', async (t) => {
  const { wss, raw, ws } = await acceptRaw(t);
  const http = wss._server;
  wss.on('close', () => t.log('order', 'close of the WebSocketServer'));
  const closed = new Promise((resolve) =>
    http.close((err) => resolve(t.log('order', 'the http.Server called back', err)))
  );
  t.log('order', 'address', wss.address(), http.listening, http.address());
  ws.send('still here');
  t.logFrames(await raw.frame());
  raw.close(1000, 'bye');
  await raw.framesThrough(OPCODE.close);
  raw.finish();
  await t.closed(ws);
  await closed;
  await close(t, wss);
});

for (const what of ['close', 'unref', 'unref and ref', 'unref with a connection', 'nothing']) {
  scenario(
    `W2 the end of a process: ${what}`,
    'server',
    async (t) => {
      const child = t.child('process-end.js', t.serverSubject, { WHAT: what });
      const port = await child.line();
      t.trace.hide(port, 'PORT');
      if (what === 'nothing' || what === 'unref and ref') {
        // The process runs until the server is closed.
        const raw = await t.sendRequest({ address: () => ({ port: Number(port) }) });
        t.logHead(await raw.head());
        raw.finish();
        await raw.rest();
      }
      if (what === 'unref with a connection') {
        const raw = await t.sendRequest({ address: () => ({ port: Number(port) }) });
        await raw.head();
        t.log('child', 'line', await child.line());
        raw.send(OPCODE.text, 'still here');
        t.logFrames(await raw.frame());
        raw.finish();
        await raw.rest();
      }
      const { code, signal, output } = await child.finished;
      t.log('child', 'ended', code, signal, output);
    },
    { isWaiting: true }
  );
}
