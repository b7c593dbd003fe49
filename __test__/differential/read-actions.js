'use strict';

// Actions of a program after which a direct read would be noticed: at least one per row of CONDITIONS in
// lib/transport/direct-reader.js. Used by scenarios/direct-reads.js, where ws is the judge, and by
// ../transport/direct-reads.test.js, which checks that each action stops direct reads.

const net = require('node:net');
const { Readable, Writable } = require('node:stream');

const { OPCODE } = require('./frames');

/**
 * @typedef {Object} Ends
 * @property {any} ws the WebSocket under test
 * @property {any} socket its socket
 * @property {import('./raw-peer').RawPeer} raw its peer
 * @property {(event: string, ...args: any[]) => void} log records in the trace of the scenario
 *
 * @typedef {Object} Action
 * @property {(ends: Ends) => void} act
 * @property {(ends: Ends) => void} [undo] called when the next bytes have come
 * @property {boolean} [loses] true if messages are lost, so that the next one does not come
 * @property {boolean} [ends] true if the connection ends
 * @property {boolean} [isHarmless] true if direct reads may go on
 */

/** The visible part of a chunk: ws unmasks the payload in place, which other listeners may or may not see. */
const shown = (chunk) => [chunk.length, ...chunk.subarray(0, 2)].join();

/** Replaces a method by one that records its calls; undo() deletes it. */
function wrapped(name, show) {
  return {
    act({ log, socket }) {
      const original = socket[name];
      socket[name] = function (...args) {
        show(log, args);
        return Reflect.apply(original, this, args);
      };
    },
    undo({ socket }) {
      delete socket[name];
    }
  };
}

/** @type {Map<any, any>} the objects that undo() needs, by socket */
const kept = new Map();

/** Adds a listener of 'data' that records the chunks. */
function listening(method) {
  return {
    act({ log, socket }) {
      const listener = (chunk) => log('chunk', shown(chunk));
      kept.set(socket, listener);
      socket[method]('data', listener);
    },
    undo({ socket }) {
      socket.removeListener('data', kept.get(socket));
    }
  };
}

/** Changes a field of the readable state, as modules that know Node's streams do. */
const setting = (name, value) => ({ act: ({ socket }) => (socket._readableState[name] = value) });

/**
 * By the condition that the action ends; `handle` and `others` are for those that CONDITIONS does not list.
 *
 * @type {Record<string, Record<string, Action>>}
 */
const ACTIONS = {
  hasOnlyListener: {
    "on('data')": listening('on'),
    "once('data')": listening('once'),
    "prependListener('data')": listening('prependListener'),
    "removeAllListeners('data')": {
      loses: true,
      act: ({ socket }) => socket.removeAllListeners('data'),
      undo: ({ log, socket }) => socket.on('data', (chunk) => log('chunk', shown(chunk)))
    },
    'pipe()': {
      act({ log, socket }) {
        const write = (chunk, encoding, callback) => {
          log('piped', shown(chunk));
          callback();
        };
        kept.set(socket, new Writable({ write }));
        socket.pipe(kept.get(socket));
      },
      undo({ socket }) {
        socket.unpipe(kept.get(socket));
        socket.resume();
      }
    }
  },
  isFlowing: {
    'pause()': {
      act: ({ socket }) => socket.pause(),
      undo: ({ socket }) => socket.resume()
    },
    'pause() and read()': {
      act: ({ socket }) => socket.pause(),
      undo({ log, socket }) {
        log('read', ...[3, undefined, undefined].map((size) => socket.read(size)?.length));
        socket.resume();
      }
    },
    'pause() and resume()': {
      isHarmless: true,
      act({ socket }) {
        socket.pause();
        socket.resume();
      }
    },
    'WebSocket.pause()': {
      act: ({ ws }) => ws.pause(),
      undo: ({ ws }) => ws.resume()
    },
    "on('readable')": {
      act({ log, socket }) {
        const listener = () => log('readable', socket.readableLength);
        kept.set(socket, listener);
        socket.on('readable', listener);
      },
      undo: ({ socket }) => socket.removeListener('readable', kept.get(socket))
    },
    "once('readable') and read()": {
      act: ({ log, socket }) => socket.once('readable', () => log('read', socket.read()?.length))
    }
  },
  isEmpty: {
    'pause() and unshift()': {
      act({ raw, socket }) {
        socket.pause();
        socket.unshift(raw.make(OPCODE.text, 'unshifted'));
      },
      undo: ({ socket }) => socket.resume()
    },
    'pause(), push() and resume()': {
      isHarmless: true,
      act({ raw, socket }) {
        socket.pause();
        socket.push(raw.make(OPCODE.text, 'pushed'));
        socket.resume();
      }
    },
    'a full buffer': {
      act({ raw, socket }) {
        socket.pause();
        socket.push(raw.make(OPCODE.binary, Buffer.alloc(2 * socket.readableHighWaterMark)));
      },
      undo: ({ socket }) => socket.resume()
    }
  },
  hasNoDecoder: {
    "setEncoding('latin1')": {
      ends: true,
      // An HTTP server forbids the one of the socket.
      act: ({ socket }) => Readable.prototype.setEncoding.call(socket, 'latin1')
    }
  },
  hasEmittedData: { 'dataEmitted = false': setting('dataEmitted', false) },
  isAsynchronous: { 'sync = true': setting('sync', true) },
  isReadable: {
    'push(null)': { ends: true, act: ({ socket }) => socket.push(null) },
    'destroy()': { ends: true, act: ({ socket }) => socket.destroy() },
    'destroy(error)': { ends: true, act: ({ socket }) => socket.destroy(new Error('own')) }
  },
  isPushOriginal: {
    'push()': wrapped('push', (log, [chunk]) => log('push', chunk && shown(chunk)))
  },
  isEmitOriginal: {
    'emit()': wrapped('emit', (log, [event, value]) =>
      log('emit', event, event === 'data' ? shown(value) : value)
    )
  },
  isReadOriginal: {
    'read()': wrapped('read', (log, [size]) => log('read', size)),
    '_read()': wrapped('_read', (log, [size]) => log('_read', size))
  },
  handle: {
    'a wrapped onread': {
      act({ log, socket: { _handle: handle } }) {
        const { onread } = handle;
        kept.set(handle, onread);
        handle.onread = function (memory) {
          log('onread', memory.byteLength > 0);
          return onread.call(this, memory);
        };
      },
      undo: ({ socket: { _handle: handle } }) => (handle.onread = kept.get(handle))
    },
    'an onread of its own': {
      loses: true,
      act({ log, socket: { _handle: handle } }) {
        handle.onread = (memory) => log('onread', memory.byteLength > 0);
      }
    },
    'a second net.Socket': {
      loses: true,
      act({ log, socket: { _handle: handle } }) {
        new net.Socket({ handle }).on('data', (chunk) => log('chunk', shown(chunk)));
      }
    }
  },
  others: {
    nothing: { isHarmless: true, act() {} },
    'read(0) and resume()': {
      isHarmless: true,
      act({ socket }) {
        socket.read(0);
        socket.resume();
      }
    },
    'read()': { isHarmless: true, act: ({ log, socket }) => log('read', socket.read()?.length) },
    'push() and unshift() while flowing': {
      isHarmless: true,
      act({ raw, socket }) {
        // Not within a listener, where a nested message pauses the socket.
        setImmediate(() => {
          socket.push(raw.make(OPCODE.text, 'pushed'));
          socket.unshift(raw.make(OPCODE.text, 'unshifted'));
        });
      }
    },
    '_unrefTimer()': { isHarmless: true, ...wrapped('_unrefTimer', (log) => log('active')) },
    'end()': { ends: true, isHarmless: true, act: ({ socket }) => socket.end() },
    'WebSocket.terminate()': { ends: true, act: ({ ws }) => ws.terminate() }
  }
};

module.exports = { ACTIONS };
