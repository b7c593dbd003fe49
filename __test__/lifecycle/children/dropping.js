'use strict';

// The two ends of a connection that will be dropped: the subject, in either role, and its peer, a bare socket or a WebSocket of
// a library. Used by dropped.js. The steps at which the peer drops it are in steps.js.

const net = require('node:net');
const { once } = require('node:events');
const subject = require('../../subject.cjs');
const { RawPeer, upgradeRequest } = require('../../differential/raw-peer');
const { connect, end, listen } = require('../../transport/pairs');

const EXTENSION = { 'Sec-WebSocket-Extensions': 'permessage-deflate' };

/** Ways in which a bare socket drops a connection. @type {Record<string, (socket: any) => void>} */
const WAYS = {
  destroy: (socket) => socket.destroy(),
  reset: (socket) => socket.resetAndDestroy(),
  // Ends its side, and still reads.
  finish(socket) {
    socket.removeAllListeners('data');
    socket.end();
    socket.resume();
  }
};

/** Counts the events that must come once: the 'close' of each WebSocket, the callback of each send. */
class Ledger {
  /** @type {{ what: string, count: number }[]} */
  entries = [];

  /** @param {string} what @returns {() => void} a function to be called once */
  expect(what) {
    const entry = { what, count: 0 };
    this.entries.push(entry);
    return () => entry.count++;
  }

  /** Events that never came, or more than once. */
  get wrong() {
    return this.entries.filter(({ count }) => count !== 1);
  }
}

class Dropping {
  ledger = new Ledger();
  /** @type {Promise<void>[]} the ends of the WebSockets of the subject */
  ends = [];
  /** @type {string} */
  step = '';
  /** @type {string} */
  how = '';

  /** @param {string} role of the subject; @param {string} peer */
  constructor(role, peer) {
    this.isServer = role === 'server';
    /** @type {any} undefined: a bare socket */
    this.library = peer === 'raw' ? undefined : require(peer);
  }

  async listen() {
    this.server = net.createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1');
    await once(this.server, 'listening');
    this.wss = await listen(subject, { perMessageDeflate: true });
    this.wss.on('connection', (ws) => this.watch(ws));
    if (this.library) this.other = await listen(this.library, { perMessageDeflate: true });
  }

  /** @param {any} ws of the subject */
  watch(ws) {
    const closed = this.ledger.expect(`'close' of: ${this.step}`);
    ws.on('error', () => {});
    ws.on('close', closed);
    this.ends.push(new Promise((resolve) => ws.once('close', resolve)));
    return ws;
  }

  /** Sends from the subject; the callback is in the ledger. @param {any} ws @param {any} data */
  send(ws, data) {
    ws.send(data, this.ledger.expect(`callback of: ${this.step}`));
  }

  /** A connection before any byte: the end of the bare socket, and of a client, if that is the role. */
  async connectBare(perMessageDeflate = false) {
    if (this.isServer) {
      const socket = net.connect({
        port: this.wss.address().port,
        host: '127.0.0.1',
        allowHalfOpen: true
      });
      await once(socket, 'connect');
      return { peer: new RawPeer(socket, false) };
    }
    const accepted = once(this.server, 'connection');
    const url = `ws://127.0.0.1:${this.server.address().port}`;
    const ws = this.watch(new subject.WebSocket(url, { perMessageDeflate }));
    return { ws, peer: new RawPeer((await accepted)[0], true) };
  }

  /** An open connection. */
  async connected(perMessageDeflate = false) {
    if (this.library) return this.connectedLibrary(perMessageDeflate);
    const headers = perMessageDeflate ? EXTENSION : {};
    const { peer, ws } = await this.connectBare(perMessageDeflate);
    if (ws) {
      const opened = once(ws, 'open');
      peer.accept(await peer.head(), { headers });
      await opened;
      return { ws, peer };
    }
    const connection = once(this.wss, 'connection');
    peer.write(upgradeRequest({ headers }));
    await peer.head();
    return { ws: (await connection)[0], peer };
  }

  async connectedLibrary(perMessageDeflate) {
    if (this.isServer) {
      const [ws, peer] = await connect(this.library, this.wss, { perMessageDeflate });
      peer.on('error', () => {});
      return { ws, peer };
    }
    const [peer, ws] = await connect(
      { WebSocket: subject.WebSocket, WebSocketServer: subject.WebSocketServer },
      this.other,
      { perMessageDeflate }
    );
    peer.on('error', () => {});
    return { ws: this.watch(ws), peer };
  }

  /** The peer drops the connection. @param {any} peer */
  drop(peer) {
    if (peer instanceof RawPeer) WAYS[this.how](peer.socket);
    else if (this.how === 'finish') peer._socket.end();
    else WAYS[this.how](peer._socket);
  }

  /** Waits until everything that was opened is gone. */
  async closed() {
    await Promise.all(this.ends);
    this.ends = [];
  }

  /** Checks that a fresh connection works. */
  async echoes() {
    this.step = 'a fresh connection';
    const [server, client] = await connect(subject, this.wss);
    server.on('message', (data) => server.send(data));
    const echoed = once(client, 'message');
    client.send('still there');
    const [data] = await echoed;
    client.terminate();
    await Promise.all([once(client, 'close'), once(server, 'close')]);
    return String(data) === 'still there';
  }

  async end() {
    this.server.close();
    await end(this.wss);
    if (this.other) await end(this.other);
  }
}

module.exports = { Dropping, WAYS };
