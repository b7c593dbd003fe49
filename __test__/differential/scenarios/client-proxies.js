'use strict';

// Clients that connect through an HTTP proxy with CONNECT, by an agent: C7.

const fs = require('node:fs');
const https = require('node:https');
const net = require('node:net');
const path = require('node:path');
const { scenario } = require('../run');

const fixture = (name) => fs.readFileSync(path.join(__dirname, '../fixtures', name));
const key = fixture('localhost.key.pem');
const cert = fixture('localhost.cert.pem');

/** An HTTP proxy. `authorize` accepts or refuses a request. */
async function proxy(t, authorize = () => true) {
  const server = await t.http((request, response) => response.writeHead(405).end());
  server.on('connect', (request, socket, head) => {
    t.log('proxy', 'CONNECT', request.url, request.headers['proxy-authorization']);
    if (!authorize(request)) {
      socket.end('HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n');
      return;
    }
    const [host, port] = request.url.split(':');
    const target = net.connect({ host, port: Number(port), noDelay: true }, () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      target.write(head);
      target.pipe(socket).pipe(target);
    });
    target.on('error', () => socket.destroy());
    socket.on('close', () => target.destroy());
    t.defer(() => target.destroy());
  });
  return server;
}

async function proxyAgent(t, through, user = '') {
  const { HttpsProxyAgent } = await import('https-proxy-agent');
  return new HttpsProxyAgent(t.url(through, 'http').replace('://', `://${user}`));
}

/** Messages in both directions and a close, over the agent's connection. */
async function exchange(t, wss, client) {
  const { server } = await t.accepted(wss);
  await t.opened(client);
  server.on('message', (data, isBinary) => server.send(data, { binary: isBinary }));
  client.send('through the proxy');
  client.send(Buffer.alloc(100000, 'much'));
  await t.emitted(client, 'message', 2);
  server.ping('p');
  await t.emitted(server, 'pong');
  await t.emitted(client, 'ping');
  t.log('client', 'socket', client._socket.remoteAddress, Boolean(client._socket.encrypted));
  client.close(1000, 'done');
  await t.closed(server, client);
}

scenario('C7 an HTTP proxy, ws', 'pair', async (t) => {
  const wss = await t.listen();
  const agent = await proxyAgent(t, await proxy(t));
  await exchange(t, wss, t.openClient(t.url(wss), undefined, { agent }));
});

scenario('C7 an HTTP proxy, wss', 'pair', async (t) => {
  const server = await t.http(undefined, {
    createServer: https.createServer,
    options: { key, cert }
  });
  const wss = await t.listen({ server });
  const agent = await proxyAgent(t, await proxy(t));
  await exchange(t, wss, t.openClient(t.url(server, 'wss'), undefined, { agent, ca: cert }));
});

scenario('C7 a proxy that requires a password', 'pair', async (t) => {
  const wss = await t.listen();
  const through = await proxy(t, ({ headers }) => headers['proxy-authorization'] === 'Basic YTpi');
  const refused = t.openClient(t.url(wss), undefined, { agent: await proxyAgent(t, through) });
  await t.closed(refused);
  const agent = await proxyAgent(t, through, 'a:b@');
  await exchange(t, wss, t.openClient(t.url(wss), undefined, { agent }));
});

scenario('C7 an HTTP proxy that cannot reach the server', 'client', async (t) => {
  const through = await proxy(t);
  const server = net.createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  t.hidePort(port);
  await new Promise((resolve) => server.close(resolve));
  const agent = await proxyAgent(t, through);
  await t.closed(t.openClient(`ws://127.0.0.1:${port}`, undefined, { agent }));
});

scenario('C7 a server behind a proxy is reset', 'pair', async (t) => {
  const wss = await t.listen();
  const agent = await proxyAgent(t, await proxy(t));
  const client = t.openClient(t.url(wss), undefined, { agent });
  const { server } = await t.accepted(wss);
  await t.opened(client);
  server.terminate();
  await t.closed(server, client);
});
