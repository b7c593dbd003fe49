/** y-websocket, its server and its provider: documents that stay equal on both ends. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, afterEach, before, describe, test } from 'node:test';
import { assertOverridden, close, listen, require, TIME_LIMIT, WebSocket } from './dependents.mjs';

// All by require: yjs must not be loaded twice.
const Y = require('yjs');
const { WebsocketProvider } = require('y-websocket');
const { docs, setupWSConnection } = require('y-websocket/bin/utils');

/**
 * Resolves when a document, or its awareness, satisfies a condition, which is evaluated at each update.
 *
 * @param {any} source emits `event`
 * @param {string} event
 * @param {() => boolean} condition
 */
function until(source, event, condition) {
  return new Promise((resolve) => {
    const look = () => {
      if (!condition()) return;
      source.off(event, look);
      resolve(undefined);
    };
    source.on(event, look);
    look();
  });
}

describe('y-websocket', () => {
  let http;
  let wss;
  let providers = [];

  before(async () => {
    http = await listen();
    wss = new WebSocket.WebSocketServer({ server: http.server });
    wss.on('connection', setupWSConnection);
  });

  afterEach(async () => {
    const closed = [...wss.clients].map((ws) => once(ws, 'close'));
    for (const provider of providers) {
      provider.destroy();
      provider.doc.destroy();
    }
    providers = [];
    await Promise.all(closed);
  });

  after(async () => {
    for (const doc of docs.values()) doc.destroy();
    wss.close();
    await close(http.server);
  });

  /** A document that synchronizes with those of the same name through the server only. */
  async function join(name) {
    const doc = new Y.Doc();
    const provider = new WebsocketProvider(`ws://127.0.0.1:${http.port}`, name, doc, {
      WebSocketPolyfill: WebSocket,
      disableBc: true
    });
    providers.push(provider);
    await until(provider, 'sync', () => provider.synced);
    assert.ok(provider.ws instanceof WebSocket);
    return { doc, provider, text: doc.getText('text'), map: doc.getMap('map') };
  }

  test('gets the subject as ws', TIME_LIMIT, (context) => assertOverridden(context, 'y-websocket'));

  test('two documents, and one that comes later', TIME_LIMIT, async () => {
    const [one, other] = await Promise.all([join('first'), join('first')]);
    one.text.insert(0, 'Hello');
    other.text.insert(0, '🦀 ');
    const long = 'ü'.repeat(200_000);
    one.map.set('long', long);
    other.map.set('bytes', new Uint8Array(100_000).fill(7));
    for (const { doc, text, map } of [one, other]) {
      await until(doc, 'update', () => text.length === 8 && map.size === 2);
      assert.equal(map.get('long'), long);
      assert.deepEqual(map.get('bytes'), new Uint8Array(100_000).fill(7));
    }
    assert.equal(one.text.toString(), other.text.toString());
    assert.deepEqual(Y.encodeStateVector(one.doc), Y.encodeStateVector(other.doc));
    assert.ok(docs.has('first'));

    const late = await join('first');
    assert.equal(late.text.toString(), one.text.toString());
    late.text.delete(0, late.text.length);
    for (const { doc, text } of [one, other]) await until(doc, 'update', () => text.length === 0);
  });

  test('another name is another document', TIME_LIMIT, async () => {
    const [here, there, back] = await Promise.all([join('here'), join('there'), join('here')]);
    here.text.insert(0, 'here');
    await until(back.doc, 'update', () => back.text.length === 4);
    assert.equal(there.text.length, 0);
  });

  test('present and departed users', TIME_LIMIT, async () => {
    const [one, other] = await Promise.all([join('presence'), join('presence')]);
    const { awareness } = one.provider;
    other.provider.awareness.setLocalStateField('name', 'ann');
    const state = () => awareness.getStates().get(other.doc.clientID);
    await until(awareness, 'change', () => state()?.name === 'ann');
    other.provider.disconnect();
    await until(awareness, 'change', () => state() === undefined);
  });

  test('a lost connection comes back, with the changes made meanwhile', TIME_LIMIT, async () => {
    const [one, other] = await Promise.all([join('lost'), join('lost')]);
    const lost = until(other.provider, 'status', () => !other.provider.wsconnected);
    other.provider.ws.terminate();
    await lost;
    other.text.insert(0, 'written alone');
    one.map.set('meanwhile', 1);
    await until(one.doc, 'update', () => one.text.length > 0);
    await until(other.doc, 'update', () => other.map.get('meanwhile') === 1);
    assert.equal(one.text.toString(), 'written alone');
  });
});
