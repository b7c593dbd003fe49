'use strict';

// Redirects that would leak a client's credentials: their source, the target, with and without a listener of redirects (A18;
// C16), and redirects to unusual locations.

const fs = require('node:fs');
const http = require('node:http');
const https = require('node:https');
const net = require('node:net');
const { once } = require('node:events');
const os = require('node:os');
const path = require('node:path');

/** @typedef {import('../verdict').Attack} Attack */

const FIXTURES = path.join(__dirname, '../../differential/fixtures');
const TLS = {
  key: fs.readFileSync(path.join(FIXTURES, 'localhost.key.pem')),
  cert: fs.readFileSync(path.join(FIXTURES, 'localhost.cert.pem'))
};

/** Headers that are secrets, or reveal the first host. */
const SHOWN = [
  'authorization',
  'cookie',
  'cookie2',
  'proxy-authorization',
  'host',
  'origin',
  'x-mine'
];

/**
 * A server that redirects, or refuses with 403, and records the secrets that it receives.
 *
 * @param {any} t
 * @param {string} lane
 * @param {{ secure?: boolean, location?: () => string | undefined, status?: number, ipc?: string }} how
 */
async function place(t, lane, { secure, location = () => undefined, status = 302, ipc }) {
  const server = secure
    ? await t.http(undefined, { createServer: https.createServer, options: TLS })
    : await t.http();
  server.on('upgrade', (request, socket) => {
    const seen = SHOWN.map((name) => `${name}=${request.headers[name] ?? '-'}`);
    t.log(lane, 'request', request.url, ...seen);
    const to = location();
    const line = to === undefined ? 'HTTP/1.1 403 Enough' : `HTTP/1.1 ${status} Away`;
    socket.end(
      `${line}\r\nConnection: close\r\nContent-Length: 0\r\n${to === undefined ? '' : `Location: ${to}\r\n`}\r\n`
    );
  });
  if (ipc) {
    const local = http.createServer();
    for (const listener of server.listeners('upgrade')) local.on('upgrade', listener);
    t.defer(() => local.close());
    await new Promise((resolve) => local.listen(ipc, () => resolve(undefined)));
  }
  return server;
}

/**
 * A client that follows all redirects.
 *
 * @param {any} t
 * @param {string} url
 * @param {object} options of its own
 * @param {boolean} watched true if the program listens to redirects
 */
async function follow(t, url, options, watched) {
  const ws = t.openClient(url, undefined, {
    followRedirects: true,
    rejectUnauthorized: false,
    ...options
  });
  if (watched) ws.on('redirect', () => {});
  await t.closed(ws);
}

/** The first byte of a TLS connection. */
const HANDSHAKE = 22;

/**
 * One port for both ws and wss, so that a redirect can lead to the same host without TLS.
 *
 * @param {any} t
 */
async function both(t) {
  const secure = await place(t, 'first', { secure: true, location: () => plain() });
  const target = await place(t, 'target', {});
  const door = net.createServer((socket) => {
    socket.once('data', (first) => {
      socket.pause();
      socket.unshift(first);
      const { port } = (first[0] === HANDSHAKE ? secure : target).address();
      const inner = net.connect(port, '127.0.0.1');
      for (const one of [socket, inner]) one.on('error', () => {});
      socket.pipe(inner).pipe(socket);
    });
  });
  door.listen(0, '127.0.0.1');
  await once(door, 'listening');
  t.defer(() => door.close());
  t.hidePort(door.address().port);
  const plain = () => `${t.url(door)}/next`;
  return t.url(door, 'wss');
}

/** Sources of secrets. @type {[string, object, string][]} */
const SECRETS = [
  ['headers', { headers: { Authorization: 'Basic Zm9v', Cookie: 'a=b', 'X-Mine': 'kept' } }, ''],
  [
    'headers in odd letters',
    { headers: { aUtHoRiZaTiOn: 'Basic Zm9v', cOOkie: 'a=b', HOST: 'given.example' } },
    ''
  ],
  ['the option auth', { auth: 'me:secret' }, ''],
  ['the address', {}, 'me:secret@'],
  ['the address and headers', { headers: { Authorization: 'Basic Zm9v' } }, 'me:secret@'],
  [
    'an origin',
    {
      origin: 'http://o.example',
      headers: { 'Proxy-Authorization': 'Basic Zm9v', Cookie2: 'c=d' }
    },
    ''
  ]
];

/** Targets of redirects. */
const WAYS = /** @type {[string, boolean, boolean, 'same' | 'other'][]} */ ([
  ['the same host', false, false, 'same'],
  ['another port', false, false, 'other'],
  ['another port by wss', false, true, 'other'],
  ['the same host, within wss', true, true, 'same'],
  ['another port, from wss to ws', true, false, 'other'],
  ['another port, within wss', true, true, 'other']
]);

/** @param {boolean} secure */
const scheme = (secure) => (secure ? 'wss' : 'ws');

/** @type {Attack[]} */
const attacks = [];

for (const [secret, options, userinfo] of SECRETS) {
  for (const [way, fromSecure, toSecure, host] of WAYS) {
    for (const watched of [false, true]) {
      attacks.push({
        name: `A18 ${secret}, redirected to ${way}${watched ? ', watched' : ''}`,
        against: 'client',
        at: 'free',
        play: async ({ t }) => {
          const other = await place(t, 'target', { secure: toSecure });
          let hops = 0;
          const first = await place(t, 'first', {
            secure: fromSecure,
            location: () => {
              if (hops++) return undefined;
              return host === 'same' ? '/next' : `${t.url(other, scheme(toSecure))}/next`;
            }
          });
          const given = JSON.stringify(options);
          const url = t.url(first, scheme(fromSecure)).replace('://', `://${userinfo}`);
          await follow(t, url, options, watched);
          t.log('client', 'options untouched', JSON.stringify(options) === given);
        }
      });
    }
  }
}

for (const [secret, options, userinfo] of SECRETS) {
  for (const watched of [false, true]) {
    attacks.push({
      name: `A18 ${secret}, redirected to the same host, from wss to ws${watched ? ', watched' : ''}`,
      against: 'client',
      at: 'free',
      play: async ({ t }) => {
        const url = (await both(t)).replace('://', `://${userinfo}`);
        await follow(t, url, options, watched);
      }
    });
  }
}

for (const watched of [false, true]) {
  attacks.push({
    name: `A18 headers, redirected from one local socket to another${watched ? ', watched' : ''}`,
    against: 'client',
    at: 'free',
    play: async ({ t }) => {
      const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'hostile-'));
      t.defer(() => fs.rmSync(folder, { recursive: true, force: true }));
      t.trace.hide(folder, 'FOLDER');
      const [one, two] = ['one', 'two'].map((name) => path.join(folder, name));
      await place(t, 'target', { ipc: two });
      await place(t, 'first', { ipc: one, location: () => `ws+unix://${two}:/next` });
      const ws = t.openClient(`ws+unix://${one}:/`, undefined, {
        followRedirects: true,
        headers: { Authorization: 'Basic Zm9v', Cookie: 'a=b' }
      });
      if (watched) ws.on('redirect', () => {});
      await t.closed(ws);
    }
  });
}

for (const location of [
  '',
  '/',
  '//127.0.0.1:1/',
  'http://[',
  'ftp://127.0.0.1/',
  'file:///etc/passwd',
  'javascript:0',
  'ws+unix:',
  'ws+unix:/etc/passwd:/',
  '/a#fragment',
  '\\\\127.0.0.1\\x',
  'ws://127.0.0.1:99999/',
  '/%0d%0aX-Second:%20yes',
  '/\u00e4',
  `/${'x'.repeat(10000)}`,
  'ws://__proto__:1@127.0.0.1:1/'
]) {
  const shown = location.length > 50 ? `${location.length} characters` : location;
  attacks.push({
    name: `A18 redirected without end to ${JSON.stringify(shown)}`,
    against: 'client',
    at: 'free',
    play: async ({ t }) => {
      const first = await place(t, 'first', { location: () => location });
      const ws = t.openClient(t.url(first), undefined, { followRedirects: true, maxRedirects: 3 });
      await t.closed(ws);
    }
  });
}

module.exports = attacks;
