'use strict';

// The option paths: the requests that it selects, and the answers to others, which are those of ws.

const assert = require('node:assert/strict');
const { once } = require('node:events');
const http = require('node:http');
const test = require('node:test');
const theirs = require('ws');
const { MODES, answerTo, connect, request, startServer } = require('./servers');

const { WebSocketServer } = require('ferrows');

/** Requests that a server of ws with the path /chat refuses. */
const REFUSED = {
  'another path': request('/other'),
  'a path below': request('/chat/more'),
  'an absolute target': request('http://localhost/chat'),
  'an asterisk': request('*'),
  'no key': request('/other', { 'Sec-WebSocket-Key': '' }),
  'another version': request('/other', { 'Sec-WebSocket-Version': '7' }),
  'another method': request('/other').replace('GET', 'POST'),
  'another upgrade': request('/chat', { Upgrade: 'h2c' })
};

for (const mode of MODES) {
  test(`{ ${mode} }: other requests get the answers of ws`, async (context) => {
    const ours = await startServer(context, mode, { paths: ['/chat', '/rooms/:id'] });
    const control = await startServer(context, mode, { path: '/chat' }, theirs.WebSocketServer);
    for (const [name, bytes] of Object.entries(REFUSED)) {
      const expected = await answerTo(control, bytes);
      assert.match(expected, /^HTTP\/1\.1 4/);
      assert.equal(await answerTo(ours, bytes), expected, name);
    }
  });

  test(`{ ${mode} }: the request has the parameters`, async (context) => {
    const { url, wss } = await startServer(context, mode, { paths: ['/chat', '/rooms/:id', '/*'] });
    /** @type {[string, object][]} */
    const cases = [
      ['/chat?token=/rooms/1', {}],
      ['/rooms/a%2Fb?x', { id: 'a%2Fb' }],
      ['/a/b', { 0: 'a/b' }]
    ];
    for (const [path, expected] of cases) {
      const accepted = once(wss, 'connection');
      connect(context, url + path);
      const [, req] = await accepted;
      assert.deepEqual({ ...req.pathParameters }, expected);
      assert.equal(req.url, path);
    }
  });
}

/**
 * Several servers on one http.Server, each of which sends its name.
 *
 * @param {test.TestContext} context
 * @param {Record<string, string[]>} servers paths by name
 */
async function share(context, servers) {
  const server = http.createServer();
  context.after(() => server.close());
  const all = Object.fromEntries(
    Object.entries(servers).map(([name, paths]) => {
      const wss = new WebSocketServer({ server, paths });
      wss.on('connection', (ws) => ws.send(name));
      context.after(() => wss.close());
      return [name, wss];
    })
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  const connectRaw = (/** @type {() => void} */ onConnect) =>
    require('node:net').connect(port, '127.0.0.1', onConnect);
  /** @param {string} path @returns {Promise<string>} the name of the server that accepts, or the status of the refusal */
  const ask = (path) =>
    new Promise((resolve) => {
      const client = connect(context, `ws://127.0.0.1:${port}${path}`);
      client.on('message', (data) => resolve(String(data)));
      client.on('unexpected-response', (_req, res) => resolve(String(res.statusCode)));
    });
  return { all, ask, server, raw: { connectRaw } };
}

test('servers on one http.Server get the requests of their paths', async (context) => {
  const { all, ask, raw, server } = await share(context, {
    chat: ['/chat'],
    rooms: ['/rooms/:id', '/shared'],
    late: ['/shared', '/late']
  });
  const control = await startServer(context, 'server', { path: '/' }, theirs.WebSocketServer);
  assert.equal(await ask('/chat'), 'chat');
  assert.equal(await ask('/rooms/1'), 'rooms');
  assert.equal(await ask('/late'), 'late');
  assert.equal(await ask('/shared'), 'rooms', 'the first one');
  const refusal = await answerTo(control, request('/nowhere'));
  assert.equal(await answerTo(raw, request('/nowhere')), refusal, 'refused once');

  all.rooms.close();
  assert.equal(await ask('/shared'), 'late');
  assert.equal(await answerTo(raw, request('/rooms/1')), refusal);
  all.chat.close();
  all.late.close();
  assert.equal(server.listenerCount('upgrade'), 0);

  const again = new WebSocketServer({ server, paths: ['/again'] });
  context.after(() => again.close());
  again.on('connection', (ws) => ws.send('again'));
  assert.equal(await ask('/again'), 'again');
});

test("requests of no server are left to other 'upgrade' listeners", async (context) => {
  const { ask, server } = await share(context, { chat: ['/chat'], news: ['/news'] });
  const other = new theirs.WebSocketServer({ noServer: true });
  server.on('upgrade', (req, socket, head) => {
    if (req.url !== '/other') return;
    other.handleUpgrade(req, socket, head, (ws) => ws.send('other'));
  });
  assert.deepEqual(await Promise.all(['/chat', '/other', '/news'].map(ask)), [
    'chat',
    'other',
    'news'
  ]);
});

test('shouldHandle() of a subclass decides', async (context) => {
  class Own extends WebSocketServer {
    /** @param {any} req */
    shouldHandle(req) {
      return (
        req.headers.host !== undefined && super.shouldHandle(req) && req.pathParameters.id !== '0'
      );
    }
  }
  const { url, wss } = await startServer(context, 'server', { paths: ['/:id'] }, Own);
  const refused = connect(context, `${url}/0`);
  const [error] = await once(refused, 'error');
  assert.match(error.message, /400/);
  const accepted = once(wss, 'connection');
  connect(context, `${url}/1`);
  assert.equal((await accepted)[1].pathParameters.id, '1');
});
