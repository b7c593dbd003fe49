'use strict';

// Uses of `ws._socket` and `wss._server` by programs: 3.1.

const { once } = require('node:events');
const { scenario } = require('../run');
const { KEY, OPCODE, frame } = require('../frames');

const BOTH = ['server', 'client'];
const { text, ping, close } = OPCODE;

/** Expires after the last message, and not before: the pauses between messages are much shorter. */
const IDLE = 400;
const STEP = 25;

for (const direction of ['received', 'sent']) {
  scenario(
    `3.1 a timeout of the raw socket does not fire while messages are ${direction}`,
    BOTH,
    async (t) => {
      const { raw, ws, lane } = await t.withRawPeer();
      const timedOut = once(ws._socket, 'timeout');
      const same = ws._socket.setTimeout(IDLE, () => t.log(lane, 'timed out'));
      t.log(lane, 'returned', same === ws._socket, ws._socket.timeout);
      for (let i = 0; i < (1.5 * IDLE) / STEP; i++) {
        if (direction === 'received') raw.send(text, String(i));
        else ws.send(String(i), () => t.log(lane, 'sent', i));
        await new Promise((resolve) => setTimeout(resolve, STEP));
      }
      t.log(lane, 'nothing more');
      await timedOut;
      t.trace.event(lane, 'state', [], ws);
      ws.close(1000);
      await raw.framesThrough(close);
    },
    { isWaiting: true }
  );
}

scenario(
  '3.1 a timeout of the raw socket is switched off',
  BOTH,
  async (t) => {
    const { raw, ws, lane } = await t.withRawPeer();
    ws._socket.setTimeout(30, () => t.log(lane, 'switched off, and fired all the same'));
    ws._socket.setTimeout(0);
    await new Promise((resolve) => setTimeout(resolve, 90));
    t.log(lane, 'timeout', ws._socket.timeout);
    raw.send(text, 'still here');
    await t.emitted(ws, 'message');
  },
  { isWaiting: true }
);

scenario(
  '3.1 a timeout listener that terminates',
  BOTH,
  async (t) => {
    const { ws } = await t.withRawPeer();
    ws._socket.setTimeout(20, () => ws.terminate());
    await t.closed(ws);
  },
  { isWaiting: true }
);

scenario('3.1 options of the raw socket', 'pair', async (t) => {
  const { server, client, request } = await t.pair();
  for (const [lane, { _socket: socket }] of Object.entries({ server, client })) {
    t.log(lane, 'keepalive', socket.setKeepAlive(true, 1000) === socket);
    t.log(lane, 'keepalive off', socket.setKeepAlive(false) === socket);
    t.log(lane, 'delay', socket.setNoDelay(false) === socket, socket.setNoDelay() === socket);
    t.log(lane, 'unref', socket.unref() === socket, socket.ref() === socket);
    socket.token = { of: lane };
    socket.bytesReadEx = 0;
    t.log(lane, 'expandos', socket.token, socket.bytesReadEx, Object.isExtensible(socket));
    t.log(lane, 'class', socket instanceof require('node:net').Socket, socket.constructor.name);
    t.log(lane, 'handle', Boolean(socket._handle), typeof socket._handle.fd);
    t.log(lane, 'state', socket._writableState.length, socket._writableState.finished);
    t.log(lane, 'flags', socket.connecting, socket.pending, socket.destroyed, socket.readyState);
  }
  t.log('server', 'fd', server._socket._handle.fd !== client._socket._handle.fd);
  t.log('server', 'identity', server._socket === request.socket, request.socket.token);
  client.send('x');
  await t.emitted(server, 'message');
  client.close();
  await t.closed(server, client);
  for (const [lane, { _socket: socket }] of Object.entries({ server, client })) {
    t.log(lane, 'afterwards', socket.token, socket.destroyed, socket.readyState);
  }
});

scenario('3.1 byte counters of the raw socket', BOTH, async (t) => {
  const { raw, ws, lane } = await t.withRawPeer();
  const { _socket: socket } = ws;
  const before = [socket.bytesRead, socket.bytesWritten];
  const show = (what) =>
    t.log(lane, what, socket.bytesRead - before[0], socket.bytesWritten - before[1]);
  raw.send(text, 'x'.repeat(500));
  await t.emitted(ws, 'message');
  show('after a message');
  ws.send('y'.repeat(300));
  await raw.frame();
  show('after sending one');
  raw.send(ping, 'p');
  await raw.frame();
  await t.emitted(ws, 'ping');
  show('after a ping and its answer');
  socket.write(frame(text, 'by hand', t.kind === 'client' ? { key: KEY } : {}));
  await raw.frame();
  show('after a raw write');
  ws.close(1000);
  await raw.framesThrough(close);
  raw.close(1000);
  await raw.rest();
  raw.finish();
  await t.closed(ws);
  show('when closed');
});

scenario('3.1 cork and uncork of the raw socket', BOTH, async (t) => {
  const { raw, ws, lane } = await t.withRawPeer();
  const { _socket: socket } = ws;
  socket.cork();
  socket.cork();
  ws.send('one');
  ws.ping('two');
  ws.send(Buffer.alloc(70000, 'three'));
  t.log(lane, 'corked', socket.writableCorked);
  socket.uncork();
  t.log(lane, 'once', socket.writableCorked);
  const sent = new Promise((resolve) => ws.send('four', resolve));
  socket.uncork();
  t.log(lane, 'twice', socket.writableCorked);
  t.logFrames(await raw.frame(), await raw.frame(), await raw.frame(), await raw.frame());
  t.log(lane, 'sent', !(await sent), ws.bufferedAmount);
});

scenario('3.1 messages sent while the raw socket is corked wait and count', BOTH, async (t) => {
  const { raw, ws, lane } = await t.withRawPeer();
  ws._socket.cork();
  ws.send('held back');
  t.log(lane, 'corked', ws.bufferedAmount, ws._socket.writableLength);
  // A round trip on another connection: enough time for anything that is not held back.
  const { ws: other, raw: otherRaw } = await t.withRawPeer();
  other.send('x');
  await otherRaw.frame();
  t.log(lane, 'later', ws.bufferedAmount, ws._socket.writableLength);
  ws._socket.uncork();
  t.logFrames(await raw.frame());
});

scenario('3.1 pause and resume of the raw socket', BOTH, async (t) => {
  const { raw, ws, lane } = await t.withRawPeer();
  const { _socket: socket } = ws;
  socket.on('pause', () => t.log(lane, 'socket pause'));
  socket.on('resume', () => t.log(lane, 'socket resume'));
  t.log(lane, 'pause', socket.pause() === socket, socket.isPaused(), ws.isPaused);
  raw.send(text, 'while paused');
  raw.send(ping, 'while paused');
  // Writing still works, and its round trip is enough time for anything that is not held back.
  ws.send('from the paused side');
  t.logFrames(await raw.frame());
  t.log(lane, 'resume', socket.resume() === socket, socket.isPaused());
  t.logFrames(await raw.frame());
  await t.emitted(ws, 'ping');
});

scenario('3.1 data listeners of the raw socket', BOTH, async (t) => {
  const { raw, ws, lane } = await t.withRawPeer();
  let bytes = 0;
  const heard = new Promise((resolve) => {
    ws._socket.on('data', (chunk) => {
      bytes += chunk.length;
      if (bytes >= raw.make(text, 'for two').length) resolve();
    });
  });
  raw.send(text, 'for two');
  await heard;
  await t.emitted(ws, 'message');
  t.log(lane, 'bytes heard', bytes);
});

scenario('3.1 events of the raw socket at the end', BOTH, async (t) => {
  for (const end of ['close', 'fin']) {
    const { raw, ws, lane } = await t.withRawPeer();
    for (const event of ['end', 'finish', 'close', 'error']) {
      ws._socket.on(event, (...args) => t.log(`${lane} ${event}`, 'socket', ...args));
    }
    ws._socket.prependListener('close', () => t.trace.event(`${lane} first`, 'close', [], ws));
    if (end === 'close') {
      raw.close(1000);
      await raw.framesThrough(close);
    }
    raw.finish();
    await t.closed(ws);
    t.log(lane, 'socket', ws._socket.destroyed, ws._socket.writableFinished);
  }
});

for (const call of ['destroy', 'end', 'destroySoon', 'resetAndDestroy']) {
  scenario(`3.1 ${call} of the raw socket`, BOTH, async (t) => {
    const { raw, ws, lane } = await t.withRawPeer();
    ws.send('before');
    t.logFrames(await raw.frame());
    t.log(lane, 'returned', ws._socket[call]() === ws._socket);
    t.trace.event(lane, 'state', [ws._socket.destroyed, ws._socket.writable], ws);
    if (call !== 'resetAndDestroy') await raw.rest();
    raw.finish();
    await t.closed(ws);
  });
}

scenario('3.1 write callbacks and refusals of the raw socket', BOTH, async (t) => {
  const { raw, ws, lane } = await t.withRawPeer();
  const own = t.kind === 'client' ? { key: KEY } : {};
  const { _socket: socket } = ws;
  await new Promise((resolve) => socket.write(frame(text, 'one', own), resolve));
  t.logFrames(await raw.frame());
  const bytes = frame(text, 'two', own);
  t.log(lane, 'returned', socket.write(bytes.toString('hex'), 'hex'));
  t.logFrames(await raw.frame());
  t.attempt(lane, 'nonsense', () => socket.write({}));
  t.attempt(lane, 'nothing', () => socket.write(null));
  ws.terminate();
  await t.closed(ws);
  await new Promise((resolve) =>
    socket.write('late', (err) => resolve(t.log(lane, 'late', err.code)))
  );
});

scenario('3.1 _server of a WebSocketServer', 'server', async (t) => {
  const wss = await t.listen();
  t.log('server', 'listening', wss._server.listening, wss._server.constructor.name);
  t.log('server', 'address', wss._server.address().port === wss.address().port);
  wss._server.removeAllListeners('request');
  wss._server.on('request', (request, response) => {
    t.log('server', 'request', request);
    response.end('from the user');
  });
  const { raw } = await t.request(wss, { headers: { Connection: 'close', Upgrade: null } });
  t.log('wire', 'body', await raw.rest());
  await t.request(wss, {});
  const { server } = await t.accepted(wss);
  const count = await new Promise((resolve, reject) =>
    wss._server.getConnections((err, all) => (err ? reject(err) : resolve(all)))
  );
  t.log('server', 'connections', count);
  server.terminate();
  await t.closed(server);
  const mine = await t.http();
  const second = await t.listen({ server: mine });
  t.log('server', 'server of the user', second._server === mine);
});

scenario('3.1 _server of a WebSocketServer without one', 'server', async (t) => {
  const wss = await t.listen({ noServer: true });
  t.log('server', '_server', wss._server);
  await new Promise((resolve) => wss.close(resolve));
  t.log('server', 'closed', wss._server);
});

scenario('3.1 closeAllConnections of the http.Server', 'server', async (t) => {
  const wss = await t.listen();
  await t.request(wss, {});
  const { server } = await t.accepted(wss);
  wss._server.closeIdleConnections();
  server.send('not idle');
  wss._server.closeAllConnections();
  t.trace.event('server', 'state', [], server);
  server.terminate();
  await t.closed(server);
});

scenario('3.1 members that begin with an underscore', 'pair', async (t) => {
  const { wss, server, client } = await t.pair({ protocols: ['p'] });
  const names = ['_isServer', '_closeFrameReceived', '_closeFrameSent', '_readyState', '_protocol'];
  const more = ['_binaryType', '_closeCode', '_extensions', '_paused', '_autoPong'];
  const show = () => {
    for (const [lane, ws] of Object.entries({ server, client })) {
      for (const name of [...names, ...more]) t.log(lane, name, ws[name]);
      t.log(lane, 'objects', typeof ws._receiver, typeof ws._sender);
    }
  };
  show();
  t.log('server', 'url', server._url, client._url === client.url);
  t.log('server', 'sender', server._sender._socket === server._socket);
  t.log('client', 'sender', client._sender._bufferedBytes, client._sender._state);
  client.close(3000, 'bye');
  await t.closed(server, client);
  show();
  for (const [lane, ws] of Object.entries({ server, client })) {
    t.log(lane, 'message', ws._closeMessage);
  }
  t.log('server', 'options', wss.options === wss.options, wss.options.port);
});

scenario('3.1 the side that closed first, at the time of close()', 'pair', async (t) => {
  const { server, client } = await t.pair();
  for (const [lane, ws] of Object.entries({ server, client })) {
    const original = ws.close;
    ws.close = function (...args) {
      t.log(lane, 'close called', args, this._closeFrameReceived, this._closeFrameSent);
      return original.apply(this, args);
    };
  }
  client.close(3000, 'bye');
  await t.closed(server, client);
});

scenario('3.1 _receiver shows its settings', BOTH, async (t) => {
  for (const options of [{}, { maxPayload: 5, skipUTF8Validation: true }]) {
    const { ws, lane } = await t.withRawPeer(options);
    const { _maxPayload, _skipUTF8Validation, _binaryType } = ws._receiver;
    t.log(lane, '_receiver', _maxPayload, _skipUTF8Validation, _binaryType);
  }
});

scenario('3.1 settings of _receiver can be changed', BOTH, async (t) => {
  const { raw, ws, lane } = await t.withRawPeer();
  ws._receiver._skipUTF8Validation = true;
  raw.send(text, Buffer.from([0xff, 0xfe]));
  await t.emitted(ws, 'message');
  ws._receiver._maxPayload = 4;
  t.log(lane, 'after', ws._receiver._maxPayload, ws._receiver._skipUTF8Validation);
  raw.send(text, '1234');
  raw.send(text, '12345');
  t.logFrames(...(await raw.framesThrough(close)));
  raw.finish();
  await t.closed(ws);
});

scenario('3.1 _receiver without ping listeners does not answer', BOTH, async (t) => {
  const { raw, ws, lane } = await t.withRawPeer();
  t.log(
    lane,
    'listeners',
    ws._receiver.listenerCount('ping'),
    ws._receiver.listenerCount('message')
  );
  ws._receiver.removeAllListeners('ping');
  raw.send(ping, 'unanswered');
  raw.send(text, 'heard');
  await t.emitted(ws, 'message');
  ws.send('nothing before this');
  t.logFrames(await raw.frame());
});
