'use strict';

// Connections of a library, in either role, to a bare socket that causes an event, in which an act is done. Used by
// terminate.js. The acts and the log are in acts.js.

const net = require('node:net');
const { once } = require('node:events');
const { RawPeer, upgradeRequest } = require('../../differential/raw-peer');
const { OPCODE } = require('../../differential/frames');
const { Deflater, digits } = require('../../differential/deflate');

const { text, continuation, ping, pong } = OPCODE;
const EXTENSION = { 'Sec-WebSocket-Extensions': 'permessage-deflate' };

/** Inflated on another thread. */
const DIGITS = digits(300_000);

const five = (make) => [1, 2, 3, 4, 5].map((number) => make(`message ${number}`));

const compressing = () => {
  const deflater = new Deflater();
  return (data) => [text, deflater.part(data), { rsv: 4 }];
};

/**
 * The bytes of the peer, as arguments of RawPeer.send(), and the events in which acts are done.
 *
 * @type {Record<string, { frames: () => any[][], within: [event: string, nth: number][], deflate?: boolean }>}
 */
const BURSTS = {
  messages: {
    frames: () => five((data) => [text, data]),
    within: [
      ['message', 1],
      ['message', 3],
      ['message', 5]
    ]
  },
  fragments: {
    frames: () => [
      [text, 'one ', { fin: false }],
      [ping, 'between'],
      [continuation, 'two ', { fin: false }],
      [continuation, 'three'],
      [text, 'more ', { fin: false }],
      [pong, 'too']
    ],
    within: [
      ['ping', 1],
      ['message', 1],
      ['pong', 1]
    ]
  },
  control: {
    frames: () => [
      [ping, 'a'],
      [pong, 'b'],
      [text, 'c'],
      [ping, 'd'],
      [pong, 'e']
    ],
    within: [
      ['ping', 1],
      ['pong', 1],
      ['message', 1],
      ['ping', 2],
      ['pong', 2]
    ]
  },
  compressed: {
    frames: () => five(compressing()),
    within: [
      ['message', 1],
      ['message', 3],
      ['message', 5]
    ],
    deflate: true
  },
  'large compressed': {
    frames: () => [DIGITS, 'behind it', DIGITS, 'last'].map(compressing()),
    within: [
      ['message', 1],
      ['message', 2],
      ['message', 4]
    ],
    deflate: true
  },
  // More than one read: the amount that was read behind a listener is not specified.
  large: {
    frames: () => [
      [text, 'before'],
      [text, DIGITS]
    ],
    within: [['message', 2]]
  },
  closing: {
    frames: () => [
      [text, 'before'],
      [OPCODE.close, Buffer.from([3, 232])]
    ],
    within: [
      ['message', 1],
      ['close', 1]
    ]
  },
  broken: {
    frames: () => [
      [text, 'before'],
      [text, 'broken', { rsv: 2 }],
      [text, 'behind']
    ],
    within: [
      ['message', 1],
      ['error', 1],
      ['close', 1]
    ]
  }
};

class Situations {
  /** @param {any} library @param {boolean} isServer role of the library */
  constructor(library, isServer) {
    this.library = library;
    this.isServer = isServer;
  }

  async listen() {
    this.server = net.createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1');
    await once(this.server, 'listening');
    this.wss = new this.library.WebSocketServer({
      host: '127.0.0.1',
      port: 0,
      perMessageDeflate: true
    });
    await once(this.wss, 'listening');
  }

  async end() {
    this.server.close();
    this.wss.close();
    await Promise.all([once(this.server, 'close'), once(this.wss, 'close')]);
  }

  /** Opens a bare connection to the server of the library. */
  connectBare(headers = {}) {
    const options = { port: this.wss.address().port, host: '127.0.0.1', allowHalfOpen: true };
    const peer = new RawPeer(net.connect(options), false);
    peer.write(upgradeRequest({ headers }));
    return peer;
  }

  /**
   * A client of the library, and its request.
   *
   * @param {import('./acts').Log} log
   * @param {object} [options]
   */
  async client(log, options = {}) {
    const accepted = once(this.server, 'connection');
    const url = `ws://127.0.0.1:${this.server.address().port}`;
    const ws = new this.library.WebSocket(url, options);
    const closed = log.watch(ws);
    const [socket] = await accepted;
    const peer = new RawPeer(socket, true);
    return { ws, closed, peer, head: await peer.head() };
  }

  /**
   * An open connection; its events are logged from the beginning.
   *
   * @param {import('./acts').Log} log
   * @param {boolean} [perMessageDeflate]
   */
  async open(log, perMessageDeflate = false) {
    const headers = perMessageDeflate ? EXTENSION : {};
    if (!this.isServer) {
      const { ws, closed, peer, head } = await this.client(log, { perMessageDeflate });
      peer.accept(head, { headers });
      await Promise.race([
        new Promise((resolve) => ws.prependOnceListener('open', resolve)),
        closed
      ]);
      return { ws, closed, peer };
    }
    let closed;
    const connected = new Promise((resolve) => {
      this.wss.once('connection', (ws) => {
        closed = log.watch(ws);
        resolve(ws);
        log.line('connection');
        log.happened('connection', ws);
      });
    });
    const peer = this.connectBare(headers);
    const ws = await connected;
    // Otherwise a reset may discard the response and the listener's sends.
    if (log.event !== 'connection' && log.event !== 'headers') await peer.head();
    return { ws, closed, peer };
  }
}

/**
 * The peer answers a close frame, or sends one itself if nothing else ends the connection.
 *
 * @param {RawPeer} peer
 * @param {import('./acts').Log} log
 */
async function conclude(peer, log) {
  if (log.isPassive) peer.close(1000, 'the peer');
  try {
    await peer.framesThrough(OPCODE.close);
    if (!log.isPassive) peer.close(1000, 'answer');
  } catch {
    // It was dropped, not closed.
  }
  peer.finish();
}

module.exports = { BURSTS, Situations, conclude };
