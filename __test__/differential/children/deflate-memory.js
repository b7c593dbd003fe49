'use strict';

// Memory of permessage-deflate, in a child process: connections that were closed but are still referenced, and decompression
// bombs in either role. Prints whether the process stayed below a limit; MODE selects the test.

const net = require('node:net');
const { once } = require('node:events');
const WebSocket = require(process.env.DIFFERENTIAL_MODULE);
const { bomb, digits } = require('../deflate');
const { NAME, RSV1 } = require('../deflate-peer');
const { OPCODE } = require('../frames');
const { RawPeer, upgradeRequest } = require('../raw-peer');

const HOST = '127.0.0.1';
const MIB = 1 << 20;

const headers = { 'Sec-WebSocket-Extensions': NAME };
const memory = () => process.memoryUsage().rss;

async function listen(options) {
  const wss = new WebSocket.Server({ host: HOST, port: 0, perMessageDeflate: true, ...options });
  await once(wss, 'listening');
  return wss;
}

/** If their state were kept, a hundred pairs would hold some 60 MiB. */
async function closed() {
  const wss = await listen();
  const kept = [];
  let before = 0;
  for (let i = 0; i < 130; i++) {
    // Warm up caches and pools.
    if (i === 30) before = memory();
    const client = new WebSocket(`ws://${HOST}:${wss.address().port}`);
    const [[server]] = await Promise.all([once(wss, 'connection'), once(client, 'open')]);
    const all = [once(server, 'message'), once(client, 'message')];
    for (const ws of [server, client]) ws.send(digits(2000));
    await Promise.all(all);
    const ends = [once(server, 'close'), once(client, 'close')];
    if (i % 2) client.close();
    else server.terminate();
    await Promise.all(ends);
    kept.push(server, client);
  }
  const grown = memory() - before;
  console.log(`${kept.length} closed ones stayed below 30 MiB: ${grown < 30 * MIB}`);
  wss.close();
}

/** Each would inflate to 400 MiB. */
async function bombs() {
  const bytes = bomb(400);
  const options = { perMessageDeflate: true, maxPayload: MIB };
  const wss = await listen(options);
  const listening = net.createServer({ allowHalfOpen: true, noDelay: true }).listen(0, HOST);
  await once(listening, 'listening');

  const before = memory();
  for (let i = 0; i < 3; i++) {
    const socket = net.connect({
      port: wss.address().port,
      host: HOST,
      allowHalfOpen: true,
      noDelay: true
    });
    const peer = new RawPeer(socket, false);
    peer.write(upgradeRequest({ headers }));
    const [ws] = await once(wss, 'connection');
    await refuse(ws, peer);
  }
  for (let i = 0; i < 3; i++) {
    const ws = new WebSocket(`ws://${HOST}:${listening.address().port}`, options);
    const [socket] = await once(listening, 'connection');
    const peer = new RawPeer(socket, true);
    peer.accept(await peer.head(), { headers });
    await once(ws, 'open');
    await refuse(ws, peer);
  }
  console.log(`bombs stayed below 100 MiB: ${memory() - before < 100 * MIB}`);
  listening.close();
  wss.close();

  async function refuse(ws, peer) {
    peer.send(OPCODE.binary, bytes, { rsv: RSV1 });
    const [error] = await once(ws, 'error');
    console.log(error.message);
    peer.socket.destroy();
    await once(ws, 'close');
  }
}

(process.env.MODE === 'closed' ? closed : bombs)();
