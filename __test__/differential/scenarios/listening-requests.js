'use strict';

// The request of an opening handshake in every hook and listener of a server: an http.IncomingMessage, however it was read.
// Statements H4, H5 and H6.

const { once } = require('node:events');
const { finished } = require('node:stream/promises');
const { PassThrough } = require('node:stream');
const util = require('node:util');
const { scenario } = require('../run');
const { OPCODE } = require('../frames');
const { ENDINGS, exchange, acceptRaw } = require('../endings');
const { upgradeRequest } = require('../raw-peer');
const { record, requestLines } = require('../snapshots');

/** Requests: name, changes to a valid one. Each is accepted or refused as by ws. */
const REQUESTS = {
  'nothing special': {},
  'an empty path': { target: '/?' },
  'a query': { target: '/chat/room%20one?a=1&b=%00&a=2;c#d' },
  'a long path': { target: `/${'x'.repeat(4000)}?${'y'.repeat(4000)}` },
  'an absolute target': { target: 'http://example.com:8080/chat?x=1' },
  'a target of one star': { target: '*' },
  'letters of either case': {
    headers: {
      Host: null,
      Connection: null,
      hOsT: 'LocalHost',
      CONNECTION: 'upGRADE',
      'X-MiXeD': 'MiXeD'
    }
  },
  'two cookies': { headers: { Cookie: ['a=1; b=2', 'c=3'], 'Set-Cookie': ['d=4', 'e=5'] } },
  'repeated headers': {
    headers: {
      'X-Forwarded-For': ['10.0.0.1', '10.0.0.2, 10.0.0.3'],
      'User-Agent': ['first', 'second'],
      Origin: ['http://a.example', 'http://b.example'],
      Authorization: ['Basic one', 'Basic two'],
      Referer: ['r1', 'r2'],
      'X-Own': ['one', 'two', 'three']
    }
  },
  'two Hosts': { headers: { Host: ['first.example', 'second.example'] } },
  'a Connection in two lines': { headers: { Connection: ['keep-alive', 'Upgrade'] } },
  'empty values': { headers: { 'X-Nothing': '', 'X-Blank': '   ', Cookie: '' } },
  'blanks around values': { headers: { 'X-Blank': ' \t inside \t of it \t ' } },
  'letters that are not ASCII': { headers: { 'X-Letters': 'gr\u00fc\u00df \u0080\u00ff' } },
  'names of the prototype': {
    headers: { constructor: 'a', __proto__x: 'b', hasOwnProperty: 'c', toString: ['d', 'e'] }
  },
  'names of every character': { headers: { "!#$%&'*+-.^_`|~09az": 'odd', 0: 'zero', 10: 'ten' } },
  subprotocols: { headers: { 'Sec-WebSocket-Protocol': ['a, b', 'c'] } },
  'extensions in two lines': { headers: { 'Sec-WebSocket-Extensions': ['x-a', 'x-b; c="d"'] } },
  'HTTP/1.0': { version: '1.0', headers: { 'X-Own': 'old' } },
  'many headers': {
    headers: Object.fromEntries(Array.from({ length: 90 }, (_, i) => [`X-Many-${i}`, `${i}`]))
  }
};

for (const [name, change] of Object.entries(REQUESTS)) {
  scenario(`H5 the request in listeners: ${name}`, 'server', async (t) => {
    const seen = new Set();
    const look = (hook, request, socket) => {
      seen.add(request);
      t.log('server', hook, 'requests', seen.size);
      if (hook === 'connection') record(t, 'server', hook, requestLines(request, socket));
    };
    const wss = await t.listen({
      verifyClient: ({ origin, secure, req }) => {
        look('verifyClient', req);
        t.log('server', 'info', origin, secure);
        return true;
      },
      handleProtocols: (protocols, request) => {
        look('handleProtocols', request);
        return [...protocols].pop();
      }
    });
    wss.on('headers', (lines, request) => look('headers', request));
    wss.on('connection', (ws, request) => look('connection', request, ws._socket));
    const raw = await t.rawClient(wss);
    raw.write(Buffer.from(upgradeRequest(change), 'latin1'));
    t.logHead(await raw.head());
    for (const request of seen) {
      t.log('server', 'properties', 'headers' in request, util.inspect(request).split(' ', 1));
    }
  });
}

for (const hook of ['verifyClient', 'handleProtocols', 'headers', 'shouldHandle']) {
  scenario(`H5 the request in ${hook}`, 'server', async (t) => {
    const look = (request) => record(t, 'server', hook, requestLines(request, request.socket));
    const options = {
      verifyClient: { verifyClient: ({ req }) => look(req) ?? true },
      handleProtocols: { handleProtocols: (protocols, request) => look(request) ?? 'a' }
    };
    const wss = await t.listen(options[hook]);
    if (hook === 'headers') wss.on('headers', (lines, request) => look(request));
    if (hook === 'shouldHandle') wss.shouldHandle = (request) => look(request) ?? true;
    await t.request(wss, { headers: { 'Sec-WebSocket-Protocol': 'a', Cookie: ['b=c', 'd=e'] } });
  });
}

scenario('H4 the request and the socket in wsClientError', 'server', async (t) => {
  for (const change of [
    { method: 'POST' },
    { headers: { 'Sec-WebSocket-Key': 'short' } },
    { headers: { 'Sec-WebSocket-Version': '7', 'X-Own': ['a', 'b'] } }
  ]) {
    const wss = await t.listen();
    wss.on('wsClientError', (err, socket, request) => {
      t.log('server', 'wsClientError', err, socket === request.socket, socket.writable);
      record(t, 'server', 'request', requestLines(request, socket));
      socket.destroy();
    });
    const raw = await t.sendRequest(wss, change);
    t.log('wire', 'answer', await raw.rest());
    raw.finish();
    await raw.gone();
  }
});

for (const [ending, play] of Object.entries(ENDINGS)) {
  scenario(`H5 a request after the end: ${ending}`, 'server', async (t) => {
    // Accessed late, too.
    for (const first of ['open', 'closed']) {
      const headers = { Cookie: ['a=1', 'b=2'], 'X-Kept': 'kept' };
      const accepted = await acceptRaw(t, { ending, change: { target: '/kept?x', headers } });
      const { request, ws } = accepted;
      const closed = new Promise((resolve) => ws.on('close', resolve));
      await exchange(t, accepted);
      const { _socket: socket } = ws;
      if (first === 'open') record(t, first, 'open', requestLines(request, socket));
      await play(accepted);
      await closed;
      await new Promise((resolve) => setImmediate(resolve));
      record(t, first, 'closed', requestLines(request, socket));
      t.log(first, 'header', request.headers.cookie, request.headers['x-kept'], request.url);
    }
  });
}

scenario('H5 events of a request, before and after the connection', 'server', async (t) => {
  for (const [ending, play] of Object.entries(ENDINGS)) {
    const onConnection = (ws, request) => {
      for (const event of ['data', 'end', 'close', 'error', 'aborted', 'pause', 'resume']) {
        request.on(event, (...args) => t.log('request', event, ...args));
      }
      ws.on('close', () => t.log('request', 'close of the WebSocket', request.readableEnded));
    };
    const accepted = await acceptRaw(t, { ending, onConnection });
    const closed = new Promise((resolve) => accepted.ws.on('close', resolve));
    await exchange(t, accepted);
    t.log('request', 'open', state(accepted));
    await play(accepted);
    await closed;
    t.log('request', 'closed', state(accepted));
  }

  function state({ request: { complete, aborted, destroyed, readableEnded } }) {
    return [complete, aborted, destroyed, readableEnded];
  }
});

/** Uses of the request in a listener of `connection`. */
const CALLS = {
  resume: (request) => request.resume(),
  pause: (request) => request.pause().isPaused(),
  read: (request) => request.read(),
  pipe: (request) => request.pipe(new PassThrough().resume()) instanceof PassThrough,
  setEncoding: (request) => request.setEncoding('utf8').readableEncoding,
  setTimeout: (request) => request.setTimeout(60_000, () => {}).socket.timeout,
  destroy: (request) => request.destroy(),
  'destroy with an error': (request) => request.destroy(new Error('of the program')),
  unpipe: (request) => request.unpipe(),
  iterate: (request) => typeof request[Symbol.asyncIterator],
  'own properties': (request) => {
    request.user = { id: 1 };
    request.headers['x-own'] = 'set';
    request.url = '/rewritten';
    request.method = 'PUT';
    return [request.user, request.headers['x-own'], request.url, request.method];
  },
  'other headers': (request) => {
    request.headers = { replaced: 'yes' };
    return [request.headers, request.rawHeaders.length, request.headersDistinct.host];
  }
};

for (const [name, call] of Object.entries(CALLS)) {
  scenario(`H5 ${name} of a request in a listener of connection`, 'server', async (t) => {
    const wss = await t.listen();
    wss.on('connection', (ws, request) => {
      request.on('error', (err) => t.log('request', 'error', err));
      request.on('end', () => t.log('request', 'end'));
      request.on('close', () => t.log('request', 'close'));
      const value = call(request);
      t.trace.event('server', 'returned', [value === request ? 'itself' : value], ws);
    });
    const raw = await t.sendRequest(wss);
    const { server, request } = await t.accepted(wss);
    await new Promise((resolve) => setImmediate(resolve));
    t.log('server', 'request', request.destroyed, request.readableEnded, server._socket.destroyed);
    if (server._socket.writable) {
      await raw.head();
      await exchange(t, { raw, ws: server });
      raw.close(1000, 'done');
    }
    await raw.rest();
    raw.finish();
    await t.closed(server);
    t.log('server', 'afterwards', request.user, request.url, request.destroyed);
  });
}

scenario('H5 waiting for the end of a request', 'server', async (t) => {
  for (const resumed of [false, true]) {
    const results = [];
    const onConnection = (ws, request) => {
      if (resumed) request.resume();
      const tell = (lane) => (value) => t.log(`${lane} ${resumed}`, 'settled', value);
      results.push(finished(request).then(tell('finished'), tell('finished')));
      if (resumed) results.push(once(request, 'end').then(tell('once'), tell('once')));
    };
    const accepted = await acceptRaw(t, { onConnection });
    await exchange(t, accepted);
    if (resumed) await Promise.all(results);
    await ENDINGS['the client closes'](accepted);
    await t.closed(accepted.ws);
    t.log('request', 'destroyed', accepted.request.destroyed);
    accepted.request.destroy();
    await Promise.all(results);
  }
});

scenario('H5 a program that reads the body of a request to upgrade', 'server', async (t) => {
  const chunks = [];
  const wss = await t.listen();
  wss.on('connection', async (ws, request) => {
    for await (const chunk of request) chunks.push(chunk);
    ws.send(`the body has ${chunks.length} chunks`);
  });
  const raw = await t.sendRequest(wss, { headers: { 'Content-Length': '0' } });
  const { server } = await t.accepted(wss);
  await raw.head();
  t.logFrames(await raw.frame());
  raw.send(OPCODE.text, 'no body');
  raw.finish();
  await t.closed(server);
});
