'use strict';

// Uses each member of the socket of an accepted connection in one of its states, and prints the outcomes as JSON. Runs for one
// library and one state: members.test.js compares.

const { once } = require('node:events');
const net = require('node:net');
const { PassThrough } = require('node:stream');
const { setImmediate: turn } = require('node:timers/promises');

const [library, state] = process.argv.slice(2);
/** @type {any} */
const { WebSocketServer } = require(library);

const REQUEST =
  'GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n';
const CLOSE = Buffer.from([0x88, 0x80, 0, 0, 0, 0]);
const HELLO = Buffer.from([0x81, 0x85, 0, 0, 0, 0, 0x68, 0x65, 0x6c, 0x6c, 0x6f]);

/** Members that depend on the connection, on Node's internals, or on a counter. */
const LEFT_OUT = new Set([
  'constructor',
  'connect',
  '_undestroy',
  '_reset',
  '_getpeername',
  '_getsockname',
  '_peername',
  '_sockname',
  '_handle',
  '_parent',
  '_host',
  'localPort',
  'remotePort',
  'bytesRead',
  '_bytesDispatched',
  'bytesWritten',
  'toWeb',
  '_events',
  '_eventsCount',
  '_maxListeners',
  '_writableState',
  '_readableState',
  'server',
  '_server',
  'domain',
  '_construct'
]);

/** Arguments of methods that need some. @type {Record<string, () => any[]>} */
const ARGUMENTS = {
  addListener: () => ['data', () => {}],
  emit: () => ['something'],
  end: () => [],
  eventNames: () => [],
  listenerCount: () => ['close'],
  on: () => ['close', () => {}],
  once: () => ['end', () => {}],
  off: () => ['close', () => {}],
  pipe: () => [new PassThrough().resume()],
  prependListener: () => ['data', () => {}],
  prependOnceListener: () => ['data', () => {}],
  push: () => [HELLO],
  removeAllListeners: () => ['timeout'],
  removeListener: () => ['close', () => {}],
  setDefaultEncoding: () => ['latin1'],
  setTimeout: () => [60000],
  unshift: () => [HELLO],
  write: () => ['x'],
  _write: () => [Buffer.from('x'), 'buffer', () => {}],
  _writev: () => [[{ chunk: Buffer.from('x'), encoding: 'buffer' }], () => {}],
  _writeGeneric: () => [false, Buffer.from('x'), 'buffer', () => {}],
  _final: () => [() => {}],
  _destroy: () => [null, () => {}]
};

/** States of a socket that no WebSocket has adopted. */
const UNADOPTED = new Set(['pending', 'fresh', 'responded', 'refused', 'refusedClosed']);

/** Ways to use a member: the state in which it is taken, and the moment when it is used. */
const WAYS = {
  called: (socket, use) => use(socket),
  detached: (socket, use) => use(socket, { between: () => socket.setKeepAlive(true) }),
  bound: (socket, use) => use(socket, { between: () => socket.setKeepAlive(true), isBound: true }),
  wrapped: (socket, use, name) => {
    const original = socket[name];
    if (typeof original === 'function') {
      socket[name] = function (...args) {
        return original.apply(this, args);
      };
    }
    return use(socket);
  },
  listener: (socket, use) => use(socket, { between: () => {}, isListener: true })
};

const uncaught = [];
process.on('uncaughtException', (error) => uncaught.push(describe(error)));
process.on('unhandledRejection', (error) => uncaught.push(`rejected ${describe(error)}`));

/** @param {any} error */
function describe(error) {
  return `${error?.name} ${error?.code ?? error?.message}`;
}

/** @param {any} value @param {any} socket */
function kindOf(value, socket) {
  if (value === socket) return 'the socket';
  if (value === null || ['boolean', 'number', 'string', 'undefined'].includes(typeof value))
    return String(value);
  return typeof value === 'object' ? (value.constructor?.name ?? 'object') : typeof value;
}

function members() {
  const names = new Map();
  for (
    let object = new net.Socket();
    Object.getPrototypeOf(object) !== null;
    object = Object.getPrototypeOf(object)
  ) {
    for (const name of Reflect.ownKeys(object)) {
      const isOurs =
        typeof name === 'string' ||
        Symbol.keyFor(name) !== undefined ||
        name in Symbol.prototype ||
        String(name).startsWith('Symbol(Symbol.');
      if (isOurs && !LEFT_OUT.has(name) && !names.has(name)) names.set(name, object);
    }
  }
  return [...names.keys()];
}

/**
 * Takes a member in one state, and uses it in another.
 *
 * @param {any} socket
 * @param {string | symbol} name
 * @param {keyof typeof WAYS} way
 */
function tryMember(socket, name, way) {
  const use = (object, { between = () => {}, isBound = false, isListener = false } = {}) => {
    const value = object[name];
    if (typeof value !== 'function') {
      if (way !== 'called') return kindOf(value, socket);
      // Includes the setter, called with the value of the getter.
      const descriptor = descriptorOf(object, name);
      if (descriptor?.set || descriptor?.writable) object[name] = value;
      return kindOf(value, socket);
    }
    const args = (ARGUMENTS[name] ?? (() => []))();
    if (isListener) {
      object.once('something of its own', value);
      return object.emit('something of its own', ...args);
    }
    const later = isBound ? value.bind(object, ...args) : null;
    between();
    const result = later
      ? later()
      : between === undefined
        ? object[name](...args)
        : value.apply(object, args);
    if (typeof result?.catch === 'function') result.catch(() => {});
    return kindOf(result, socket);
  };
  try {
    return WAYS[way](socket, use, name);
  } catch (error) {
    return `threw ${describe(error)}`;
  }
}

/** @param {any} object @param {string | symbol} name */
function descriptorOf(object, name) {
  for (; object !== null; object = Object.getPrototypeOf(object)) {
    const descriptor = Object.getOwnPropertyDescriptor(object, name);
    if (descriptor) return descriptor;
  }
  return undefined;
}

/**
 * A client without a library.
 *
 * @param {number} port
 */
function connectPeer(port) {
  const socket = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  const closing = new Promise((resolve) => {
    socket.on('close', resolve);
  });
  const peer = { socket, closing, received: '', ended: false, closed: false };
  socket.on('data', (chunk) => {
    peer.received += chunk.latin1Slice();
  });
  socket.on('end', () => {
    peer.ended = true;
    socket.end();
  });
  socket.on('error', () => {});
  socket.on('close', () => {
    peer.closed = true;
  });
  return peer;
}

async function main() {
  /** Actions on a new connection. @type {(socket: any, proceed: (verdict: boolean) => void) => void} */
  let judge = (_socket, proceed) => proceed(true);
  const wss = new WebSocketServer({
    port: 0,
    host: '127.0.0.1',
    verifyClient: ({ req }, proceed) => judge(req.socket, proceed)
  });
  await once(wss, 'listening');
  const { port } = wss.address();
  wss.on('wsClientError', () => {});

  // A bystander: once its message is echoed, earlier data of others has arrived.
  judge = (_socket, proceed) => proceed(true);
  const bystander = connectPeer(port);
  bystander.socket.write(REQUEST);
  const [watcher] = await once(wss, 'connection');
  watcher.on('message', (data) => watcher.send(data));
  const settle = async () => {
    for (let round = 0; round < 4; round++) {
      const length = bystander.received.length;
      bystander.socket.write(HELLO);
      while (bystander.received.length === length) await once(bystander.socket, 'data');
      await turn();
    }
  };

  const outcomes = {};
  const ways = Object.keys(WAYS);
  for (const name of members()) {
    for (const way of ways) {
      const peer = connectPeer(port);
      let outcome;
      let socket;
      let proceed;
      let ws;
      const arrived = new Promise((resolve) => {
        judge = (it, go) => {
          socket = it;
          proceed = go;
          if (state === 'fresh') outcome = tryMember(socket, name, way);
          if (state === 'responded') {
            socket.write('HTTP/1.1 200 OK\r\n\r\n');
            outcome = tryMember(socket, name, way);
          }
          if (state === 'refused') {
            go(false);
            outcome = tryMember(socket, name, way);
          } else if (state === 'refusedClosed') {
            go(false);
          } else if (!['pending', 'fresh', 'responded', 'later'].includes(state)) {
            go(true);
          }
          resolve(undefined);
        };
      });
      const opened = new Promise((resolve) => {
        if (!UNADOPTED.has(state)) wss.once('connection', resolve);
      });
      peer.socket.write(REQUEST);
      await arrived;
      if (state === 'pending') {
        await turn();
        outcome = tryMember(socket, name, way);
      } else if (state === 'later') {
        // Between the response and the WebSocket.
        await turn();
        proceed(true);
        outcome = tryMember(socket, name, way);
      } else if (state === 'refusedClosed') {
        await peer.closing;
        await turn();
        outcome = tryMember(socket, name, way);
      } else if (!UNADOPTED.has(state)) {
        ws = await opened;
        ws.on('error', () => {});
        await arrive[state](ws, socket, peer, settle);
        outcome = tryMember(socket, name, way);
      }
      await settle();
      const before = { ended: peer.ended, closed: peer.closed, received: peer.received.length };
      try {
        socket.destroy();
      } catch (error) {
        outcome += `; destroy() threw ${describe(error)}`;
      }
      await Promise.race([peer.closing, new Promise((resolve) => setTimeout(resolve, 3000))]);
      outcomes[`${String(name)} ${way}`] = [
        outcome,
        `ended ${before.ended}`,
        `received ${before.received}`,
        peer.closed ? 'closed in the end' : 'LEFT OPEN',
        ...uncaught.splice(0)
      ].join(', ');
    }
  }

  bystander.socket.destroy();
  await bystander.closing;
  process.stdout.write(JSON.stringify(outcomes), () => process.exit());
}

/** Brings an open connection into a state. */
const arrive = {
  open: () => {},
  touched: (_ws, socket) => socket.setKeepAlive(true),
  wrappedOpen: (_ws, socket) => {
    for (const name of ['write', 'on', 'destroy', 'end']) {
      const original = socket[name];
      socket[name] = function (...args) {
        return original.apply(this, args);
      };
    }
  },
  ending: (_ws, socket) => {
    socket.end();
  },
  peerEnded: async (ws, _socket, peer) => {
    peer.socket.end();
    await once(ws, 'close');
  },
  closing: async (ws, _socket, peer, settle) => {
    peer.socket.write(CLOSE);
    await settle();
    void ws;
  },
  destroyed: (_ws, socket) => {
    socket.destroy();
  },
  closed: async (ws) => {
    ws.terminate();
    await once(ws, 'close');
  }
};

main();
