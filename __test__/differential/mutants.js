'use strict';

// Copies of ws with one fault each, to prove that the scenarios detect it. Used by subjects.js and selfcheck.js, and required
// by path (with DIFFERENTIAL_MUTANT set) where a scenario runs the library in a child process.

const { AsyncResource } = require('node:async_hooks');
const crypto = require('node:crypto');
const path = require('node:path');

/**
 * A second copy of a package, with its own classes.
 *
 * @param {string} name
 */
function copyOf(name) {
  const folder = path.dirname(require.resolve(name));
  const mine = Object.keys(require.cache).filter((file) => file.startsWith(folder));
  const kept = mine.map((file) => [file, require.cache[file]]);
  for (const [file] of kept) delete require.cache[file];
  const lib = require(name);
  for (const file of Object.keys(require.cache)) {
    if (file.startsWith(folder)) delete require.cache[file];
  }
  for (const [file, entry] of kept) require.cache[file] = entry;
  return lib;
}

/** Replaces a method by `make(original)`. */
function wrap(object, name, make) {
  const found = Object.getOwnPropertyDescriptor(object, name);
  Object.defineProperty(object, name, { ...found, value: make(found?.value ?? object[name]) });
}

/** Replaces the value of a getter. */
function show(object, name, change) {
  const found = Object.getOwnPropertyDescriptor(object, name);
  Object.defineProperty(object, name, {
    ...found,
    get() {
      return change(found.get.call(this));
    }
  });
}

/** Changes the arguments of an event before the listeners receive them. */
function event(lib, name, change) {
  wrap(lib.prototype, 'emit', (emit) => {
    return function (type, ...args) {
      return emit.call(this, type, ...(type === name ? change(args) : args));
    };
  });
}

const longer = (data) => Buffer.concat([data, Buffer.from('!')]);

/** Changes the message of errors that are thrown or emitted. */
function reworded(err) {
  err.message += '!';
  return err;
}

/** The methods of a prototype whose exceptions are changed. */
function throwing(object, names) {
  for (const name of names) {
    wrap(object, name, (method) => {
      return function (...args) {
        try {
          return method.apply(this, args);
        } catch (err) {
          throw reworded(err);
        }
      };
    });
  }
}

/** Replaces a class by a subclass in all exports of the package. */
function replaced(lib, name, make) {
  const original = lib[name];
  const Changed = make(original);
  for (const key of Object.keys(lib)) if (lib[key] === original) lib[key] = Changed;
  return Changed;
}

/** @type {Record<string, (lib: any) => any>} */
const MUTANTS = {
  close: (lib) => event(lib, 'close', ([code, reason]) => [code + 1, reason]),
  message: (lib) => event(lib, 'message', ([data, isBinary]) => [data, !isBinary]),
  ping: (lib) => event(lib, 'ping', ([data]) => [longer(data)]),
  pong: (lib) => event(lib, 'pong', ([data]) => [longer(data)]),
  error: (lib) => event(lib, 'error', ([err]) => [reworded(err)]),
  open: (lib) => event(lib, 'open', () => ['an argument']),
  upgrade: (lib) => event(lib, 'upgrade', () => []),

  // Every frame sent is preceded by an empty pong.
  wire(lib) {
    wrap(lib.Sender.prototype, 'sendFrame', (sendFrame) => {
      return function (list, callback) {
        const masked = this._socket && list[0].length > 1 && (list[0][1] & 0x80) !== 0;
        this._socket.write(masked ? Buffer.from([0x8a, 0x80, 0, 0, 0, 0]) : Buffer.from([0x8a, 0]));
        return sendFrame.call(this, list, callback);
      };
    });
  },

  // Responses to opening handshakes have an additional header.
  answer(lib) {
    wrap(lib.Server.prototype, 'handleUpgrade', (handleUpgrade) => {
      return function (request, socket, ...rest) {
        for (const name of ['write', 'end']) {
          const method = socket[name];
          socket[name] = function (data, ...others) {
            const head = typeof data === 'string' && data.startsWith('HTTP/1.1 ');
            const changed = head ? data.replace('\r\n', '\r\nX-Mutant: yes\r\n') : data;
            return method.call(this, changed, ...others);
          };
        }
        return handleUpgrade.call(this, request, socket, ...rest);
      };
    });
  },

  // The server of port mode handles plain requests differently.
  http(lib) {
    replaced(lib, 'Server', (Server) => {
      return class extends Server {
        constructor(options, ...rest) {
          super(options, ...rest);
          if (options.server || options.noServer) return;
          this._server.prependListener('request', (request, response) =>
            response.setHeader('X', 'y')
          );
          this._server.on('clientError', (err, socket) => socket.end('HTTP/1.1 418 No\r\n\r\n'));
          this._server.on('connect', (request, socket) => socket.end('no'));
        }
      };
    });
  },

  request(lib) {
    return replaced(lib, 'WebSocket', (WebSocket) => {
      return class extends WebSocket {
        constructor(address, protocols, options) {
          const plain = protocols && typeof protocols === 'object' && !Array.isArray(protocols);
          const given = plain ? protocols : options;
          const changed = { ...given, headers: { ...given?.headers, 'X-Mutant': 'yes' } };
          super(address, plain ? undefined : protocols, changed);
        }
      };
    });
  },

  throws(lib) {
    throwing(lib.prototype, ['send', 'ping', 'pong', 'close']);
    throwing(lib.Server.prototype, ['handleUpgrade', 'address']);
    throwing(lib.extension, ['parse']);
    replaced(lib, 'Server', (Server) => {
      return class extends Server {
        constructor(...args) {
          try {
            super(...args);
          } catch (err) {
            throw reworded(err);
          }
        }
      };
    });
    return replaced(lib, 'WebSocket', (WebSocket) => {
      return class extends WebSocket {
        constructor(...args) {
          try {
            super(...args);
          } catch (err) {
            throw reworded(err);
          }
        }
      };
    });
  },

  returns(lib) {
    for (const name of ['send', 'close', 'terminate', 'pause']) {
      wrap(lib.prototype, name, (method) => {
        return function (...args) {
          method.apply(this, args);
          return true;
        };
      });
    }
    wrap(lib.Server.prototype, 'close', (close) => {
      return function (callback) {
        return close.call(this, callback && (() => callback(new Error('why not'))));
      };
    });
  },

  callbacks(lib) {
    for (const name of ['send', 'ping', 'pong']) {
      wrap(lib.prototype, name, (method) => {
        return function (...args) {
          const last = args.length - 1;
          const callback = args[last];
          if (typeof callback === 'function')
            args[last] = (err) => callback(err ? null : new Error('no'));
          return method.apply(this, args);
        };
      });
    }
  },

  getters(lib) {
    show(lib.prototype, 'bufferedAmount', (amount) => amount + 1);
    show(lib.prototype, 'isPaused', (isPaused) => !isPaused);
    show(lib.prototype, 'protocol', (protocol) => `${protocol}?`);
    show(lib.prototype, 'url', (url) => `${url}?`);
    show(lib.prototype, 'onmessage', () => undefined);
  },

  // Listeners run in the context in which the package was loaded.
  context(lib) {
    const resource = new AsyncResource('mutant');
    wrap(lib.prototype, 'emit', (emit) => {
      return function (...args) {
        return resource.runInAsyncScope(emit, this, ...args);
      };
    });
    wrap(lib.prototype, 'send', (send) => {
      return function (data, options, callback) {
        const last = typeof options === 'function' ? options : callback;
        const bound = last && ((...args) => resource.runInAsyncScope(last, undefined, ...args));
        return send.call(this, data, typeof options === 'object' ? options : {}, bound);
      };
    });
  },

  shape(lib) {
    lib.extra = true;
    lib.Server.prototype.extra = true;
    lib.prototype.extra = true;
    wrap(lib.Sender, 'frame', (frame) => (data, options) => [
      Buffer.alloc(0),
      ...frame(data, options)
    ]);
    wrap(lib, 'createWebSocketStream', (create) => {
      return (ws, options) => {
        const stream = create(ws, {
          ...options,
          readableHighWaterMark: 7,
          highWaterMark: undefined
        });
        stream.on('finish', () => stream.emit('error', new Error('why not')));
        return stream;
      };
    });
  },

  // The events of the server are changed.
  server(lib) {
    wrap(lib.Server.prototype, 'emit', (emit) => {
      return function (type, ...args) {
        if (type === 'wsClientError' || type === 'error') args[0] = reworded(args[0]);
        if (type === 'listening') args.push('an argument');
        if (type === 'headers') args[0].push('X-Mutant: yes');
        return emit.call(this, type, ...args);
      };
    });
  },

  // Pending callbacks are dropped when a socket closes.
  forgetful(lib) {
    wrap(lib.prototype, 'terminate', () => () => {});
  },

  // The same key for every opening handshake.
  key() {
    const { randomBytes } = crypto;
    crypto.randomBytes = (size) => Buffer.alloc(size, 7);
    try {
      return copyOf('ws');
    } finally {
      crypto.randomBytes = randomBytes;
    }
  },

  unexpected(lib) {
    wrap(lib.prototype, 'emit', (emit) => {
      return function (type, ...args) {
        const heard = emit.call(this, type, ...args);
        if (type === 'unexpected-response' && heard) this.terminate();
        return heard;
      };
    });
  },

  // A client that has left during verifyClient is connected nevertheless.
  eager(lib) {
    wrap(lib.Server.prototype, 'completeUpgrade', (completeUpgrade) => {
      return function (extensions, key, protocols, request, socket, head, callback) {
        if (!socket.readable || !socket.writable) this.clients.add(socket);
        completeUpgrade.call(this, extensions, key, protocols, request, socket, head, callback);
      };
    });
  },

  // Exceptions of listeners are lost.
  swallow(lib) {
    wrap(lib.prototype, 'emit', (emit) => {
      return function (...args) {
        try {
          return emit.apply(this, args);
        } catch {
          return true;
        }
      };
    });
  },

  // The timeout of the raw socket differs from the one that was set.
  socket(lib) {
    wrap(lib.prototype, 'setSocket', (setSocket) => {
      return function (socket, ...rest) {
        setSocket.call(this, socket, ...rest);
        socket.setTimeout?.(1);
        socket.setTimeout = () => socket;
      };
    });
  },

  receiver(lib) {
    replaced(lib, 'Receiver', (Receiver) => {
      return class extends Receiver {
        emit(type, ...args) {
          return super.emit(type, ...args, 'one more');
        }
      };
    });
  },

  // Connections are made to another host.
  target(lib) {
    return replaced(lib, 'WebSocket', (WebSocket) => {
      return class extends WebSocket {
        constructor(address, protocols, options) {
          const { createConnection, agent } = options ?? {};
          const changed = { ...options };
          const other = (given) => ({ ...given, host: 'other' });
          if (createConnection) {
            changed.createConnection = (given, ...rest) => createConnection(other(given), ...rest);
          }
          if (agent) {
            const addRequest = (request, given) => agent.addRequest(request, other(given));
            changed.agent = Object.assign(Object.create(agent), { addRequest });
          }
          super(address, protocols, changed);
        }
      };
    });
  },

  // Servers have and show other settings than those given.
  settings(lib) {
    replaced(lib, 'Server', (Server) => {
      return class extends Server {
        constructor(options, callback) {
          super({ ...options, backlog: 3 }, callback);
          this._server ??= null;
        }

        shouldHandle(request) {
          return !super.shouldHandle(request);
        }

        address() {
          return { ...super.address(), port: 0 };
        }
      };
    });
  },

  deflate(lib) {
    for (const name of ['offer', 'accept', 'decompress']) {
      wrap(lib.PerMessageDeflate.prototype, name, (method) => {
        return function (data, ...rest) {
          return {
            mutant: method.call(this, name === 'decompress' ? longer(data) : data, ...rest)
          };
        };
      });
    }
  },

  // Private members have wrong values.
  hidden(lib) {
    wrap(lib.prototype, 'setSocket', (setSocket) => {
      return function (...args) {
        setSocket.apply(this, args);
        this._receiver._maxPayload += 1;
      };
    });
  }
};

/**
 * @param {string} name a key of MUTANTS
 * @returns {any} a copy of ws with that fault
 */
function mutant(name) {
  const lib = copyOf('ws');
  return MUTANTS[name](lib) ?? lib;
}

module.exports = process.env.DIFFERENTIAL_MUTANT
  ? mutant(process.env.DIFFERENTIAL_MUTANT)
  : { copyOf, mutant, names: Object.keys(MUTANTS) };
