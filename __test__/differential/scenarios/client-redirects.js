'use strict';

// followRedirects at the client: statements C15 and C16.

const { scenario } = require('../run');

/** An http.Server that redirects by its table and passes other requests to a WebSocketServer. */
async function listenWithRedirects(t, table) {
  const server = await t.http();
  const wss = new (require('ws').WebSocketServer)({ noServer: true });
  server.on('upgrade', (request, socket, head) => {
    const { authorization = '-', cookie = '-', host, origin = '-' } = request.headers;
    t.log('wire', 'request', request.url, authorization, cookie, origin, host);
    const answer = table[request.url];
    if (!answer) {
      wss.handleUpgrade(request, socket, head, (ws) => ws.close(1000, 'arrived'));
      return;
    }
    const [status, location] = answer;
    socket.end(
      `HTTP/1.1 ${status} Redirect\r\nConnection: close\r\nContent-Length: 0\r\n` +
        `${location === undefined ? '' : `Location: ${location}\r\n`}\r\n`
    );
  });
  return t.url(server);
}

for (const status of [300, 301, 302, 303, 304, 307, 308, 399]) {
  scenario(`C15 status ${status} with Location is followed`, 'client', async (t) => {
    const url = await listenWithRedirects(t, { '/': [status, '/next?x=1'] });
    const ws = t.openClient(url, undefined, { followRedirects: true, origin: 'http://o.example' });
    t.log('client', 'url', ws.url);
    await t.closed(ws);
    t.log('client', 'url', ws.url);
  });
}

scenario('C15 a redirect without Location is an unexpected response', 'client', async (t) => {
  const url = await listenWithRedirects(t, { '/': [301] });
  await t.closed(t.openClient(url, undefined, { followRedirects: true }));
});

scenario('C15 redirects are not followed by default', 'client', async (t) => {
  const url = await listenWithRedirects(t, { '/': [301, '/next'] });
  await t.closed(t.openClient(url));
});

scenario('C15 maxRedirects', 'client', async (t) => {
  const table = {};
  for (let i = 0; i < 5; i++) table[`/${i}`] = [302, `/${i + 1}`];
  const url = await listenWithRedirects(t, table);
  for (const maxRedirects of [5, 4, 0]) {
    const ws = t.openClient(`${url}/0`, undefined, { followRedirects: true, maxRedirects });
    await t.closed(ws);
    t.log('client', 'url', ws.url);
  }
});

scenario('C15 ten redirects by default', 'client', async (t) => {
  const url = await listenWithRedirects(t, { '/': [302, '/'] });
  await t.closed(t.openClient(url, undefined, { followRedirects: true }));
});

scenario('C15 locations that cannot be followed', 'client', async (t) => {
  const locations = ['ws://', 'ftp://127.0.0.1/x', '/a#b', 'http://[', 'ws+unix:'];
  for (const location of locations) {
    const url = await listenWithRedirects(t, { '/': [302, location] });
    await t.closed(t.openClient(url, undefined, { followRedirects: true }));
  }
});

scenario('C15 redirect listeners may edit the new request', 'client', async (t) => {
  const url = await listenWithRedirects(t, { '/': [302, '/next'] });
  const ws = t.openClient(url, undefined, { followRedirects: true });
  ws.on('redirect', (to, request) => {
    t.log('client', 'redirect', to, request);
    t.trace.event('client', 'state', [request.getHeader('cookie')], ws);
    request.setHeader('cookie', 'late=1');
  });
  await t.closed(ws);
});

scenario('C15 redirect listeners may destroy the new request', 'client', async (t) => {
  const url = await listenWithRedirects(t, { '/': [302, '/next'] });
  const ws = t.openClient(url, undefined, { followRedirects: true });
  ws.on('redirect', (to, request) => request.destroy(new Error('not there')));
  await t.closed(ws);
});

for (const call of ['close', 'terminate']) {
  scenario(`C15 ${call}() in a redirect listener`, 'client', async (t) => {
    const url = await listenWithRedirects(t, { '/': [302, '/next'] });
    const ws = t.openClient(url, undefined, { followRedirects: true });
    ws.on('redirect', () => ws[call]());
    await t.closed(ws);
  });
}

/** Sources of credentials, and the credentials that reach the redirect target. */
const CREDENTIALS = [
  ['headers', { headers: { Authorization: 'Basic Zm9v', cookie: 'a=b', HOST: 'given.example' } }],
  ['auth', { auth: 'foo:bar' }]
];

for (const [name, options] of CREDENTIALS) {
  for (const listener of [false, true]) {
    for (const place of ['the same host', 'another host']) {
      const about = `${name} to ${place}${listener ? ' with a redirect listener' : ''}`;
      scenario(`C16 credentials of ${about}`, 'client', async (t) => {
        const other = await listenWithRedirects(t, {});
        const target =
          place === 'the same host' ? '/next' : `${other.replace('ws:', 'http:')}/next`;
        const url = await listenWithRedirects(t, { '/': [302, target] });
        const given = JSON.stringify(options);
        const ws = t.openClient(url, undefined, { followRedirects: true, ...options });
        if (listener) ws.on('redirect', () => {});
        await t.closed(ws);
        t.log('client', 'options untouched', JSON.stringify(options) === given);
      });
    }
  }
}

scenario('C16 userinfo of the first address', 'client', async (t) => {
  const other = await listenWithRedirects(t, {});
  const url = await listenWithRedirects(t, {
    '/': [302, '/next'],
    '/away': [302, `${other}/next`]
  });
  for (const target of ['/', '/away']) {
    const address = url.replace('ws://', 'ws://me:secret@') + target;
    await t.closed(t.openClient(address, undefined, { followRedirects: true }));
  }
});

scenario(
  'C11 handshakeTimeout restarts with the request after a redirect',
  'client',
  async (t) => {
    const listening = await t.rawServer();
    const url = await listenWithRedirects(t, { '/': [302, listening.url] });
    const ws = t.openClient(url, undefined, { followRedirects: true, handshakeTimeout: 300 });
    await t.closed(ws);
  },
  { isWaiting: true }
);
