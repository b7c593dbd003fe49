'use strict';

// TLS with a client certificate, and the TLS members of the raw sockets: C7, H5, 3.1. The certificate of the fixtures is
// self-signed and trusted as an authority.

const fs = require('node:fs');
const https = require('node:https');
const path = require('node:path');
const { once } = require('node:events');
const { scenario } = require('../run');

const fixture = (name) => fs.readFileSync(path.join(__dirname, '../fixtures', name));
const key = fixture('localhost.key.pem');
const cert = fixture('localhost.cert.pem');

/** A WebSocketServer that requests a client certificate. */
async function listenWithClientCertificates(t, serverOptions, tlsOptions) {
  const server = await t.http(undefined, {
    createServer: https.createServer,
    options: { key, cert, ca: cert, requestCert: true, ...tlsOptions }
  });
  const wss = await t.listen({ server, ...serverOptions });
  return { server, wss, url: t.url(server, 'wss') };
}

scenario('C7 verifyClient receives the certificate of a client', 'pair', async (t) => {
  const { wss, url } = await listenWithClientCertificates(
    t,
    {
      verifyClient({ secure, req }) {
        const { authorized } = req.socket;
        t.log(
          'server',
          'verifyClient',
          secure,
          authorized,
          req.socket.getPeerCertificate().subject
        );
        return authorized;
      }
    },
    { rejectUnauthorized: false }
  );
  const client = t.openClient(url, undefined, { ca: cert, cert, key });
  const { server } = await t.accepted(wss);
  await t.opened(client);
  client.send('trusted');
  await t.emitted(server, 'message');
  client.close(1000);
  await t.closed(server, client);
  await t.closed(t.openClient(url, undefined, { ca: cert }));
});

scenario('C13 a server that requires a certificate', 'pair', async (t) => {
  const { server, url } = await listenWithClientCertificates(t, {}, { maxVersion: 'TLSv1.2' });
  const failed = once(server, 'tlsClientError');
  const client = t.openClient(url, undefined, { ca: cert });
  await t.closed(client);
  const [err] = await failed;
  t.log('server', 'tlsClientError', err.code);
});

scenario('3.1 members of a TLS socket', 'pair', async (t) => {
  const { wss, url } = await listenWithClientCertificates(t);
  const client = t.openClient(url, undefined, { ca: cert, cert, key });
  const { server, request } = await t.accepted(wss);
  await t.opened(client);
  for (const [lane, ws] of Object.entries({ server, client })) {
    const socket = ws._socket;
    t.log(lane, 'secure', socket.encrypted, socket.authorized, socket.authorizationError);
    t.log(lane, 'protocol', socket.getProtocol(), socket.getCipher().version);
    t.log(lane, 'peer', socket.getPeerCertificate().fingerprint256);
    t.log(lane, 'address', socket.remoteAddress, socket.remoteFamily, socket.remotePort > 0);
    t.log(lane, 'calls', socket.setKeepAlive(true) === socket, socket.setNoDelay() === socket);
    socket.token = lane;
    t.log(lane, 'expando', ws._socket.token);
  }
  t.log('server', 'identity', server._socket === request.socket);
  server._socket.cork();
  server.send('corked');
  server.send('together');
  server._socket.uncork();
  await t.emitted(client, 'message', 2);
  client.terminate();
  await t.closed(server, client);
  t.log('client', 'destroyed', client._socket.destroyed);
});

scenario('3.1 pause of a TLS socket', 'pair', async (t) => {
  const { wss, url } = await listenWithClientCertificates(t, {}, { requestCert: false });
  const client = t.openClient(url, undefined, { ca: cert });
  const { server } = await t.accepted(wss);
  await t.opened(client);
  server.pause();
  client.send('while paused');
  const other = t.openClient(url, undefined, { ca: cert });
  await t.opened(other);
  t.log('server', 'paused', server.isPaused, server._socket.isPaused());
  server.resume();
  await t.emitted(server, 'message');
});
