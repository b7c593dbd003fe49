'use strict';

// The option allowedOrigins: the verdicts, and the refusal, which is that of a verifyClient of ws with status 403.

const assert = require('node:assert/strict');
const { once } = require('node:events');
const test = require('node:test');
const theirs = require('ws');
const { MODES, answerTo, connect, request, startServer } = require('./servers');

const { WebSocket, WebSocketServer } = require('ferrows');

/** A verifyClient of ws that refuses. @type {import('ws').VerifyClientCallbackAsync} */
const forbid = (_info, callback) => callback(false, 403);

/** @param {string | undefined} origin @param {Record<string, string>} [fields] */
const from = (origin, fields) =>
  request('/', origin === undefined ? fields : { Origin: origin, ...fields });

for (const mode of MODES) {
  test(`{ ${mode} }: a refusal is that of ws, before verifyClient and any WebSocket`, async (context) => {
    const calls = [];
    class Counted extends WebSocket {
      /** @param {[any, any, any]} args */
      constructor(...args) {
        super(...args);
        calls.push('WebSocket');
      }
    }
    const ours = await startServer(context, mode, {
      allowedOrigins: 'https://example.com',
      verifyClient: () => calls.push('verifyClient'),
      WebSocket: Counted
    });
    const control = await startServer(
      context,
      mode,
      { verifyClient: forbid },
      theirs.WebSocketServer
    );
    const bytes = from('https://evil.example');
    const expected = await answerTo(control, bytes);
    assert.match(expected, /^HTTP\/1\.1 403 Forbidden\r\n/);
    assert.equal(await answerTo(ours, bytes), expected);
    assert.deepEqual(calls, []);

    const client = connect(context, ours.url, { origin: 'https://example.com' });
    await once(client, 'open');
    assert.deepEqual(calls, ['verifyClient', 'WebSocket']);
  });

  test(`{ ${mode} }: the origin of the server's own pages`, async (context) => {
    const server = await startServer(context, mode, { allowedOrigins: 'same-origin' });
    const scheme = mode === 'tls' ? 'https' : 'http';
    const other = mode === 'tls' ? 'http' : 'https';
    const defaultPort = mode === 'tls' ? 443 : 80;
    /** @type {[string | undefined, string, boolean][]} Origin, Host, accepted */
    const cases = [
      [`${scheme}://${server.host}`, server.host, true],
      [`${other}://${server.host}`, server.host, false],
      [`${scheme}://127.0.0.1:1`, server.host, false],
      [`${scheme}://example.com`, 'example.com', true],
      [`${scheme}://example.com`, `example.com:${defaultPort}`, true],
      [`${scheme}://example.com`, 'EXAMPLE.com', true],
      [`${scheme}://example.com`, 'www.example.com', false],
      [`${scheme}://[::1]:8080`, '[::1]:8080', true],
      [`${scheme}://evil.example`, 'user@evil.example', false],
      [`${scheme}://evil.example`, 'evil.example/x', false],
      [`${scheme}://evil.example`, 'evil.example?', false],
      [`${scheme}://evil.example`, 'evil.example#', false],
      ['null', 'null', false],
      [undefined, server.host, true]
    ];
    for (const [origin, Host, isAccepted] of cases) {
      await assertVerdict(server, from(origin, { Host }), isAccepted, `${origin} at ${Host}`);
    }
  });
}

/**
 * @param {any} server
 * @param {string} bytes
 * @param {boolean} isAccepted
 * @param {string} message
 */
async function assertVerdict(server, bytes, isAccepted, message) {
  const socket = server.connectRaw(() => socket.write(bytes));
  const [chunk] = await once(socket, 'data');
  socket.destroy();
  assert.equal(String(chunk).split(' ')[1], isAccepted ? '101' : '403', message);
}

/** The option, origins that it accepts, origins that it refuses; undefined: no Origin field. @type {[string, any, any[], any[]][]} */
const LISTS = [
  [
    'a string',
    'https://a.example',
    ['https://a.example', undefined],
    ['https://a.example:8443', 'http://a.example', 'null', '']
  ],
  [
    'a list',
    [
      'https://a.example',
      'http://localhost:3000',
      'chrome-extension://abcdef',
      'null',
      'same-origin'
    ],
    [
      'https://a.example',
      'http://localhost:3000',
      'chrome-extension://abcdef',
      'null',
      'http://host.example'
    ],
    [
      'http://localhost',
      'chrome-extension://abcde',
      'https://host.example',
      'https://a.example.evil'
    ]
  ],
  ['an empty list', [], [undefined], ['https://a.example', 'null']],
  [
    'a pattern',
    [/^https:\/\/[^.]+\.example$/],
    ['https://a.example'],
    ['https://a.b.example', 'https://a.example.evil']
  ],
  [
    'a global pattern',
    [/example/g],
    ['https://a.example', 'https://a.example', 'https://b.example'],
    ['https://b.test']
  ],
  ['a sticky pattern', [/https:/y], ['https://a.example', 'https://a.example'], ['http://https:']],
  [
    'a function',
    (/** @type {any} */ origin) => origin === undefined || origin.endsWith('a'),
    ['https://a', undefined],
    ['https://b']
  ],
  [
    'a function without the field',
    (/** @type {any} */ origin) => origin !== undefined,
    ['https://a'],
    [undefined]
  ],
  ['an async function', async () => true, [], ['https://a.example', undefined]],
  ['a function that returns 1', () => 1, [], ['https://a.example']]
];

for (const [name, allowedOrigins, accepted, refused] of LISTS) {
  test(`${name}`, async (context) => {
    const server = await startServer(context, 'port', { allowedOrigins });
    const verdicts = [
      ...accepted.map((origin) => [origin, true]),
      ...refused.map((origin) => [origin, false])
    ];
    // Twice: nothing is kept from one request to the next.
    for (const [origin, isAccepted] of [...verdicts, ...verdicts]) {
      await assertVerdict(
        server,
        from(origin, { Host: 'host.example' }),
        isAccepted,
        String(origin)
      );
    }
  });
}

test('version 8 has a field of another name, as with verifyClient', async (context) => {
  const server = await startServer(context, 'port', { allowedOrigins: 'https://a.example' });
  const fields = { 'Sec-WebSocket-Version': '8', 'Sec-WebSocket-Origin': 'https://evil.example' };
  await assertVerdict(server, from('https://a.example', fields), false, 'version 8');
  fields['Sec-WebSocket-Origin'] = 'https://a.example';
  await assertVerdict(server, from('https://evil.example', fields), true, 'version 8');
});

test('two Origin fields match no origin', async (context) => {
  const server = await startServer(context, 'port', { allowedOrigins: 'https://a.example' });
  const bytes = from('https://a.example').replace('Host', 'Origin: https://evil.example\r\nHost');
  await assertVerdict(server, bytes, false, 'two fields');
});

test('the function gets the request, and its exception is that of handleUpgrade()', () => {
  const wss = new WebSocketServer({
    noServer: true,
    allowedOrigins(origin, req) {
      throw new Error(`${origin} ${req.url}`);
    }
  });
  const socket = /** @type {any} */ ({ on() {} });
  const req = /** @type {any} */ ({
    method: 'GET',
    url: '/x',
    headers: {
      origin: 'https://a',
      upgrade: 'websocket',
      'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
      'sec-websocket-version': '13'
    }
  });
  assert.throws(() => wss.handleUpgrade(req, socket, Buffer.alloc(0), () => {}), {
    message: 'https://a /x'
  });
});

test('a change of the array after the construction has no effect', async (context) => {
  const allowedOrigins = ['https://a.example'];
  const server = await startServer(context, 'port', { allowedOrigins });
  allowedOrigins[0] = 'https://b.example';
  await assertVerdict(server, from('https://a.example'), true, 'a');
  await assertVerdict(server, from('https://b.example'), false, 'b');
});
