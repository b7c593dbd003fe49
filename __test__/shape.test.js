'use strict';

// The surface of the package, compared with ws: names, kinds and descriptors of its members, and the entry points in
// package.json. The behavior of the members is tested elsewhere.

const assert = require('node:assert/strict');
const { EventEmitter } = require('node:events');
const { existsSync } = require('node:fs');
const path = require('node:path');
const { Writable } = require('node:stream');
const test = require('node:test');
const theirs = require('ws');
const manifest = require('../package.json');
// By the name that users write: the package refers to itself.
const ours = require('ferrows');

/** Functions that ws does not have. */
const ADDITIONS = require('./environments/project/additions.cjs');

/**
 * The description of a property, without a call.
 *
 * @param {object} object
 * @param {string} name
 */
function describeProperty(object, name) {
  const property = Object.getOwnPropertyDescriptor(object, name);
  if (!property) return 'missing';
  const { enumerable, configurable, writable, value, get, set } = property;
  if (get ?? set) return { get: Boolean(get), set: Boolean(set), enumerable, configurable };
  const own = typeof value === 'function' ? `function of ${value.length}` : typeof value;
  return {
    value: value === null || own === 'number' ? value : own,
    writable,
    enumerable,
    configurable
  };
}

/** Compares the properties that ws has, without those that begin with `_`. */
function compare(ourObject, theirObject, names = Object.getOwnPropertyNames(theirObject)) {
  const compared = names.filter((name) => !name.startsWith('_') && name !== 'prototype');
  assert.ok(compared.length > 0);
  const describe = (object) =>
    Object.fromEntries(compared.map((name) => [name, describeProperty(object, name)]));
  assert.deepEqual(describe(ourObject), describe(theirObject));
}

test('the class WebSocket', () => {
  compare(ours, theirs);
  compare(ours.prototype, theirs.prototype);
  assert.deepEqual(Object.keys(ours), Object.keys(theirs));
  const names = Object.getOwnPropertyNames(ours).filter((name) => !ADDITIONS.includes(name));
  assert.deepEqual(names.sort(), Object.getOwnPropertyNames(theirs).sort());
  assert.ok(Object.prototype.isPrototypeOf.call(EventEmitter, ours));
  assert.equal(ours.WebSocket, ours);
});

test('the class WebSocketServer', () => {
  compare(ours.WebSocketServer, theirs.WebSocketServer);
  compare(ours.WebSocketServer.prototype, theirs.WebSocketServer.prototype);
  assert.ok(Object.prototype.isPrototypeOf.call(EventEmitter, ours.WebSocketServer));
  assert.equal(ours.Server, ours.WebSocketServer);
});

test('Receiver, Sender and PerMessageDeflate', () => {
  assert.ok(Object.prototype.isPrototypeOf.call(Writable, ours.Receiver));
  compare(ours.Receiver, theirs.Receiver);
  compare(ours.Sender, theirs.Sender);
  compare(ours.Sender.prototype, theirs.Sender.prototype);
  compare(ours.Receiver.prototype, theirs.Receiver.prototype);
  compare(ours.PerMessageDeflate, theirs.PerMessageDeflate);
  const coding = ['offer', 'accept', 'cleanup', 'compress', 'decompress'];
  compare(ours.PerMessageDeflate.prototype, theirs.PerMessageDeflate.prototype, coding);
});

test('extension and subprotocol', () => {
  compare(ours.extension, theirs.extension);
  compare(ours.subprotocol, theirs.subprotocol);
});

test('the ES module has the names of ws and the same classes', async () => {
  const module = await import('ferrows');
  const names = Object.keys(module).filter((name) => !ADDITIONS.includes(name));
  assert.deepEqual(names, Object.keys(await import('ws')));
  for (const name of ADDITIONS) assert.equal(module[name], ours[name]);
  assert.equal(module.default, ours);
  for (const name of Object.keys(module)) {
    if (name !== 'default') assert.equal(module[name], ours[name], name);
  }
});

test('the entry points are those of ws', () => {
  assert.equal(require('ferrows/package.json').version, manifest.version);
  assert.throws(() => require('ferrows/lib/websocket.js'), {
    code: 'ERR_PACKAGE_PATH_NOT_EXPORTED'
  });
  const browser = require('../browser.js');
  assert.throws(() => browser(), /browser/);
});

test('the files in package.json exist, and there are no dependencies', () => {
  const named = [manifest.main, manifest.types, manifest.browser, ...manifest.files];
  for (const name of named.filter((file) => !file.includes('*'))) {
    assert.ok(existsSync(path.join(__dirname, '..', name)), name);
  }
  assert.equal(manifest.dependencies, undefined);
  assert.equal(manifest.scripts.install ?? manifest.scripts.postinstall, undefined);
});

test('the version is that of the ws it stands for', () => {
  assert.equal(
    manifest.version.split('.', 2).join(),
    require('ws/package.json').version.split('.', 2).join()
  );
});
