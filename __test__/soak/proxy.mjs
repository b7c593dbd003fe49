// The network between clients and the server: a TCP proxy that applies the planned faults to each connection and counts them.
// Used by soak.mjs; plan.mjs selects the faults.

import { createServer, connect } from 'node:net';
import { once, setMaxListeners } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { FrameWalker, find } from './frames.mjs';
import { reset } from './reset.mjs';
import { shaper } from './shapes.mjs';

/** Milliseconds until a connection with a changed bit is ended: one end may wait forever. */
const CORRUPT_LIFE = 1500;
/** Milliseconds until missing ends are forced. */
const END_LIFE = 3000;

export class Proxy {
  /**
   * @param {number} target the server's port
   * @param {(session: number) => any} planOf its fault, or null
   */
  constructor(target, planOf) {
    this.target = target;
    this.planOf = planOf;
    /** Number of occurrences of each fault. @type {Record<string, number>} */
    this.counts = {};
    this.calmed = new AbortController();
    setMaxListeners(0, this.calmed.signal);
    /** @type {Set<import('node:net').Socket>} */
    this.sockets = new Set();
    this.server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
      void this.carry(client);
    });
  }

  async listen() {
    this.server.listen(0, '127.0.0.1');
    await once(this.server, 'listening');
    return /** @type {import('node:net').AddressInfo} */ (this.server.address()).port;
  }

  /** From now on bytes are passed on unchanged. */
  calm() {
    this.calmed.abort();
  }

  close() {
    this.server.close();
    for (const socket of this.sockets) socket.destroy();
  }

  /** @param {string} fault */
  count(fault) {
    this.counts[fault] = (this.counts[fault] ?? 0) + 1;
  }

  /** @param {import('node:net').Socket} socket */
  own(socket) {
    this.sockets.add(socket);
    socket.on('error', () => {}).on('close', () => this.sockets.delete(socket));
    return socket;
  }

  /** @param {import('node:net').Socket} client */
  async carry(client) {
    this.own(client);
    const [first] = await Promise.race([once(client, 'data'), once(client, 'close')]).catch(
      () => []
    );
    client.pause();
    if (!Buffer.isBuffer(first) || client.destroyed) {
      client.destroy();
      return;
    }
    client.unshift(first);
    const session = Number(/[?&]s=(\d+)/.exec(first.toString('latin1', 0, 200))?.[1]);
    const server = connect({ port: this.target, host: '127.0.0.1', allowHalfOpen: true });
    this.own(server);
    server.setNoDelay(true);
    await Promise.race([once(server, 'connect'), once(server, 'close')]).catch(() => {});
    const connection = new Connection(this, client, server, this.planOf(session));
    await Promise.all([
      connection.pump('up', client, server),
      connection.pump('down', server, client)
    ]);
  }
}

/** One connection through the proxy. */
class Connection {
  /**
   * @param {Proxy} proxy
   * @param {import('node:net').Socket} client
   * @param {import('node:net').Socket} server
   * @param {any} fault
   */
  constructor(proxy, client, server, fault) {
    this.proxy = proxy;
    this.client = client;
    this.server = server;
    this.fault = fault;
    this.isCut = false;
    for (const [one, other] of [
      [client, server],
      [server, client]
    ]) {
      // A reset is passed on as a reset, after the bytes read before it.
      one.on('error', () => reset(other));
    }
  }

  /**
   * @param {'up' | 'down'} direction
   * @param {import('node:net').Socket} source
   * @param {import('node:net').Socket} sink
   */
  async pump(direction, source, sink) {
    const { fault, proxy } = this;
    const walker = new FrameWalker();
    const shape = fault?.shaped.includes(direction) ? fault.shape : 'forward';
    const isMine = fault?.direction === direction;
    const target = isMine ? (fault.flip ?? fault.cut) : null;
    const pieces = shaper(shape, fault?.amount ?? 0, proxy.calmed.signal);
    if (shape !== 'forward') proxy.count(shape);
    try {
      for await (const chunk of source.iterator({ destroyOnReturn: false })) {
        const at = target && !this.isCut ? find(walker, chunk, target) : -1;
        if (at >= 0 && fault.flip) this.flip(chunk, at);
        const isCut = at >= 0 && !fault.flip;
        for await (const piece of pieces(isCut ? chunk.subarray(0, at) : chunk)) {
          if (sink.writable && !sink.write(piece)) await drained(sink);
        }
        if (isCut) {
          await this.cut(source, sink);
          return;
        }
      }
      sink.end();
    } catch {
      if (!this.isCut) sink.destroy();
    }
  }

  /** @param {Buffer} chunk @param {number} at */
  flip(chunk, at) {
    this.isCut = true;
    chunk[at] ^= 1 << this.fault.flip.bit;
    this.proxy.count(`flip in ${this.fault.flip.where}`);
    this.endAfter(CORRUPT_LIFE);
  }

  /** Ends the connection as planned. @param {import('node:net').Socket} source @param {import('node:net').Socket} sink */
  async cut(source, sink) {
    this.isCut = true;
    const { kind, where } = this.fault.cut;
    this.proxy.count(`${kind} in ${where}`);
    source.resume();
    if (kind === 'reset') {
      const { side } = this.fault;
      if (side !== 'server') reset(this.client);
      if (side !== 'client') reset(this.server);
      // The other end follows a little later, without a reset.
      await delay(this.fault.amount * 100);
      this.client.end();
      this.server.end();
    } else {
      sink.end();
      if (kind === 'fin') source.end();
    }
    this.endAfter(END_LIFE);
  }

  /** @param {number} time in milliseconds */
  endAfter(time) {
    const timer = setTimeout(() => {
      this.client.destroy();
      this.server.destroy();
    }, time);
    let left = 2;
    const closed = () => {
      if (--left === 0) clearTimeout(timer);
    };
    for (const socket of [this.client, this.server]) {
      if (socket.closed) closed();
      else socket.once('close', closed);
    }
  }
}

/** @param {import('node:net').Socket} socket @returns {Promise<void>} */
function drained(socket) {
  return new Promise((resolve) => {
    if (socket.destroyed || !socket.writableNeedDrain) {
      resolve();
      return;
    }
    const done = () => {
      socket.off('drain', done).off('close', done);
      resolve();
    };
    socket.on('drain', done).on('close', done);
  });
}
