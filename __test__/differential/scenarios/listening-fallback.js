'use strict';

// Bytes to a server with its own listener that are not a handshake, or not at once: Node's http.Server answers them. Statement
// H1. The catalog of __test__/hostile has more; listening-http-server.js covers programs that use that http.Server.

const { once } = require('node:events');
const { scenario } = require('../run');
const { KEY, OPCODE, frame } = require('../frames');
const { exchange } = require('../endings');
const { upgradeRequest } = require('../raw-peer');
const { answerText } = require('../snapshots');

const GET = 'GET /plain HTTP/1.1\r\nHost: a\r\n\r\n';
const LAST = GET.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n');

/** Requests for Node: name, segments. The last one requests the end of the connection. */
const PLAIN = {
  'a GET': [LAST],
  'two in one segment': [GET + LAST],
  'one after the other': [GET, LAST],
  'a POST with a body': [
    'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello'
  ],
  'a POST with chunks': [
    'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n',
    '6\r\n again\r\n0\r\nX-Trailer: yes\r\n\r\n',
    LAST
  ],
  'a body after 100 Continue': [
    'PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\nConnection: close\r\n\r\n',
    'ok'
  ],
  'HTTP/1.0': ['GET / HTTP/1.0\r\n\r\n'],
  'HTTP/1.0 with keep-alive': ['GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n', LAST],
  HEAD: ['HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'],
  'no Host': ['GET / HTTP/1.1\r\n\r\n'],
  'cut within a line': ['GE', 'T /plain HT', LAST.slice(13)],
  'an upgrade to something else': [
    'GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n'
  ],
  'an Upgrade of nothing': [
    'GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade, close\r\nUpgrade:\r\n\r\n'
  ],
  'a handshake after a GET': [GET, upgradeRequest({ headers: { 'Sec-WebSocket-Key': 'bad' } })],
  'a handshake after a GET, in one segment': [
    GET + upgradeRequest({ headers: { 'Sec-WebSocket-Version': '1' } })
  ]
};

for (const [name, segments] of Object.entries(PLAIN)) {
  scenario(`H1 a response of the http.Server: ${name}`, 'server', async (t) => {
    const wss = await t.listen();
    wss._server.prependListener('request', (request) => {
      const { method, url, httpVersion } = request;
      t.log('server', 'request', method, url, httpVersion, request.socket.server === wss._server);
      request.on('data', (chunk) => t.log('server', 'data', chunk));
      request.on('end', () => t.log('server', 'end', request.trailers, request.complete));
    });
    const raw = await t.rawClient(wss);
    raw.socket.setNoDelay(true);
    const seen = [];
    raw.socket.on('data', (chunk) => seen.push(chunk));
    for (const [index, segment] of segments.entries()) {
      const answered = index < segments.length - 1 && segment.endsWith('\r\n\r\n');
      const answer = answered && once(raw.socket, 'data');
      await new Promise((resolve) => raw.socket.write(segment, resolve));
      if (answer) await answer;
      else await new Promise((resolve) => setImmediate(resolve));
    }
    await raw.rest();
    t.log('wire', 'answer', answerText(Buffer.concat(seen)));
    raw.finish();
    await raw.gone();
  });
}

for (const leave of ['finish', 'reset']) {
  for (const half of ['', 'GET /half HTTP/1.1\r\nHost: a\r\nUpgr', '\r\n', '\x16\x03']) {
    scenario(
      `H1 an incomplete request, then ${leave}: ${JSON.stringify(half.slice(0, 9))}`,
      'server',
      async (t) => {
        const wss = await t.listen();
        wss._server.on('connection', (socket) => {
          socket.on('close', (hadError) => wss.emit('gone', hadError));
        });
        wss._server.on('clientError', (err, socket) => {
          t.log('server', 'clientError', err.code, socket.writable, socket.bytesRead);
          if (socket.writable) socket.end('HTTP/1.1 400 Of the program\r\n\r\n');
          else socket.destroy();
        });
        const gone = once(wss, 'gone');
        const raw = await t.sendRequest(wss, half);
        // A reset must not overtake earlier bytes.
        const other = await t.sendRequest(wss);
        await other.head();
        raw[leave]();
        if (leave === 'finish') t.log('wire', 'answer', answerText(await raw.rest()));
        t.log('server', 'gone', ...(await gone));
      }
    );
  }
}

scenario('H1 a handshake after a plain request is served', 'server', async (t) => {
  const wss = await t.listen();
  for (const together of [true, false]) {
    const raw = await t.sendRequest(
      wss,
      together ? GET + upgradeRequest({ target: '/both' }) : GET
    );
    t.logHead(await raw.head());
    t.log('wire', 'body', await raw.bytes(16));
    if (!together) raw.write(upgradeRequest({ target: '/later' }));
    t.logHead(await raw.head());
    const { server, request } = await t.accepted(wss);
    t.log('server', 'accepted', request.url, request.socket === server._socket);
    await exchange(t, { raw, ws: server });
    raw.finish();
    await t.closed(server);
  }
});

scenario('H1 a handshake byte by byte, followed by frames', 'server', async (t) => {
  const wss = await t.listen();
  const raw = await t.rawClient(wss);
  raw.socket.setNoDelay(true);
  const bytes = Buffer.concat([
    Buffer.from(upgradeRequest({ target: '/slow', headers: { Cookie: 'a=b' } })),
    frame(OPCODE.text, 'behind', { key: KEY })
  ]);
  for (const byte of bytes) {
    await new Promise((resolve) => raw.socket.write(Uint8Array.of(byte), resolve));
  }
  const { server, request } = await t.accepted(wss);
  t.log('request', 'is', request.url, request.rawHeaders);
  await t.emitted(server, 'message');
  t.logHead(await raw.head());
  t.log('server', 'read', server._socket.bytesRead - bytes.length);
});
