'use strict';

// Opening handshakes that fail at the client: statements C8 to C14 and every handshake message of 1.11.

const net = require('node:net');
const { once } = require('node:events');
const { scenario } = require('../run');
const { OPCODE, closeBody, frame } = require('../frames');

/** 101 responses that a client refuses: name, changed headers, requested protocols, options. */
const REFUSED = [
  ['no Upgrade', { Upgrade: null }],
  ['another Upgrade', { Upgrade: 'h2c' }],
  ['Upgrade with more tokens', { Upgrade: 'websocket, h2c' }],
  ['no Sec-WebSocket-Accept', { 'Sec-WebSocket-Accept': null }],
  ['a wrong Sec-WebSocket-Accept', { 'Sec-WebSocket-Accept': 'AAAAAAAAAAAAAAAAAAAAAAAAAAA=' }],
  ['an unrequested subprotocol', { 'Sec-WebSocket-Protocol': 'a' }],
  ['another subprotocol', { 'Sec-WebSocket-Protocol': 'c' }, ['a', 'b']],
  ['a subprotocol in different case', { 'Sec-WebSocket-Protocol': 'A' }, ['a', 'b']],
  ['no subprotocol', {}, ['a', 'b']],
  ['an unrequested extension', { 'Sec-WebSocket-Extensions': 'permessage-deflate' }],
  ['Upgrade before Accept', { Upgrade: 'x', 'Sec-WebSocket-Accept': 'y' }],
  ['Accept before subprotocol', { 'Sec-WebSocket-Accept': 'y', 'Sec-WebSocket-Protocol': 'z' }],
  [
    'subprotocol before extension',
    { 'Sec-WebSocket-Protocol': 'z', 'Sec-WebSocket-Extensions': 'permessage-deflate' }
  ]
];

for (const [name, headers, protocols] of REFUSED) {
  scenario(`C10 a 101 with ${name}`, 'client', async (t) => {
    const listening = await t.rawServer();
    const ws = t.openClient(listening.url, protocols);
    const raw = await listening.next();
    raw.accept(await raw.head(), { headers });
    await t.closed(ws);
    await raw.rest();
    raw.finish();
    await raw.gone();
  });
}

scenario('C10 protocol is set when the extensions are refused', 'client', async (t) => {
  const listening = await t.rawServer();
  const ws = t.openClient(listening.url, ['a', 'b']);
  ws.on('error', () => t.log('client', 'protocol', ws.protocol));
  const raw = await listening.next();
  raw.accept(await raw.head(), {
    headers: { 'Sec-WebSocket-Protocol': 'b', 'Sec-WebSocket-Extensions': '' }
  });
  await t.closed(ws);
});

scenario('C10 a 101 without Connection', 'client', async (t) => {
  const listening = await t.rawServer();
  const ws = t.openClient(listening.url);
  const raw = await listening.next();
  raw.accept(await raw.head(), { headers: { Connection: null } });
  await t.closed(ws);
});

scenario('C10 Upgrade in any case and any Connection with upgrade', 'client', async (t) => {
  const listening = await t.rawServer();
  const ws = t.openClient(listening.url, ['a', 'b']);
  const raw = await listening.next();
  raw.accept(await raw.head(), {
    headers: { Upgrade: 'WEBSOCKET', Connection: 'x, upgrade', 'Sec-WebSocket-Protocol': 'b' }
  });
  await t.opened(ws);
  t.log('client', 'protocol', ws.protocol);
});

scenario('C8 frames in the segment of the 101', 'client', async (t) => {
  const listening = await t.rawServer();
  const ws = t.openClient(listening.url);
  // ws delivers them before the ticks and microtasks of 'open' listeners. Later delivery is allowed, so these are not recorded.
  const raw = await listening.next();
  const after = Buffer.concat([
    frame(OPCODE.text, 'one'),
    frame(OPCODE.ping, 'two'),
    frame(OPCODE.binary, 'three'),
    frame(OPCODE.close, closeBody(1001, 'four'))
  ]);
  raw.accept(await raw.head(), { after });
  t.logFrames(...(await raw.framesThrough(OPCODE.close)));
  raw.finish();
  await t.closed(ws);
});

scenario('C8 informational responses before the 101 are skipped', 'client', async (t) => {
  const listening = await t.rawServer();
  const ws = t.openClient(listening.url);
  const raw = await listening.next();
  const head = await raw.head();
  raw.write('HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n');
  raw.accept(head, { after: frame(OPCODE.text, 'x') });
  await t.emitted(ws, 'message');
});

for (const call of ['close', 'terminate']) {
  scenario(`C9 ${call}() in a listener of upgrade`, 'client', async (t) => {
    const listening = await t.rawServer();
    const ws = t.openClient(listening.url);
    ws.on('upgrade', () => {
      ws[call]();
      t.trace.event('client', call, [], ws);
    });
    const raw = await listening.next();
    raw.accept(await raw.head(), { after: frame(OPCODE.text, 'never seen') });
    await t.closed(ws);
  });

  scenario(`C14 ${call}() right after the constructor`, 'client', async (t) => {
    const listening = await t.rawServer();
    const ws = t.openClient(listening.url);
    t.attempt('client', call, () => ws[call](1000, 'reason'));
    t.trace.event('client', 'state', [], ws);
    t.attempt('client', `${call} again`, () => ws[call]());
    process.nextTick(() => t.log('client', 'tick'));
    await t.closed(ws);
  });

  scenario(`C14 ${call}() after the request was sent`, 'client', async (t) => {
    const listening = await t.rawServer();
    const ws = t.openClient(listening.url);
    const raw = await listening.next();
    await raw.head();
    ws[call]();
    t.trace.event('client', 'state', [], ws);
    await t.closed(ws);
    await raw.rest();
    raw.finish();
    await raw.gone();
  });

  scenario(`C12 an unexpected response with a listener, then ${call}()`, 'client', async (t) => {
    const server = await t.http((request, response) => {
      response.writeHead(401, { 'X-Why': 'because' });
      response.end('who are you');
    });
    const ws = t.openClient(t.url(server));
    ws.on('unexpected-response', (request, response) => {
      t.log('client', 'unexpected-response', request, response, response.headers['x-why']);
      t.trace.event('client', 'state', [], ws);
      response.setEncoding('utf8').on('data', (text) => t.log('client', 'body', text));
      response.on('end', () => ws[call]());
    });
    await t.closed(ws);
  });
}

/** Responses other than 101, without a listener. */
const UNEXPECTED = [200, 204, 301, 400, 401, 404, 426, 500, 503];

scenario('C12 unexpected responses without a listener', 'client', async (t) => {
  const server = await t.http((request, response) => {
    response.writeHead(Number(request.url.slice(1)), { Location: '/elsewhere' }).end();
  });
  for (const status of UNEXPECTED) await t.closed(t.openClient(`${t.url(server)}/${status}`));
});

scenario('C12 destroying the request of an unexpected response', 'client', async (t) => {
  const listening = await t.rawServer();
  const ws = t.openClient(listening.url);
  const answered = once(ws, 'unexpected-response');
  const raw = await listening.next();
  await raw.head();
  raw.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nnot all of it');
  const [request] = await answered;
  request.destroy();
  await raw.rest();
  t.trace.event('client', 'state', [], ws);
});

scenario(
  'C11 handshakeTimeout',
  'client',
  async (t) => {
    const listening = await t.rawServer();
    const ws = t.openClient(listening.url, undefined, { handshakeTimeout: 20 });
    await t.closed(ws);
  },
  { isWaiting: true }
);

scenario(
  'C11 handshakeTimeout after an incomplete response',
  'client',
  async (t) => {
    const listening = await t.rawServer();
    const ws = t.openClient(listening.url, undefined, { handshakeTimeout: 40 });
    const raw = await listening.next();
    await raw.head();
    raw.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: ');
    await t.closed(ws);
  },
  { isWaiting: true }
);

scenario('C11 handshakeTimeout has no effect after open', 'client', async (t) => {
  const { raw, ws } = await t.withRawPeer({ handshakeTimeout: 5000 });
  t.log('client', 'timeout of the socket', ws._socket.timeout);
  raw.send(OPCODE.text, 'x');
  await t.emitted(ws, 'message');
});

scenario('C13 connection refused', 'client', async (t) => {
  // A free port: bound and closed again.
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  t.hidePort(port);
  await new Promise((resolve) => server.close(resolve));
  const ws = t.openClient(`ws://127.0.0.1:${port}`);
  process.nextTick(() => t.log('client', 'tick'));
  await t.closed(ws);
});

scenario('C13 no such Unix socket', 'client', async (t) => {
  await t.closed(t.openClient('ws+unix:/nonexistent/socket:/'));
});

/** Responses that are not HTTP or incomplete. */
const GARBAGE = [
  ['the connection is closed', '', 'finish'],
  ['the connection is reset', '', 'reset'],
  ['not HTTP', 'SSH-2.0-OpenSSH_9.6\r\n', 'finish'],
  ['an incomplete status line', 'HTTP/1.1 10', 'finish'],
  ['incomplete headers', 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: webso', 'finish'],
  ['a non-numeric status', 'HTTP/1.1 abc Nope\r\n\r\n', 'finish'],
  ['a header with NUL', 'HTTP/1.1 101 OK\r\nUpgrade: web\0socket\r\n\r\n', 'finish'],
  ['binary', Buffer.from([0x81, 5, 104, 101, 108, 108, 111]), 'finish']
];

for (const [name, bytes, leave] of GARBAGE) {
  scenario(`C13 in place of a response: ${name}`, 'client', async (t) => {
    const listening = await t.rawServer();
    const ws = t.openClient(listening.url);
    const raw = await listening.next();
    await raw.head();
    if (bytes.length) raw.write(bytes);
    raw[leave]();
    await t.closed(ws);
  });
}
