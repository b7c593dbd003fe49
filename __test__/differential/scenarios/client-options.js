'use strict';

// Options of clients that no other file covers: 1.3, statements C3 and C17.

const http = require('node:http');
const net = require('node:net');
const { scenario } = require('../run');
const { OPCODE } = require('../frames');

const { text, ping, close } = OPCODE;

/** The arguments of createConnection, and the Host, of a client that never connects. */
function connectionOptions(t, address, options) {
  return t.openClient(address, undefined, {
    createConnection(given) {
      const { host, port, defaultPort, servername, path, socketPath } = given;
      t.log('client', String(address), host, port, defaultPort, servername, path, socketPath);
      return new net.Socket();
    },
    finishRequest: (request) => t.log('client', 'Host', request.getHeader('host')),
    ...options
  });
}

scenario('C3 brackets of IPv6 and default ports', 'client', (t) => {
  for (const scheme of ['ws', 'wss', 'http', 'https']) {
    for (const host of ['[::1]', '[2001:db8::1]', 'example.invalid', '192.0.2.1']) {
      for (const port of ['', ':80', ':443', ':8080'])
        connectionOptions(t, `${scheme}://${host}${port}/a?b`);
    }
  }
});

scenario('C3 the Host of addresses with ports and user information', 'client', (t) => {
  connectionOptions(t, 'ws://user:password@example.invalid:81/');
  connectionOptions(t, 'ws://b\u00fccher.invalid/');
  connectionOptions(t, 'ws+unix:/no/such/socket:/path');
  connectionOptions(t, 'ws://example.invalid/', { defaultPort: 8080 });
  connectionOptions(t, 'wss://example.invalid/', { defaultPort: 0 });
  connectionOptions(t, 'ws://example.invalid:80/', {
    defaultPort: 8080,
    port: 1,
    host: 'other.invalid'
  });
  connectionOptions(t, 'wss://example.invalid/', { servername: 'other.invalid' });
  connectionOptions(t, 'wss://example.invalid/', { servername: '' });
  connectionOptions(t, 'ws://example.invalid/', { headers: { Host: 'other.invalid' } });
  connectionOptions(t, 'ws://example.invalid/', { setHost: false });
});

/** Logs the names and plain values of options, in their order. */
function logOptions(t, name, options) {
  for (const [key, value] of Object.entries(options)) {
    const isPlain = typeof value !== 'object' && typeof value !== 'function';
    t.log('client', name, key, isPlain ? value : typeof value);
  }
}

/** Functions of Node that the options of a client pass through. */
const FUNCTIONS = {
  'http.request': [http, 'request'],
  'net.connect': [net, 'connect'],
  'Socket.connect': [net.Socket.prototype, 'connect']
};

for (const [name, [owner, method]] of Object.entries(FUNCTIONS)) {
  for (const [what, options] of Object.entries({
    none: undefined,
    'those of ws': { perMessageDeflate: false, maxPayload: 5, handshakeTimeout: 9000, origin: 'o' },
    'those of Node': { family: 4, noDelay: true, highWaterMark: 1000, agent: undefined }
  })) {
    scenario(`C7 a replaced ${name} gets all options: ${what}`, 'client', async (t) => {
      const listening = await t.rawServer();
      const original = owner[method];
      t.defer(() => {
        owner[method] = original;
      });
      owner[method] = function (...args) {
        const [given] = args;
        const normalized = Array.isArray(given) ? given[0] : given;
        // The port is another in each run.
        logOptions(t, name, { ...normalized, port: 0 });
        owner[method] = original;
        return Reflect.apply(original, this, args);
      };
      const ws = t.openClient(listening.url, undefined, options);
      const raw = await listening.next();
      raw.accept(await raw.head());
      await t.opened(ws);
    });
  }
}

scenario('C7 options reach the socket', 'client', async (t) => {
  const listening = await t.rawServer();
  const ws = t.openClient(listening.url, undefined, {
    highWaterMark: 1000,
    handshakeTimeout: 9000
  });
  const raw = await listening.next();
  raw.accept(await raw.head());
  await t.opened(ws);
  const { _socket: socket } = ws;
  t.log('client', socket.writableHighWaterMark, socket.allowHalfOpen, socket.timeout);
});

scenario('C17 version 8 has the frames of version 13', 'pair', async (t) => {
  const { server, client, request } = await t.pair({
    client: { protocolVersion: 8, origin: 'http://a.example' },
    server: {
      verifyClient: ({ origin }) => {
        t.log('server', 'origin', origin);
        return true;
      }
    }
  });
  const { headers } = request;
  t.log('server', 'headers', headers['sec-websocket-version'], headers.origin);
  t.log('server', 'origin', headers['sec-websocket-origin']);
  server.on('message', (data, isBinary) => server.send(data, { binary: isBinary }));
  client.send('text');
  client.send(Buffer.from('binary'));
  await t.emitted(client, 'message', 2);
  client.close(3000, 'bye');
  await t.closed(server, client);
});

scenario(
  '1.3 handshakeTimeout while the connection is being made',
  'client',
  async (t) => {
    const ws = t.openClient('ws://example.invalid', undefined, {
      handshakeTimeout: 30,
      createConnection: () => new net.Socket()
    });
    await t.closed(ws);
  },
  { isWaiting: true }
);

scenario('1.3 invalid handshakeTimeouts', 'client', async (t) => {
  for (const handshakeTimeout of [0, undefined]) {
    const { ws, raw } = await t.withRawPeer({ handshakeTimeout });
    raw.send(text, 'open');
    await t.emitted(ws, 'message');
  }
});

scenario('1.3 the global agent is not used', 'client', async (t) => {
  const agent = http.globalAgent;
  const original = agent.addRequest;
  agent.addRequest = function (...args) {
    t.log('client', 'the global agent was asked');
    return original.apply(this, args);
  };
  t.defer(() => {
    agent.addRequest = original;
  });
  await t.withRawPeer();
  await t.withRawPeer({ agent: http.globalAgent });
  await t.withRawPeer({ agent: undefined });
});

scenario('1.3 an agent is used inside the constructor', 'client', (t) => {
  const agent = {
    defaultPort: 80,
    protocol: 'http:',
    addRequest(request, options) {
      t.log('client', 'addRequest', request, options.host, options.path, inside);
      t.defer(() => request.destroy());
    }
  };
  let inside = true;
  const ws = t.openClient('ws://example.invalid/x', undefined, { agent });
  inside = false;
  t.trace.event('client', 'state', [], ws);
});

scenario('1.3 options for the connection: lookup, family, localAddress', 'client', async (t) => {
  const listening = await t.rawServer();
  const ws = t.openClient(listening.url.replace('127.0.0.1', 'name.invalid'), undefined, {
    family: 4,
    localAddress: '127.0.0.1',
    lookup(name, options, callback) {
      t.log('client', 'lookup', name, options.family);
      if (options.all) callback(null, [{ address: '127.0.0.1', family: 4 }]);
      else callback(null, '127.0.0.1', 4);
    }
  });
  const raw = await listening.next();
  raw.accept(await raw.head());
  await t.opened(ws);
  t.log('client', 'from', ws._socket.localAddress);
  raw.send(text, 'hello');
  await t.emitted(ws, 'message');
});

scenario('1.3 options for the parser: maxHeaderSize, insecureHTTPParser', 'client', async (t) => {
  for (const options of [{ maxHeaderSize: 1000 }, {}]) {
    const listening = await t.rawServer();
    const ws = t.openClient(listening.url, undefined, options);
    const raw = await listening.next();
    raw.accept(await raw.head(), { headers: { 'X-Long': 'x'.repeat(2000) } });
    await (options.maxHeaderSize ? t.closed(ws) : t.opened(ws));
  }
  for (const insecureHTTPParser of [false, true]) {
    const listening = await t.rawServer();
    const ws = t.openClient(listening.url, undefined, { insecureHTTPParser });
    const raw = await listening.next();
    raw.accept(await raw.head(), { headers: { 'X-Odd': 'a\u0001b' } });
    await (insecureHTTPParser ? t.opened(ws) : t.closed(ws));
  }
});

scenario('1.3 autoPong by truthiness', 'client', async (t) => {
  for (const autoPong of [0, '', null, 1, 'no', undefined]) {
    const { raw, ws } = await t.withRawPeer({ autoPong });
    raw.send(ping, String(autoPong));
    await t.emitted(ws, 'ping');
    ws.ping('end');
    t.logFrames(...(await raw.framesThrough(ping)));
  }
});

scenario('1.3 generateMask that throws', 'client', async (t) => {
  let broken = true;
  const { raw, ws } = await t.withRawPeer({
    generateMask(mask) {
      if (broken) throw new Error('no key');
      mask.fill(1);
    }
  });
  for (const call of ['send', 'ping', 'pong', 'close']) {
    t.attempt('client', call, () => ws[call]());
    t.trace.event('client', 'state', [ws.bufferedAmount], ws);
  }
  broken = false;
  ws.send('with a key');
  ws.close(1000);
  t.logFrames(...(await raw.framesThrough(close)));
});

scenario('1.3 maxPayload of every kind', 'client', async (t) => {
  for (const maxPayload of ['100', 100.9, 2 ** 31, 2 ** 32, Infinity, NaN, -1, null, true, [100]]) {
    const { raw, ws } = await t.withRawPeer({ maxPayload });
    raw.send(text, 'x'.repeat(101));
    await Promise.race([t.emitted(ws, 'message'), t.emitted(ws, 'error')]);
  }
});

scenario('1.3 the options object of a client is not modified', 'client', async (t) => {
  const headers = Object.freeze({ 'X-Mine': 'yes' });
  const protocols = Object.freeze(['a', 'b']);
  const listening = await t.rawServer();
  const options = Object.freeze({ headers, protocols, followRedirects: true, origin: 'o' });
  const ws = new t.WebSocket(listening.url, options);
  t.watch('client', ws);
  const raw = await listening.next();
  raw.accept(await raw.head(), { headers: { 'Sec-WebSocket-Protocol': 'b' } });
  await t.opened(ws);
  t.log('client', 'afterwards', ws.protocol, options);
});

scenario('1.3 invalid options leave no resources', 'api', (t) => {
  const address = 'ws://127.0.0.1:9/';
  const controller = new AbortController();
  const agent = new http.Agent();
  const all = [
    ['not a URL', undefined],
    [`${address}#part`, undefined],
    [address, { protocolVersion: 7 }],
    [address, { protocols: ['a', 'a'] }],
    [address, { headers: { 'bad name': 'x' } }],
    [address, { headers: { good: 'bad\nvalue' } }],
    [address, { origin: 'bad\u0000origin' }],
    [address, { agent: 'none' }],
    [address, { insecureHTTPParser: 'yes' }],
    [address, { maxHeaderSize: 'large' }],
    [address, { joinDuplicateHeaders: 'yes' }],
    [address, { headers: { Host: ['a\r\nb'] } }],
    [`wss://127.0.0.1:9/`, { agent }],
    [address, { handshakeTimeout: 'soon', signal: controller.signal }]
  ];
  const names = process.eventNames().length;
  /** Sockets and requests that keep the process alive; the test runner creates and ends other resources meanwhile. */
  const held = () =>
    process.getActiveResourcesInfo().filter((name) => /TCP|TLS|PIPEC|REQ/i.test(name)).length;
  for (const [url, options] of all) {
    const before = held();
    t.attempt('client', JSON.stringify(Object.keys(options ?? {})), () => {
      return new t.WebSocket(url, options);
    });
    t.log('client', 'resources', held() - before);
  }
  t.log('client', 'listeners', process.eventNames().length - names);
  t.log('client', 'agent', Object.keys(agent.sockets).length, Object.keys(agent.requests).length);
});

scenario(
  '1.3 a process with only invalid options ends by itself',
  'client',
  async (t) => {
    const child = t.child('bad-options.js', t.clientSubject);
    const { code, output } = await child.finished;
    t.log('child', 'exit', code);
    for (const line of output) t.trace.line('child', line);
  },
  { isWaiting: true }
);

scenario('1.3 a subclass', 'pair', async (t) => {
  class Mine extends t.WebSocket {
    constructor(...args) {
      super(...args);
      this.on('open', () => t.log('mine', 'open', this.constructor.name));
    }

    send(data, ...rest) {
      return super.send(`${data}, by a subclass`, ...rest);
    }

    pong(data, ...rest) {
      t.log('mine', 'pong', data);
      return super.pong(`${data}, by a subclass`, ...rest);
    }

    close(...args) {
      t.log('mine', 'close', ...args);
      return super.close(...args);
    }

    get isMine() {
      return true;
    }
  }
  const wss = await t.listen();
  const client = t.watch('client', new Mine(t.url(wss), { perMessageDeflate: false }));
  const { server } = await t.accepted(wss);
  await t.opened(client);
  t.log('mine', 'is', client.isMine, client instanceof t.WebSocket, client.constructor.OPEN);
  client.send('hello');
  await t.emitted(server, 'message');
  server.ping('ping');
  await t.emitted(server, 'pong');
  server.close(3000, 'bye');
  await t.closed(server, client);
});
