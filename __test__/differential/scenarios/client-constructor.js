'use strict';

// Arguments, exceptions and requests of `new WebSocket(...)`: statements C1 to C7, C17 and the client options.

const http = require('node:http');
const net = require('node:net');
const { once } = require('node:events');
const { scenario } = require('../run');
const { OPCODE } = require('../frames');

scenario('C2 addresses that throw', 'api', (t) => {
  const addresses = [
    undefined,
    '',
    'x',
    'ftp://127.0.0.1/',
    'ws://',
    'ws://127.0.0.1/#part',
    'ws+unix:',
    'mailto:x@y',
    'ws://127.0.0.1:99999/',
    {},
    12,
    new URL('file:///x')
  ];
  for (const address of addresses)
    t.attempt('client', `new(${address})`, () => new t.WebSocket(address));
});

scenario('C5 subprotocols that throw', 'api', (t) => {
  const all = [
    '',
    'a b',
    'a,b',
    ['a', 'a'],
    ['a', ''],
    [1],
    [null],
    null,
    'ä',
    'a\r\nb',
    ['a', 'b', 'a']
  ];
  for (const protocols of all) {
    t.attempt('client', `new(${JSON.stringify(protocols)})`, () => {
      return new t.WebSocket('ws://127.0.0.1:1', protocols);
    });
  }
  t.attempt(
    'client',
    'option',
    () => new t.WebSocket('ws://127.0.0.1:1', { protocols: ['a', 'a'] })
  );
});

scenario('C1 options that throw', 'api', (t) => {
  const all = [
    { protocolVersion: 12 },
    { protocolVersion: '13' },
    { protocolVersion: null },
    { headers: { 'X-Bad': 'a\r\nb' } },
    { headers: { 'Bad name': 'x' } },
    { agent: 'no agent' },
    { origin: 'a\nb' }
  ];
  for (const options of all) {
    t.attempt('client', `new(${JSON.stringify(options)})`, () => {
      return new t.WebSocket('ws://127.0.0.1:1', options);
    });
  }
});

/** A client that never connects: it makes its request, but no connection. */
function unconnectedClient(t, address, protocols, options) {
  return t.openClient(address, protocols, { createConnection: () => new net.Socket(), ...options });
}

scenario('C2 url shown', 'client', (t) => {
  const addresses = [
    'ws://example.invalid',
    'WS://EXAMPLE.invalid:80/a?b=c',
    'http://example.invalid:80/',
    'ws://example.invalid:8080/a b',
    'ws://example.invalid/#',
    'ws://user:p%40ss@example.invalid/',
    'ws://[::1]:8080/x',
    new URL('http://example.invalid/y'),
    'ws+unix:/no/such/socket:/path:with:colons?q'
  ];
  for (const address of addresses) {
    const before = String(address);
    const ws = unconnectedClient(t, address);
    t.log('client', 'url', ws.url, String(address) === before, ws.readyState);
  }
});

scenario('C1 a new client before it is connected', 'client', (t) => {
  const ws = unconnectedClient(t, 'ws://example.invalid/');
  t.log(
    'client',
    'state',
    ws.readyState,
    ws.protocol,
    ws.extensions,
    ws.bufferedAmount,
    ws.isPaused
  );
  t.log('client', 'binaryType', ws.binaryType, ws.onopen, ws.onclose, ws.onerror, ws.onmessage);
  ws.pause();
  t.log('client', 'paused', ws.isPaused);
  ws.resume();
  t.log('client', 'resumed', ws.isPaused);
});

/** Sources of the request: name, path and user information of the address, protocols, options. */
const REQUESTS = [
  ['nothing special', {}],
  ['path and query', { path: '/a%20b/c?d=e&f' }],
  ['one subprotocol', { protocols: 'chat' }],
  ['three subprotocols', { protocols: ['b', 'a', 'A'] }],
  ['subprotocols of the options', { options: { protocols: ['x', 'y'] } }],
  ['an explicit empty list before the options', { protocols: [], options: { protocols: ['x'] } }],
  ['origin', { options: { origin: 'https://example.com' } }],
  ['version 8 with origin', { options: { protocolVersion: 8, origin: 'https://example.com' } }],
  [
    'headers that the library overrides',
    {
      options: {
        headers: {
          Cookie: 'a=b; c=d',
          'X-List': ['1', '2'],
          Upgrade: 'h2c',
          'Sec-WebSocket-Version': '7',
          Host: 'other.example'
        }
      }
    }
  ],
  ['userinfo', { user: 'us%40er:p%3Ass@' }],
  ['userinfo before auth', { user: 'a:b@', options: { auth: 'c:d' } }],
  ['auth', { options: { auth: 'c:d' } }],
  [
    'options of http.request that are overwritten',
    { options: { path: '/x', host: 'y', method: 'PUT', port: 1 } }
  ],
  ['setHost false', { options: { setHost: false } }]
];

for (const [name, { path = '', user = '', protocols, options }] of REQUESTS) {
  scenario(`C4 the request with ${name}`, 'client', async (t) => {
    const listening = await t.rawServer();
    const url = listening.url.replace('ws://', `ws://${user}`) + path;
    const ws = t.openClient(url, protocols, options);
    const raw = await listening.next();
    const head = await raw.head();
    t.logHead(head);
    const asked = /^Sec-WebSocket-Protocol: ([^,\r]*)/im.exec(head);
    raw.accept(head, { headers: { 'Sec-WebSocket-Protocol': asked ? asked[1] : null } });
    await t.opened(ws);
    t.log('client', 'protocol', ws.protocol);
  });
}

scenario('C4 the options are taken from the second argument too', 'client', async (t) => {
  const listening = await t.rawServer();
  const ws = new t.WebSocket(listening.url, {
    perMessageDeflate: false,
    origin: 'o',
    protocols: 'p'
  });
  t.watch('client', ws);
  const raw = await listening.next();
  t.logHead(await raw.head());
});

scenario('C4 every client has a key of its own', 'client', async (t) => {
  const listening = await t.rawServer();
  const keys = new Set();
  for (let i = 0; i < 8; i++) {
    t.openClient(listening.url);
    const raw = await listening.next();
    keys.add(/^Sec-WebSocket-Key: (.*)$/m.exec(await raw.head())[1]);
  }
  t.log('wire', 'different keys', keys.size);
});

scenario(
  'C1 finishRequest is called inside the constructor and may edit the request',
  'client',
  async (t) => {
    const listening = await t.rawServer();
    let inside = true;
    const ws = t.openClient(listening.url, undefined, {
      finishRequest(request, socket) {
        t.log('client', 'finishRequest', request, inside, socket.readyState);
        request.setHeader('X-Late', 'yes');
        setImmediate(() => request.end());
      }
    });
    inside = false;
    const raw = await listening.next();
    const head = await raw.head();
    t.logHead(head);
    raw.accept(head);
    await t.opened(ws);
  }
);

scenario('C7 an agent makes the connection', 'client', async (t) => {
  const listening = await t.rawServer();
  class Agent extends http.Agent {
    createConnection(options, callback) {
      t.log('client', 'agent', options.path, options.host);
      return super.createConnection(options, callback);
    }
  }
  const ws = t.openClient(`${listening.url}/by-agent`, undefined, {
    agent: new Agent({ keepAlive: true })
  });
  const raw = await listening.next();
  const head = await raw.head();
  t.logHead(head);
  raw.accept(head);
  await t.opened(ws);
  raw.send(OPCODE.text, 'hello');
  await t.emitted(ws, 'message');
  raw.close(1000);
  await raw.framesThrough(OPCODE.close);
  raw.finish();
  await t.closed(ws);
});

scenario('C7 createConnection makes the connection', 'client', async (t) => {
  const listening = await t.rawServer();
  const ws = t.openClient(listening.url, undefined, {
    createConnection(options) {
      t.log('client', 'createConnection', options.host, options.path, this === undefined);
      return net.connect({ host: options.host, port: options.port });
    }
  });
  const raw = await listening.next();
  raw.accept(await raw.head());
  await t.opened(ws);
  ws.send('hello');
  t.logFrames(await raw.frame());
});

scenario('C6 ws+unix', 'client', async (t) => {
  const fs = require('node:fs');
  const path = require('node:path');
  const folder = fs.mkdtempSync(path.join(require('node:os').tmpdir(), 'differential-'));
  t.defer(() => fs.rmSync(folder, { recursive: true, force: true }));
  t.trace.hide(folder, 'FOLDER');
  const listening = await t.rawServer({ path: path.join(folder, 's') });
  for (const target of ['', ':', ':/a:b?c', ':a']) {
    const ws = t.openClient(listening.url + target);
    t.log('client', 'url', ws.url);
    const raw = await listening.next();
    const head = await raw.head();
    t.logHead(head);
    raw.accept(head);
    await t.opened(ws);
    ws.send('hello', { mask: true });
    t.logFrames(await raw.frame());
    raw.close(1000, 'bye');
    t.logFrames(await raw.frame());
    raw.finish();
    await t.closed(ws);
  }
});

scenario('C1 signal aborts the handshake only', 'client', async (t) => {
  const listening = await t.rawServer();
  const early = new AbortController();
  const first = t.openClient(listening.url, undefined, { signal: early.signal });
  await listening.next();
  early.abort();
  await t.closed(first);
  const late = new AbortController();
  const second = t.openClient(listening.url, undefined, { signal: late.signal });
  const raw = await listening.next();
  raw.accept(await raw.head());
  await t.opened(second);
  late.abort();
  raw.send(OPCODE.text, 'still here');
  await t.emitted(second, 'message');
  const already = t.openClient(listening.url, undefined, { signal: AbortSignal.abort() });
  await t.closed(already);
});

scenario('C18 extra properties and overridden methods', 'pair', async (t) => {
  const { wss, server, client } = await t.pair();
  wss.extra = 1;
  server.isAlive = true;
  t.log('server', 'expandos', server.isAlive, wss.extra, Object.isExtensible(client));
  server.pong = function (data, mask, callback) {
    t.log('server', 'own pong', data, mask, typeof callback);
    return Object.getPrototypeOf(this).pong.call(this, `own ${data}`, mask, callback);
  };
  client.ping('x');
  await t.emitted(client, 'pong');
});

scenario('C1 null makes a socket without a connection', 'api', (t) => {
  t.attempt('client', 'without options', () => new t.WebSocket(null));
  const ws = new t.WebSocket(null, undefined, {});
  t.log('client', 'state', ws.readyState, ws.url, ws.bufferedAmount, ws.protocol, ws._isServer);
});

scenario('C1 events of a client without connection', 'client', async (t) => {
  const listening = await t.rawServer();
  const ws = t.openClient(listening.url);
  const raw = await listening.next();
  raw.accept(await raw.head());
  await once(ws, 'open');
  raw.finish();
  await t.closed(ws);
});
