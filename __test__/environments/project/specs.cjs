'use strict';

// The specifications that every test runner runs, each as one test: a function of the exports of ws that returns its
// observations. No specification uses a timer, so all work while timers are faked.

const { once } = require('node:events');
const { readFileSync } = require('node:fs');
const http = require('node:http');
const https = require('node:https');
const { join } = require('node:path');

const LARGE = 'ü€ and more '.repeat(8000);

/** The kind of a payload, in the realm of the test. */
const kind = (data) => [
  typeof data,
  Buffer.isBuffer(data),
  data instanceof Uint8Array,
  data instanceof ArrayBuffer,
  Array.isArray(data)
];

/**
 * An echo server, a client of it, and the events of both, each in order.
 *
 * @param {any} api the exports of ws
 * @param {object} [options] options of both
 */
async function open(api, options) {
  const wss = new api.WebSocketServer({ host: '127.0.0.1', port: 0, ...options });
  await once(wss, 'listening');
  const seen = { server: [], client: [] };
  const note = (who, ws) => {
    ws.on('message', (data, isBinary) => seen[who].push(['message', data.length, isBinary]));
    ws.on('ping', (data) => seen[who].push(['ping', String(data)]));
    ws.on('pong', (data) => seen[who].push(['pong', String(data)]));
    ws.on('error', (error) =>
      seen[who].push(['error', error.code, error.message, error instanceof Error])
    );
    ws.on('close', (code, reason) => seen[who].push(['close', code, String(reason)]));
  };
  const connected = once(wss, 'connection');
  const client = new api.WebSocket(`ws://127.0.0.1:${wss.address().port}/a?b`, options);
  note('client', client);
  const [[server, request]] = await Promise.all([connected, once(client, 'open')]);
  note('server', server);
  server.on('message', (data, isBinary) => server.send(data, { binary: isBinary }));
  return { wss, server, client, request, seen };
}

/** Closes a server, and returns the number of its remaining clients. */
async function shut(wss) {
  const closed = once(wss, 'close');
  wss.close();
  await closed;
  return wss.clients.size;
}

async function echo(api, options) {
  const { wss, server, client, request, seen } = await open(api, options);
  for (const data of ['', 'text', LARGE, Buffer.from([0, 255]), new Uint8Array(70_000)]) {
    const sent = new Promise((resolve, reject) => {
      client.send(data, (error) => (error ? reject(error) : resolve()));
    });
    const [echoed] = await once(client, 'message');
    await sent;
    if (Buffer.compare(echoed, Buffer.from(data)) !== 0) throw new Error('another message');
  }
  client.ping('?');
  await once(client, 'pong');
  const closed = Promise.all([once(client, 'close'), once(server, 'close')]);
  client.close(3001, 'bye');
  await closed;
  return [request.url, client.extensions, seen, await shut(wss), client.readyState];
}

/** @type {Record<string, (api: any) => Promise<unknown>>} */
module.exports = {
  'an echo': (api) => echo(api, { perMessageDeflate: false }),
  'a compressed echo': (api) => echo(api, { perMessageDeflate: { threshold: 0 } }),

  // CERTIFICATES is the folder of a key and its self-signed certificate.
  async 'an encrypted echo'(api) {
    const read = (name) => readFileSync(join(process.env.CERTIFICATES, name));
    const cert = read('localhost.cert.pem');
    const server = https.createServer({ cert, key: read('localhost.key.pem') });
    const wss = new api.WebSocketServer({ server, perMessageDeflate: { threshold: 0 } });
    wss.on('connection', (ws) => ws.on('message', (data) => ws.send(data)));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const connected = once(wss, 'connection');
    const client = new api.WebSocket(`wss://127.0.0.1:${server.address().port}`, { ca: cert });
    await once(client, 'open');
    const [ws] = await connected;
    const seen = [client.extensions];
    for (const data of ['text', LARGE]) {
      client.send(data);
      const [echoed, isBinary] = await once(client, 'message');
      seen.push([String(echoed) === data, isBinary]);
    }
    const closed = Promise.all([once(client, 'close'), once(ws, 'close')]);
    client.close(1000, 'done');
    seen.push((await closed).map(([code, reason]) => [code, String(reason)]));
    server.close();
    await once(server, 'close');
    wss.close();
    return seen;
  },

  async 'a greeting'(api) {
    const wss = new api.WebSocketServer({ host: '127.0.0.1', port: 0 });
    await once(wss, 'listening');
    wss.on('connection', (ws) => ws.send('welcome'));
    const client = new api.WebSocket(`ws://127.0.0.1:${wss.address().port}`);
    const [data, isBinary] = await once(client, 'message');
    const closed = once(client, 'close');
    client.close();
    const [code, reason] = await closed;
    return [String(data), isBinary, kind(data), code, kind(reason), await shut(wss)];
  },

  async 'kinds of payloads'(api) {
    const { wss, client } = await open(api);
    const result = [];
    for (const type of ['nodebuffer', 'arraybuffer', 'fragments']) {
      client.binaryType = type;
      client.send(new Uint8Array([1, 2, 3]));
      const [data] = await once(client, 'message');
      result.push([type, kind(data)]);
    }
    for (const data of [
      new ArrayBuffer(3),
      new DataView(new ArrayBuffer(4)),
      new Float64Array(2)
    ]) {
      client.binaryType = 'nodebuffer';
      client.send(data);
      result.push((await once(client, 'message'))[0].length);
    }
    client.terminate();
    await once(client, 'close');
    return [result, await shut(wss)];
  },

  async 'listeners of events'(api) {
    const { wss, client } = await open(api);
    const message = new Promise((resolve) => {
      client.addEventListener('message', resolve, { once: true });
    });
    client.send('text');
    const { type, data, target } = await message;
    const closed = new Promise((resolve) => {
      client.onclose = resolve;
    });
    client.close(1000, 'done');
    const { code, reason, wasClean } = await closed;
    return [type, data, target === client, code, reason, wasClean, await shut(wss)];
  },

  async 'an end without a close frame'(api) {
    const { wss, server, client, seen } = await open(api);
    const closed = Promise.all([once(client, 'close'), once(server, 'close')]);
    client.terminate();
    await closed;
    return [seen, await shut(wss)];
  },

  async 'a message that is too large'(api) {
    const { wss, server, client, seen } = await open(api, { maxPayload: 4 });
    const closed = Promise.all([
      new Promise((resolve) => client.once('close', resolve)),
      new Promise((resolve) => server.once('close', resolve))
    ]);
    client.send('12345');
    await closed;
    return [seen, await shut(wss)];
  },

  async refusals(api) {
    const server = http.createServer((_, response) => response.end('page'));
    const wss = new api.WebSocketServer({ noServer: true });
    server.on('upgrade', (request, socket, head) => {
      if (request.url !== '/ws') socket.end('HTTP/1.1 404 Not Found\r\n\r\n');
      else wss.handleUpgrade(request, socket, head, (ws) => ws.close(4000, 'enough'));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const base = `ws://127.0.0.1:${server.address().port}`;
    const failure = async (url) => {
      const client = new api.WebSocket(url);
      const error = await new Promise((resolve) => client.once('error', resolve));
      return [
        error.name,
        error.code,
        error.message.replace(/\d{4,}/, 'PORT'),
        error instanceof Error
      ];
    };
    const refused = await failure(`${base}/no`);
    const client = new api.WebSocket(`${base}/ws`);
    const [code, reason] = await once(client, 'close');
    server.close();
    await once(server, 'close');
    return [refused, code, String(reason), (await failure(base)).slice(0, 2)];
  },

  async 'errors that are thrown'(api) {
    const { wss, client } = await open(api);
    const thrown = (run) => {
      try {
        run();
        return 'nothing';
      } catch (error) {
        return [error.name, error.message, error instanceof Error, error instanceof SyntaxError];
      }
    };
    const result = [
      thrown(() => new api.WebSocket('no url')),
      thrown(() => new api.WebSocket('ws://127.0.0.1:1', 'a b')),
      thrown(() => client.close(1)),
      thrown(() => client.ping('x'.repeat(126))),
      thrown(() => new api.WebSocketServer({}))
    ];
    client.terminate();
    await once(client, 'close');
    return [result, await shut(wss)];
  },

  async 'a stream'(api) {
    const { wss, server, client } = await open(api);
    const closed = once(server, 'close');
    const stream = api.createWebSocketStream(client, { encoding: 'utf8' });
    stream.end(LARGE);
    let text = '';
    for await (const chunk of stream) {
      text += chunk;
      if (text.length === LARGE.length) break;
    }
    await closed;
    return [text === LARGE, await shut(wss)];
  }
};
