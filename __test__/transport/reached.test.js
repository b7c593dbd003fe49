'use strict';

// A program uses the socket of an open connection: replaces methods, listens to its bytes, writes to it, waits for `drain`.
// Over each transport and on either end the outcome is that with ws, and no message is lost.

const assert = require('node:assert/strict');
const { once } = require('node:events');
const net = require('node:net');
const test = require('node:test');
const ferrows = require('ferrows');
const ws = require('ws');

const TEXT = Buffer.from([0x81, 0x05, 0x69, 0x6e, 0x6e, 0x65, 0x72]);
const MASKED = Buffer.from([0x81, 0x85, 0, 0, 0, 0, 0x69, 0x6e, 0x6e, 0x65, 0x72]);

/** @param {any} socket @param {string} name @param {Function} value */
const define = (socket, name, value) =>
  Object.defineProperty(socket, name, { configurable: true, writable: true, value });

/** Makes a method count the bytes of its first argument. @param {any} socket @param {string} name @param {any} how */
function meter(socket, name, how) {
  const counted = { calls: 0, bytes: 0 };
  const original = socket[name];
  how(socket, name, function (/** @type {any[]} */ ...args) {
    counted.calls++;
    counted.bytes += args[0]?.length ?? 0;
    return original.apply(this, args);
  });
  return counted;
}

const assign = (
  /** @type {any} */ socket,
  /** @type {string} */ name,
  /** @type {any} */ value
) => {
  socket[name] = value;
};

/**
 * Uses of the socket, and their observations. `me` is the end whose socket is used.
 *
 * @type {Record<string, (me: any, peer: any, messages: () => Promise<void>, isServer: boolean) => Promise<unknown>>}
 */
const CASES = {
  'write() assigned': async (me, _peer, messages) => {
    const counted = meter(me._socket, 'write', assign);
    me.send('at once');
    const atOnce = counted.bytes;
    await messages();
    return [atOnce, counted.bytes];
  },
  'write() defined': async (me, _peer, messages) => {
    const counted = meter(me._socket, 'write', define);
    await messages();
    return counted.bytes;
  },
  'write() that fails': async (me) => {
    me._socket.write = (/** @type {any} */ _chunk, /** @type {any} */ callback) => {
      callback?.(new Error('not today'));
      return false;
    };
    const [error] = await new Promise((resolve) => {
      me.send('lost', (/** @type {any[]} */ ...args) => resolve(args));
    });
    return error?.message;
  },
  'write() taken before it is replaced': async (me, _peer, messages) => {
    const { write } = net.Socket.prototype;
    const { _socket: socket } = me;
    socket.write = function (/** @type {any[]} */ ...args) {
      return write.apply(this, /** @type {any} */ (args));
    };
    await messages();
    return socket.write.length;
  },
  'cork() and uncork()': async (me, _peer, messages) => {
    const counted = [meter(me._socket, 'cork', assign), meter(me._socket, 'uncork', define)];
    await messages();
    return counted.map(({ calls }) => calls > 0);
  },
  'write() of the prototype': async (me, _peer, messages) => {
    /** @type {any} */
    const prototype = net.Socket.prototype;
    const { write } = prototype;
    let bytes = 0;
    prototype.write = function (/** @type {any[]} */ ...args) {
      if (this === me._socket) bytes += args[0].length;
      return write.apply(this, args);
    };
    await messages();
    delete prototype.write;
    return bytes;
  },
  ...Object.fromEntries(
    ['on', 'addListener', 'once', 'prependListener', 'prependOnceListener'].map((name) => [
      `data by ${name}()`,
      async (/** @type {any} */ me, /** @type {any} */ _peer, /** @type {any} */ messages) => {
        let bytes = 0;
        me._socket[name]('data', (/** @type {Buffer} */ chunk) => {
          bytes += chunk.length;
        });
        await messages();
        return [bytes > 0, name.toLowerCase().includes('once') || bytes];
      }
    ])
  ),
  'listeners that there are': async (me, _peer, messages) => {
    const { _socket: socket } = me;
    const names = ['data', 'end', 'close', 'error'];
    const counts = names.map((name) => socket.listenerCount(name));
    await messages();
    return [counts, socket.eventNames().map(String).sort(), socket.listeners('data').length];
  },
  'removeAllListeners("data")': async (me, peer) => {
    me._socket.removeAllListeners('data');
    let count = 0;
    me.on('message', () => count++);
    const written = new Promise((resolve) => {
      peer.send('never read', resolve);
    });
    await written;
    return [count, me._socket.listenerCount('data')];
  },
  'push()': async (me, _peer, messages, isServer) => {
    const got = once(me, 'message');
    me._socket.push(isServer ? MASKED : TEXT);
    const [data] = await got;
    await messages();
    return String(data);
  },
  'emit("data")': async (me, _peer, messages, isServer) => {
    const got = once(me, 'message');
    me._socket.emit('data', isServer ? MASKED : TEXT);
    const [data] = await got;
    await messages();
    return String(data);
  },
  'unshift()': async (me, _peer, messages, isServer) => {
    const got = once(me, 'message');
    me._socket.unshift(isServer ? MASKED : TEXT);
    const [data] = await got;
    await messages();
    return String(data);
  },
  'output that waits while it is handed back': async (me, peer) => {
    const { _socket: socket } = me;
    peer.pause();
    const lengths = [];
    peer.on('message', (/** @type {Buffer} */ data) => lengths.push(data.length));
    const sent = [];
    const send = (/** @type {number} */ length) => {
      sent.push(
        new Promise((resolve) => {
          me.send(Buffer.alloc(length), (/** @type {any} */ error) => resolve(error ?? 'sent'));
        })
      );
    };
    for (let index = 0; index < 40; index++) send(200_000 + index);
    await new Promise(setImmediate);
    socket.once('data', () => {});
    for (let index = 0; index < 5; index++) send(10 + index);
    peer.resume();
    const outcomes = await Promise.all(sent);
    me.close();
    await once(peer, 'close');
    return [lengths, outcomes.every((outcome) => outcome === 'sent')];
  },
  'a write of its own that waits while it is handed back': async (
    me,
    peer,
    _messages,
    isServer
  ) => {
    const { _socket: socket } = me;
    peer.pause();
    const texts = [];
    peer.on('message', (/** @type {Buffer} */ data) =>
      texts.push(data.length > 100 ? data.length : String(data))
    );
    for (let index = 0; index < 20; index++) me.send(Buffer.alloc(500_000));
    const frame = isServer ? TEXT : MASKED;
    const called = [];
    for (let index = 0; index < 3; index++) socket.write(frame, () => called.push(index));
    await new Promise(setImmediate);
    socket.on('data', () => {});
    socket.write(frame, () => called.push('last'));
    peer.resume();
    me.close();
    await once(peer, 'close');
    return [texts, called];
  },
  ...Object.fromEntries(
    [1, 1000, 16_384, 65_536, 1_048_576].map((size) => [
      `drain after messages of ${size} bytes`,
      async (/** @type {any} */ me, /** @type {any} */ peer) => {
        const { _socket: socket } = me;
        let received = 0;
        const count = Math.min(2000, Math.ceil(8e6 / size));
        peer.pause();
        setImmediate(() => peer.resume());
        const all = new Promise((resolve) => {
          peer.on('message', () => ++received === count && resolve(undefined));
        });
        for (let index = 0; index < count; index++) {
          me.send(Buffer.alloc(size));
          if (socket.writableNeedDrain) await once(socket, 'drain');
        }
        await all;
        return received;
      }
    ])
  ),
  'drain after write() returned false': async (me, peer, _messages, isServer) => {
    const { _socket: socket } = me;
    peer.on('message', () => {});
    const frame = isServer ? TEXT : MASKED;
    me.send(Buffer.alloc(2_000_000));
    const isFull = !socket.write(frame);
    if (isFull) await once(socket, 'drain');
    return isFull;
  },
  'a _destroy() of its own': async (me) => {
    const { _socket: socket } = me;
    const original = socket._destroy;
    let calls = 0;
    socket._destroy = function (/** @type {any[]} */ ...args) {
      calls++;
      return original.apply(this, args);
    };
    me.terminate();
    await once(me, 'close');
    return calls;
  }
};

/**
 * @param {any} library
 * @param {'client' | 'server'} side
 * @param {(typeof CASES)[string]} body
 */
async function play({ WebSocket, WebSocketServer }, side, body) {
  const wss = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false });
  await once(wss, 'listening');
  const client = new WebSocket(`ws://127.0.0.1:${wss.address().port}`, {
    perMessageDeflate: false
  });
  const [[server]] = await Promise.all([once(wss, 'connection'), once(client, 'open')]);
  const [me, peer] = side === 'client' ? [client, server] : [server, client];
  for (const end of [me, peer]) end.on('error', () => {});
  const messages = async () => {
    for (const text of ['one', 'another']) {
      me.send(text);
      await once(peer, 'message');
      peer.send(text);
      await once(me, 'message');
    }
  };
  const result = await body(me, peer, messages, side === 'server');
  const closed = [me, peer].filter((end) => end.readyState !== 3).map((end) => once(end, 'close'));
  for (const end of [me, peer]) end.terminate();
  await Promise.all(closed);
  await new Promise((resolve) => {
    wss.close(resolve);
  });
  return result;
}

for (const [name, body] of Object.entries(CASES)) {
  for (const side of /** @type {const} */ (['client', 'server'])) {
    test(`${name}: ${side}`, { timeout: 60_000 }, async (t) => {
      const expected = await play(ws, side, body);
      t.after(() => {
        delete process.env.FERROWS_TRANSPORT;
      });
      for (const transport of ['event_loop', 'io_threads', 'stream', 'auto']) {
        process.env.FERROWS_TRANSPORT = transport;
        assert.deepEqual(await play(ferrows, side, body), expected, transport);
      }
    });
  }
}
