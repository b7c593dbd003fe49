'use strict';

// Replaces members of a library (argument 1), one after the other, in every way, and prints the recorded traces: a JSON object
// by the name of the case. Argument 2: a file with the output for another library, or ''. Argument 3: a part of the names of
// cases to run.

const { readFileSync } = require('node:fs');
const { mock } = require('node:test');
const { Conversation, summary } = require('./conversation');
const { METHODS, PARTS, PIECEWISE, SERVER, VALUES, isTooLate } = require('./members');

const lib = require(process.argv[2]);
const model = process.argv[3] ? JSON.parse(readFileSync(process.argv[3], 'utf8')) : {};
const only = process.argv[4] ?? '';

/** @type {Record<string, { lanes: Record<string, string[]>, steps: number[] }>} */
const traces = {};

/** @param {any} object @param {string} name @param {PropertyDescriptor} descriptor @returns {() => void} reverts it */
function define(object, name, descriptor) {
  const before = Object.getOwnPropertyDescriptor(object, name);
  Object.defineProperty(object, name, { configurable: true, ...descriptor });
  return () => {
    if (before) Object.defineProperty(object, name, before);
    else Reflect.deleteProperty(object, name);
  };
}

/**
 * A replacement for a method that records its calls.
 *
 * @param {Conversation} talk
 * @param {string} name
 * @param {Function} original
 * @param {boolean} isStub true if it does not call the original
 */
function spy(talk, name, original, isStub) {
  const known = new Set();
  return function (...args) {
    const { _isServer: isServer } = this?._extensions ? this : { _isServer: undefined };
    const side = isServer ?? this?.[webSocketKey(this)]?._isServer;
    const lane = `calls of ${side}`;
    if (!PIECEWISE.has(name)) talk.log(lane, name, ...args.map((arg) => describe(name, arg)));
    else if (!known.has(side)) talk.log(lane, name);
    known.add(side);
    return isStub ? undefined : original.apply(this, args);
  };
}

/** Masks are random, and compressed bytes differ between compressors. @param {string} name @param {any} arg */
function describe(name, arg) {
  if (name === 'sendFrame' && Array.isArray(arg)) return `${arg.length} pieces, ${arg[0][0]}`;
  return name === 'decompress' && Buffer.isBuffer(arg) ? 'compressed' : arg;
}

/** The symbol of the property in which a Receiver or Sender holds its WebSocket. @param {any} object */
function webSocketKey(object) {
  return Object.getOwnPropertySymbols(object ?? {}).find(
    ({ description }) => description === 'websocket'
  );
}

/**
 * @param {string} name
 * @param {{ deflate?: boolean, early?: (talk: Conversation) => any, settings?: (talk: Conversation) => any,
 *   adapt?: (ws: any, talk: Conversation) => void, late?: (talk: Conversation) => any }} what
 */
async function run(name, { deflate = false, early, settings, adapt, late }) {
  if (!name.includes(only)) return;
  const talk = new Conversation(lib, deflate, isTooLate(name) ? undefined : model[name]?.steps);
  Object.assign(talk, settings?.(talk));
  const undo = [];
  const thrown = (error) => talk.log('thrown', error);
  process.on('uncaughtException', thrown);
  try {
    undo.push(early?.(talk));
    await talk.open(adapt && ((ws) => adapt(ws, talk)));
    if (talk.server) undo.push(late?.(talk));
    await talk.talk();
  } finally {
    undo.flat().forEach((back) => back?.());
    mock.restoreAll();
    await talk.end();
    process.off('uncaughtException', thrown);
  }
  traces[name] = { lanes: talk.lanes, steps: talk.steps };
}

/** @param {any} Class @param {(instance: any) => void} adapt */
function derive(Class, adapt) {
  return class extends Class {
    constructor(...args) {
      super(...args);
      adapt(this);
    }
  };
}

async function methodsOfWebSocket() {
  const { prototype } = lib.WebSocket;
  for (const name of METHODS) {
    const original = prototype[name];
    for (const isStub of ['setSocket', 'on', 'once'].includes(name) ? [false] : [false, true]) {
      const label = `WebSocket ${name} ${isStub ? 'stubbed' : 'spied'}`;
      const value = (talk) => spy(talk, name, original, isStub);
      await run(`${label} on the prototype before`, {
        early: (talk) => define(prototype, name, { writable: true, value: value(talk) })
      });
      await run(`${label} on the prototype after`, {
        late: (talk) => define(prototype, name, { writable: true, value: value(talk) })
      });
      await run(`${label} on both objects after`, {
        late: (talk) => {
          talk.client[name] = value(talk);
          talk.server[name] = value(talk);
        }
      });
      await run(`${label} by mock.method after`, {
        late: (talk) => {
          for (const ws of [talk.client, talk.server]) mock.method(ws, name, value(talk));
        }
      });
      await run(`${label} in a subclass`, {
        settings: (talk) => {
          const Class = class extends lib.WebSocket {};
          define(Class.prototype, name, { writable: true, value: value(talk) });
          return { Client: Class, Server: Class };
        }
      });
      await run(`${label} in the constructor of a subclass`, {
        settings: (talk) => {
          const Class = derive(lib.WebSocket, (ws) => {
            ws[name] = value(talk);
          });
          return { Client: Class, Server: Class };
        }
      });
    }
  }
}

async function valuesOfWebSocket() {
  for (const [name, values] of Object.entries(VALUES)) {
    for (const value of values) {
      const label = `WebSocket ${name} is ${summary(value)}`;
      for (const end of ['client', 'server']) {
        await run(`${label}, defined on the ${end} after`, {
          late: (talk) => define(talk[end], name, { writable: true, value })
        });
        if (name.startsWith('_')) {
          await run(`${label}, assigned to the ${end} after`, {
            late: (talk) => {
              talk[end][name] = value;
            }
          });
        } else {
          await run(`${label}, by a getter of the ${end}'s subclass`, {
            settings: () => {
              let isOpen = false;
              const Class = class extends lib.WebSocket {
                emit(event, ...args) {
                  isOpen ||= event === 'open';
                  return super.emit(event, ...args);
                }
              };
              const { get } = Object.getOwnPropertyDescriptor(lib.WebSocket.prototype, name);
              define(Class.prototype, name, {
                get() {
                  return isOpen ? value : get.call(this);
                }
              });
              return end === 'client' ? { Client: Class } : { Server: Class };
            }
          });
        }
      }
    }
  }
}

/** @param {Conversation} talk @param {string} part @returns {any[]} the parts of both ends */
function partsOf({ client, server }, part) {
  if (part === 'PerMessageDeflate') {
    return [client, server].map((ws) => ws._extensions['permessage-deflate']);
  }
  const name = part === 'Sender' ? '_sender' : '_receiver';
  return [client[name], server[name]];
}

async function methodsOfParts() {
  for (const [part, names] of Object.entries(PARTS)) {
    const { prototype } = lib[part];
    for (const name of names) {
      const original = prototype[name];
      const value = (talk) => spy(talk, name, original, false);
      for (const deflate of part === 'PerMessageDeflate' ? [true] : [false, true]) {
        const label = `${part}.${name} spied${deflate ? ', compressed,' : ''}`;
        await run(`${label} on the prototype before`, {
          deflate,
          early: (talk) => define(prototype, name, { writable: true, value: value(talk) })
        });
        await run(`${label} on the prototype after`, {
          deflate,
          late: (talk) => define(prototype, name, { writable: true, value: value(talk) })
        });
        await run(`${label} on both objects after`, {
          deflate,
          late: (talk) =>
            partsOf(talk, part).map((object) =>
              define(object, name, { writable: true, value: value(talk) })
            )
        });
      }
    }
  }
  const { frame } = lib.Sender;
  for (const deflate of [false, true]) {
    const label = `Sender.frame spied${deflate ? ', compressed,' : ''}`;
    const replaced = (talk) => ({
      writable: true,
      value(data, options) {
        talk.log('calls', `frame ${summary(data)} ${summary(options)}`);
        return frame.call(this, data, options);
      }
    });
    await run(`${label} before`, {
      deflate,
      early: (talk) => define(lib.Sender, 'frame', replaced(talk))
    });
    await run(`${label} after`, {
      deflate,
      late: (talk) => define(lib.Sender, 'frame', replaced(talk))
    });
  }
}

async function methodsOfServer() {
  const { prototype } = lib.WebSocketServer;
  for (const name of SERVER) {
    const value = (talk) => spy(talk, name, prototype[name], false);
    await run(`WebSocketServer ${name} spied on the prototype`, {
      early: (talk) => {
        // Not within the arguments: reading the original comes first.
        const replacement = value(talk);
        return define(prototype, name, { writable: true, value: replacement });
      }
    });
    await run(`WebSocketServer ${name} spied in a subclass`, {
      settings: (talk) => {
        const Class = class extends lib.WebSocketServer {};
        define(Class.prototype, name, { writable: true, value: value(talk) });
        return { WebSocketServer: Class };
      }
    });
  }
}

async function main() {
  await methodsOfWebSocket();
  await valuesOfWebSocket();
  await methodsOfParts();
  await methodsOfServer();
  process.stdout.write(JSON.stringify(traces), () => process.exit());
}

main();
