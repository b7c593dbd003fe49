'use strict';

// The shape of the package's exports: 1.2 to 1.4, 1.8 and 1.9.

const { EventEmitter } = require('node:events');
const { scenario } = require('../run');

scenario('1.2 exports', 'api', (t) => {
  const { lib } = t;
  t.log('lib', 'itself', lib === lib.WebSocket, lib.Server === lib.WebSocketServer);
  t.log('lib', 'lengths', lib.length, lib.name, lib.Server.length, lib.Server.name);
  t.log('lib', 'keys', Object.keys(lib));
  t.attempt('lib', 'without new', () => lib('ws://x'));
  t.attempt('lib', 'server without new', () => lib.Server({ port: 0 }));
  for (const name of ['CONNECTING', 'OPEN', 'CLOSING', 'CLOSED']) {
    t.log('lib', name, Object.getOwnPropertyDescriptor(lib, name));
  }
});

for (const name of ['WebSocket', 'WebSocketServer']) {
  scenario(`1.3 members of ${name}.prototype`, 'api', (t) => {
    const proto = t.lib[name].prototype;
    for (const key of Object.getOwnPropertyNames(proto).sort()) {
      // The implementation of private members is not compared.
      if (key.startsWith('_')) continue;
      const found = Object.getOwnPropertyDescriptor(proto, key);
      const type = 'value' in found ? typeof found.value : `get${found.set ? ' set' : ''}`;
      t.log(name, key, type, found.enumerable, found.configurable, found.writable);
    }
    t.log(name, 'is an EventEmitter', proto instanceof EventEmitter);
  });
}

scenario('1.4 options of servers', 'api', (t) => {
  const all = [
    undefined,
    {},
    { port: null },
    { port: 0, noServer: true },
    { port: 0, server: {} },
    null
  ];
  for (const options of all) {
    t.attempt('server', 'new', () => new t.Server(options));
  }
  const wss = new t.Server({ noServer: true });
  t.attempt('server', 'address', () => wss.address());
  t.log('server', 'options', Object.keys(wss.options).sort());
  t.log('server', 'path', wss.path, wss.clients);
  for (const key of Object.keys(wss.options).sort()) {
    if (key !== 'WebSocket') t.log('server', key, wss.options[key]);
  }
});

scenario('1.8 Sender.frame, extension and subprotocol', 'api', (t) => {
  const { extension, subprotocol, Sender } = t.lib;
  const headers = [
    'a',
    'a; b',
    'a; b=1; c="d e", f',
    'a;b=""',
    ',',
    'a,',
    'a; b="\\x"',
    '__proto__; x=y',
    'a b'
  ];
  for (const header of headers) {
    t.attempt('extension', header, () => extension.parse(header));
    t.attempt('subprotocol', header, () => subprotocol.parse(header));
  }
  t.attempt('extension', 'format', () =>
    extension.format({ a: [{ b: [true], c: ['1', '2'] }], d: [{}] })
  );
  const base = { fin: true, opcode: 1, mask: false, readOnly: false, rsv1: false };
  const maskBuffer = Buffer.from([1, 2, 3, 4]);
  for (const data of ['text', Buffer.from('bytes'), Buffer.alloc(0), Buffer.alloc(70000)]) {
    t.attempt('Sender', 'frame', () => Sender.frame(data, base));
    for (const readOnly of [true, false]) {
      const copy = typeof data === 'string' ? data : Buffer.from(data);
      const options = {
        ...base,
        mask: true,
        maskBuffer,
        readOnly,
        generateMask: (mask) => mask.fill(9)
      };
      t.attempt('Sender', `masked ${readOnly}`, () => Sender.frame(copy, options));
      t.log('Sender', 'data', copy);
    }
  }
});
