'use strict';

// Opening handshakes that a server refuses, byte for byte: statements H3 and H4.

const { once } = require('node:events');
const { scenario } = require('../run');

/** Requests that are refused: name, changes to a valid request, server options. */
const REFUSED = [
  ['method POST is 405', { method: 'POST' }],
  ['method HEAD is 405', { method: 'HEAD' }],
  ['another Upgrade token is 400', { headers: { Upgrade: 'h2c' } }],
  ['two Upgrade tokens are 400', { headers: { Upgrade: 'websocket, h2c' } }],
  ['no key is 400', { headers: { 'Sec-WebSocket-Key': null } }],
  ['a short key is 400', { headers: { 'Sec-WebSocket-Key': 'c2hvcnQ=' } }],
  [
    'a key of other characters is 400',
    { headers: { 'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZ-==' } }
  ],
  [
    'two keys are 400',
    { headers: { 'Sec-WebSocket-Key': ['dGhlIHNhbXBsZSBub25jZQ==', 'dGhlIHNhbXBsZSBub25jZQ=='] } }
  ],
  ['no version is 400', { headers: { 'Sec-WebSocket-Version': null } }],
  ['version 12 is 400', { headers: { 'Sec-WebSocket-Version': '12' } }],
  ['version text is 400', { headers: { 'Sec-WebSocket-Version': '13x' } }],
  ['another path is 400', { target: '/other' }, { path: '/chat' }],
  ['an empty subprotocol is 400', { headers: { 'Sec-WebSocket-Protocol': 'a,,b' } }],
  ['an empty subprotocol header is 400', { headers: { 'Sec-WebSocket-Protocol': '' } }],
  ['a repeated subprotocol is 400', { headers: { 'Sec-WebSocket-Protocol': 'a, a' } }],
  [
    'a subprotocol with an invalid character is 400',
    { headers: { 'Sec-WebSocket-Protocol': 'a b' } }
  ],
  ['a trailing comma after a subprotocol is 400', { headers: { 'Sec-WebSocket-Protocol': 'a,' } }],
  [
    'malformed extensions are 400 when deflate is on',
    { headers: { 'Sec-WebSocket-Extensions': 'permessage-deflate; ;' } },
    { perMessageDeflate: true }
  ],
  [
    'an unknown deflate parameter is 400 when deflate is on',
    { headers: { 'Sec-WebSocket-Extensions': 'permessage-deflate; level=9' } },
    { perMessageDeflate: true }
  ],
  [
    'an invalid deflate parameter value is 400 when deflate is on',
    { headers: { 'Sec-WebSocket-Extensions': 'permessage-deflate; server_max_window_bits=16' } },
    { perMessageDeflate: true }
  ],
  [
    'a repeated deflate parameter is 400 when deflate is on',
    {
      headers: {
        'Sec-WebSocket-Extensions':
          'permessage-deflate; server_max_window_bits=10; server_max_window_bits=11'
      }
    },
    { perMessageDeflate: true }
  ]
];

async function expectRefusal(t, wss, change) {
  const { raw } = await t.request(wss, change);
  t.log('wire', 'body', await raw.rest());
  raw.finish();
  await raw.gone();
}

for (const [name, change, options] of REFUSED) {
  scenario(`H3 ${name}`, 'server', async (t) => {
    await expectRefusal(t, await t.listen(options), change);
  });

  if (name.startsWith('another path')) continue;
  scenario(`H4 wsClientError in place of a response: ${name}`, 'server', async (t) => {
    const wss = await t.listen(options);
    wss.on('wsClientError', (err, socket, request) => {
      t.log('server', 'wsClientError', err, request, socket === request.socket, socket.destroyed);
      socket.end('HTTP/1.1 418 Mine\r\n\r\n');
    });
    await expectRefusal(t, wss, change);
  });
}

scenario('H3 order of checks', 'server', async (t) => {
  // Each request has every later fault as well.
  const wss = await t.listen({ path: '/chat' });
  const faults = [
    ['method', { method: 'PUT' }],
    ['Upgrade', { Upgrade: 'other' }],
    ['Sec-WebSocket-Key', { 'Sec-WebSocket-Key': 'x' }],
    ['Sec-WebSocket-Version', { 'Sec-WebSocket-Version': '1' }],
    ['path', {}],
    ['Sec-WebSocket-Protocol', { 'Sec-WebSocket-Protocol': ',' }]
  ];
  for (let first = 0; first < faults.length; first++) {
    const change = {
      method: first === 0 ? 'PUT' : 'GET',
      target: first === 5 ? '/chat' : '/',
      headers: {}
    };
    for (const [, fault] of faults.slice(Math.max(first, 1))) Object.assign(change.headers, fault);
    t.log('wire', 'first fault', faults[first][0]);
    await expectRefusal(t, wss, change);
  }
});

scenario('H4 no wsClientError for shouldHandle, verifyClient and 503', 'server', async (t) => {
  const wss = await t.listen({ path: '/chat', verifyClient: () => false });
  wss.on('wsClientError', (err) => t.log('server', 'wsClientError', err));
  await expectRefusal(t, wss, { target: '/other' });
  await expectRefusal(t, wss, { target: '/chat' });
});

scenario('H1 a request without Upgrade is answered 426', 'server', async (t) => {
  const wss = await t.listen();
  const { raw } = await t.request(wss, { headers: { Upgrade: null, Connection: 'close' } });
  t.log('wire', 'body', await raw.rest());
});

scenario(
  'H1 Upgrade without Connection: upgrade is answered 426 and kept alive',
  'server',
  async (t) => {
    const wss = await t.listen();
    const { raw } = await t.request(wss, { headers: { Connection: 'keep-alive' } });
    t.log('wire', 'body', await raw.bytes(16));
    raw.write('POST /x HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
    t.logHead(await raw.head());
    t.log('wire', 'body', await raw.rest());
  }
);

scenario('H1 bytes that are not HTTP are answered 400', 'server', async (t) => {
  const wss = await t.listen();
  const { raw } = await t.request(wss, '\x16\x03\x01 this is no HTTP\r\n\r\n');
  t.log('wire', 'body', await raw.rest());
});

scenario('H1 too many bytes of headers are answered 431', 'server', async (t) => {
  const wss = await t.listen();
  const { raw } = await t.request(wss, { headers: { 'X-Long': 'x'.repeat(20000) } });
  t.log('wire', 'body', await raw.rest());
});

scenario('H1 CONNECT is disconnected', 'server', async (t) => {
  const wss = await t.listen();
  const raw = await t.rawClient(wss);
  raw.write('CONNECT example.com:80 HTTP/1.1\r\nHost: example.com\r\n\r\n');
  t.log('wire', 'answer', await raw.rest());
});

scenario('H9 maxHeadersCount that hides Upgrade gives 400', 'server', async (t) => {
  const server = await t.http();
  server.maxHeadersCount = 2;
  await t.listen({ server });
  const { raw } = await t.request(server, {});
  t.log('wire', 'body', await raw.rest());
});

scenario('H3 verifyClient false is 401', 'server', async (t) => {
  const wss = await t.listen({ verifyClient: () => 0 });
  await expectRefusal(t, wss, {});
});

scenario('H3 verifyClient answers later with code, message and headers', 'server', async (t) => {
  const answers = [
    [false],
    [false, 404],
    [false, 403, 'grün'],
    [false, 503, 'later', { 'Retry-After': 120, 'Content-Type': 'text/plain' }],
    [false, 402, '']
  ];
  const wss = await t.listen({
    verifyClient: (info, callback) => setImmediate(() => callback(...answers.shift()))
  });
  while (answers.length) await expectRefusal(t, wss, {});
});

scenario('H3 a server that is closing answers 503', 'server', async (t) => {
  const server = await t.http();
  const wss = await t.listen({ noServer: true });
  server.on('upgrade', (request, socket, head) => {
    t.attempt('server', 'handleUpgrade', () =>
      wss.handleUpgrade(request, socket, head, () => t.log('server', 'accepted'))
    );
  });
  wss.close();
  await expectRefusal(t, server, {});
});

scenario('W1 a server closed during verifyClient answers 503', 'server', async (t) => {
  let decide;
  const asked = new Promise((resolve) => {
    decide = resolve;
  });
  const wss = await t.listen({ verifyClient: (info, callback) => decide(callback) });
  const raw = await t.sendRequest(wss);
  const callback = await asked;
  const closed = once(wss, 'close');
  wss.close();
  callback(true);
  t.logHead(await raw.head());
  t.log('wire', 'body', await raw.rest());
  raw.finish();
  await closed;
  t.log('server', 'close');
});

scenario('H10 a client that disconnects during verifyClient', 'server', async (t) => {
  for (const leave of ['finish', 'reset']) {
    let decide;
    const asked = new Promise((resolve) => {
      decide = resolve;
    });
    const wss = await t.listen({
      verifyClient: (info, callback) => decide({ callback, socket: info.req.socket })
    });
    wss.on('connection', () => t.log('server', 'connected'));
    const raw = await t.sendRequest(wss);
    const { callback, socket } = await asked;
    const seen = new Promise((resolve) => {
      socket.on('end', resolve);
      socket.on('close', resolve);
      socket.resume();
    });
    raw[leave]();
    await seen;
    callback(true);
    if (!socket.closed) await once(socket, 'close');
    t.log('server', `after ${leave}`, socket.destroyed, wss.clients.size);
  }
});

scenario('H11 exceptions of hooks propagate from handleUpgrade', 'server', async (t) => {
  const hooks = [
    { verifyClient: () => fail('verifyClient') },
    { handleProtocols: () => fail('handleProtocols') },
    {}
  ];
  function fail(hook) {
    throw new Error(`thrown by ${hook}`);
  }
  for (const options of hooks) {
    const server = await t.http();
    const wss = await t.listen({ noServer: true, ...options });
    wss.on('headers', () => fail('headers'));
    const done = new Promise((resolve) => {
      server.on('upgrade', (request, socket, head) => {
        t.attempt('server', 'handleUpgrade', () =>
          wss.handleUpgrade(request, socket, head, () => {})
        );
        t.log('server', 'clients', wss.clients.size);
        socket.destroy();
        resolve();
      });
    });
    await t.sendRequest(server, { headers: { 'Sec-WebSocket-Protocol': 'a' } });
    await done;
  }
});
