'use strict';

// Inspects every object that programs hold, in each of its states, by listing, copying, printing and so on, and prints a line
// per result. Argument 1: the library.

const { once } = require('node:events');
const { inspect } = require('node:util');

const lib = require(process.argv[2]);
const lines = [];

/** Numbers that differ between runs. @param {string} text */
const stable = (text) =>
  text
    .replace(/\d{4,}/g, 'N')
    .replace(/(_idleStart|\[Symbol\((?:asyncId|triggerId|async_id_symbol)\)\]): \d+/g, '$1: N')
    // The socket itself is not compared here.
    .replace(/ {2}_socket: Socket \{[^]*?\n {2}\}/, '  _socket: [Socket]')
    .replace(/_onTimeout: \[Function.*\]/, '_onTimeout: [Function]');

const log = (...what) => lines.push(stable(what.join(' ')));

/** @param {string} name @param {() => any} glance */
function attempt(name, glance) {
  try {
    const seen = glance();
    log(name, typeof seen === 'string' ? seen : inspect(seen, { depth: 0 }));
  } catch (error) {
    log(name, 'throws', error.name, error.message.split('\n')[0]);
  }
}

/** Created on first use: accessors that read as the values of ws do. */
const LAZY = new Set(['_receiver', '_sender']);

/** @param {object} object @returns {string} types and attributes of its own properties */
function describe(object) {
  return Object.entries(Object.getOwnPropertyDescriptors(object))
    .map(([name, { configurable, enumerable, value, writable, get }]) => {
      const kind = LAZY.has(name) ? typeof object[name] : get ? 'accessor' : typeof value;
      return [name, kind, enumerable, configurable, LAZY.has(name) || writable].join('/');
    })
    .join();
}

/** Not compared here: sockets, Node's server and request, and classes. */
const FOREIGN = new Set(['_socket', '_server', '_req', 'WebSocket']);

/** @param {any} object @returns {string} its JSON without times */
const toJson = (object) =>
  JSON.stringify(object, (key, value) => (FOREIGN.has(key) ? undefined : value)).replace(
    /"_idle\w+":-?\d+/g,
    ''
  );

/** @param {string} name @param {any} object */
function look(name, object) {
  if (typeof object !== 'object' || object === null) {
    log(name, String(object));
    return;
  }
  const inherited = [];
  for (const key in object) inherited.push(key);
  const symbols = Object.getOwnPropertySymbols(object).filter((symbol) =>
    Object.prototype.propertyIsEnumerable.call(object, symbol)
  );
  log(name, 'keys', Object.keys(object));
  log(name, 'for in', inherited);
  log(name, 'spread', Object.keys({ ...object }));
  log(name, 'symbols', symbols.map(String));
  log(name, 'properties', describe(object));
  attempt(`${name} in JSON`, () => toJson(object));
  log(name, 'inspected', inspect(object, { depth: 0 }));
  log(name, 'inspected again', inspect(object, { depth: 0 }) === inspect(object, { depth: 0 }));
  attempt(`${name} cloned`, () => {
    try {
      structuredClone(object);
      return 'cloned';
    } catch (error) {
      return `${error.name} ${error.code}`;
    }
  });
}

/** @param {string} name @param {any} error */
function lookAtError(name, error) {
  log(name, inspect(error).replace(/\n\s+at [^\n]*/g, ''), Reflect.ownKeys(error).map(String));
}

/**
 * The appearance of a WebSocket through a derived object and a Proxy. @param {string} name @param {any} ws @param {any} peer
 */
async function through(name, stand, ws, peer) {
  for (const key of [
    'readyState',
    'bufferedAmount',
    'binaryType',
    'extensions',
    'isPaused',
    'protocol',
    'url',
    'onopen',
    'OPEN',
    '_readyState',
    '_isServer'
  ]) {
    attempt(`${name}.${key}`, () => String(stand[key]));
  }
  stand.binaryType = 'arraybuffer';
  log(name, ws.binaryType, ws._receiver._binaryType);
  ws.binaryType = 'nodebuffer';
  const came = [once(peer, 'message'), once(peer, 'ping'), once(peer, 'pong')];
  attempt(`${name}.send`, () => stand.send('through'));
  attempt(`${name}.ping`, () => stand.ping('through'));
  attempt(`${name}.pong`, () => stand.pong('through'));
  for (const [data] of await Promise.all(came)) log(name, String(data));
  attempt(`${name}.on`, () => ws.listenerCount('x', stand.on('x', () => {}) && undefined));
  stand.onmessage = () => {};
  log(name, typeof stand.onmessage, typeof ws.onmessage);
  stand.pause();
  stand.resume();
  log(name, ws.isPaused, stand.isPaused);
  look(name, stand);
}

async function main() {
  const { prototype } = lib.WebSocket;
  for (const key of Object.getOwnPropertyNames(prototype)) {
    attempt(`prototype.${key}`, () => typeof prototype[key]);
  }
  const wss = new lib.WebSocketServer({ port: 0, host: '127.0.0.1' });
  await once(wss, 'listening');
  look('server', wss);
  for (const options of [{ noServer: true }, { noServer: true, clientTracking: false }]) {
    const other = new lib.WebSocketServer(options);
    look('another server', other);
    other.close();
    look('another server, closed', other);
  }
  const accepted = once(wss, 'connection');
  const client = new lib.WebSocket(`ws://127.0.0.1:${wss.address().port}`);
  look('connecting', client);
  const opened = once(client, 'open');
  const [ws] = await accepted;
  await opened;
  for (const [name, one] of Object.entries({ client, accepted: ws })) {
    look(name, one);
    look(`receiver of ${name}`, one._receiver);
    look(`sender of ${name}`, one._sender);
  }
  look('server with a client', wss);
  look('without a connection', new lib.WebSocket(null, undefined, {}));
  await through('a proxy', new Proxy(client, {}), client, ws);
  await through('a derived object', Object.create(client), client, ws);

  const seen = once(ws, 'message');
  ws.addEventListener('message', (event) => {
    look('message event', event);
    const { data, target, type } = new Proxy(event, {});
    log('through a proxy', data, target === ws, type);
    const derived = Object.create(event);
    log('derived', derived.data, derived.target === ws, derived.type);
  });
  ws.onclose = (event) => look('close event', event);
  ws.onerror = () => {};
  client.send('x');
  await seen;
  look('with listeners', ws);
  const closed = [once(client, 'close'), once(ws, 'close')];
  client.close(1001, 'r');
  look('closing', client);
  await Promise.all(closed);
  look('closed', client);
  look('closed, accepted', ws);
  look('sender of a closed one', client._sender);
  await new Promise((resolve) => {
    client.send('late', (error) => {
      lookAtError('send', error);
      resolve();
    });
  });
  look('closed, sent', client);

  const receiver = new lib.Receiver({ isServer: true });
  look('Receiver', receiver);
  const failed = once(receiver, 'error');
  receiver.write(Buffer.from([0x81, 0x85, 1, 2]));
  look('Receiver with half a header', receiver);
  receiver.write(Buffer.from([3, 4, 1, 1, 1, 1, 1, 0xf1, 0]));
  look('Receiver, failed', receiver);
  // once() resolves with an 'error' event here.
  const [error] = await failed.catch((reason) => [reason]);
  lookAtError('Receiver', error);
  const sender = new lib.Sender({ write() {}, cork() {}, uncork() {} }, undefined, () => {});
  look('Sender', sender);
  sender.send('x', { fin: false });
  look('Sender in a message', sender);
  const deflate = new lib.PerMessageDeflate({ maxPayload: 5 });
  look('PerMessageDeflate', deflate);
  deflate.accept([{}]);
  look('PerMessageDeflate, agreed', deflate);
  for (const [name, fail] of Object.entries({
    URL: () => new lib.WebSocket('x'),
    options: () => new lib.WebSocketServer({}),
    connecting: () => new lib.WebSocket(null, undefined, {}).send('x'),
    extension: () => lib.extension.parse('!!,'),
    subprotocol: () => lib.subprotocol.parse(','),
    parameter: () => deflate.accept([{ x: [1] }])
  })) {
    try {
      fail();
    } catch (thrown) {
      lookAtError(name, thrown);
    }
  }
  wss.close();
  look('server, closed', wss);
  process.stdout.write(JSON.stringify(lines), () => process.exit());
}

main();
