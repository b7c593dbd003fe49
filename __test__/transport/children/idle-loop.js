'use strict';

// A server whose event loop has nothing to do, in the state CASE: reports whether the loop waits or spins. Raw peers are in
// this process, too.

const { once } = require('node:events');
const http = require('node:http');
const net = require('node:net');
const { performance } = require('node:perf_hooks');
const { setTimeout: delay } = require('node:timers/promises');
const { WebSocketServer } = require('ferrows');

/** Samples the loop until it waits; a spinning one never does. */
const SAMPLES = 100;
/** More than one poll delivers; see src/transport/event_loop. */
const MANY = 600;
const HELD = 100;
const UNREAD = Buffer.concat([Buffer.from([0x81, 0x80 + 2, 0, 0, 0, 0]), Buffer.from('hi')]);

const say = (value) => console.log(JSON.stringify(value));

async function waits() {
  for (let sample = 0; sample < SAMPLES; sample++) {
    const { idleTime } = performance.nodeTiming;
    await delay(20);
    if (performance.nodeTiming.idleTime > idleTime) return true;
  }
  return false;
}

/** A server that holds the requests to /held. */
class Server {
  constructor() {
    this.wss = new WebSocketServer({ noServer: true });
    this.http = http.createServer();
    /** @type {(() => any)[]} each accepts one */
    this.held = [];
    this.http.on('upgrade', (request, socket, head) => {
      const accept = () => {
        this.wss.handleUpgrade(request, socket, head, (ws) => this.wss.emit('connection', ws));
      };
      if (request.url !== '/held') accept();
      else if (this.held.push(accept) === HELD) this.http.emit('all are held');
    });
  }

  async listen() {
    this.http.listen(0, '127.0.0.1');
    await once(this.http, 'listening');
  }

  /** Requests a connection; does not wait for the response. @param {string} path */
  knock(path) {
    const peer = net.connect(this.http.address().port, '127.0.0.1');
    peer.on('error', () => {});
    peer.write(
      `GET ${path} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
        'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n'
    );
    return peer;
  }

  /** A connection, and its peer after the response. */
  async open() {
    const peer = this.knock('/');
    const [[ws]] = await Promise.all([once(this.wss, 'connection'), once(peer, 'data')]);
    ws.on('error', () => {});
    return { ws, peer };
  }

  async end(...peers) {
    for (const ws of this.wss.clients) ws.terminate();
    for (const peer of peers) peer.destroy();
    this.http.close();
    await once(this.http, 'close');
  }
}

const CASES = {
  async 'nothing at all'(server) {
    return [(await server.open()).peer];
  },

  async 'unread input'(server) {
    const { ws, peer } = await server.open();
    ws.pause();
    peer.write(UNREAD);
    return [peer];
  },

  async 'an end behind unread input'(server) {
    const { ws, peer } = await server.open();
    ws.pause();
    peer.write(UNREAD);
    peer.end();
    return [peer];
  },

  async 'a reset behind unread input'(server) {
    const { ws, peer } = await server.open();
    ws.pause();
    peer.write(UNREAD);
    peer.resetAndDestroy();
    return [];
  },

  async 'output that is not read'(server) {
    const { ws, peer } = await server.open();
    peer.pause();
    ws.send(Buffer.alloc(16 * 1024 * 1024));
    return [peer];
  },

  async 'half of a message'(server) {
    const { peer } = await server.open();
    peer.write(UNREAD.subarray(0, 7));
    return [peer];
  },

  // The next connection with the number of a failed one gets the events of that one.
  async 'numbers that are used again'(server) {
    const victims = [];
    for (let number = 0; number < MANY; number++) victims.push(await server.open());
    const waiting = Array.from({ length: HELD }, () => server.knock('/held'));
    await once(server.http, 'all are held');
    const accepted = new Promise((resolve) => {
      // The first event: the others are still to come.
      victims[0].ws.on('message', () => {
        for (const { ws } of victims) ws.terminate();
        for (const accept of server.held) accept();
        resolve();
      });
    });
    victims[0].peer.write(UNREAD);
    for (const { peer } of victims.slice(1)) peer.resetAndDestroy();
    await accepted;
    const received = [];
    const all = new Promise((resolve) => {
      for (const ws of server.wss.clients) {
        ws.on('message', (data) => {
          if (received.push(String(data)) === HELD) resolve();
        });
      }
    });
    for (const peer of waiting) peer.write(UNREAD);
    await all;
    return waiting;
  }
};

async function main() {
  const server = new Server();
  await server.listen();
  const peers = await CASES[process.env.CASE](server);
  say({ waits: await waits() });
  await server.end(...peers);
}

main();
