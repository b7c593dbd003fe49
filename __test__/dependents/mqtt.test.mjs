/** MQTT.js against aedes: a byte stream over WebSocket on either side, made by createWebSocketStream. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import {
  assertOverridden,
  close,
  Inbox,
  listen,
  load,
  require,
  TIME_LIMIT,
  WebSocket
} from './dependents.mjs';

const mqtt = require('mqtt');
const { Aedes } = await load('aedes');

/** Larger than any buffer in between. */
const LARGE = Buffer.from(Uint8Array.from({ length: 1_000_000 }, (_, index) => index % 251));

/**
 * Since Node 26 read() returns one chunk of several, and aedes calls it once for all of them: it would wait forever.
 *
 * @param {import('node:stream').Duplex} stream
 */
function readAtOnce(stream) {
  const read = stream.read.bind(stream);
  stream.read = (size) => read(size ?? (stream.readableLength || undefined));
  return stream;
}

describe('MQTT.js and aedes', () => {
  let broker;
  let http;
  let wss;
  let url;
  const clients = [];

  before(async () => {
    broker = await Aedes.createBroker();
    http = await listen();
    url = `ws://127.0.0.1:${http.port}/mqtt`;
    wss = new WebSocket.WebSocketServer({ server: http.server });
    wss.on('connection', (ws, request) => {
      assert.equal(ws.protocol, 'mqtt');
      broker.handle(readAtOnce(WebSocket.createWebSocketStream(ws)), request);
    });
  });

  after(async () => {
    await Promise.all(clients.map((client) => client.endAsync()));
    await new Promise((resolve) => broker.close(resolve));
    wss.close();
    await close(http.server);
  });

  /** Connects; returns the client and its messages. */
  async function connect(options) {
    const client = await mqtt.connectAsync(url, { reconnectPeriod: 0, ...options });
    clients.push(client);
    assert.equal(client.stream.url, url);
    const inbox = new Inbox();
    client.on('message', (topic, payload, { qos, retain }) =>
      inbox.put({ topic, payload, qos, retain })
    );
    return { client, inbox };
  }

  test('gets the subject as ws', TIME_LIMIT, (context) => assertOverridden(context, 'mqtt'));

  for (const qos of [0, 1, 2]) {
    test(`publishing and subscribing with QoS ${qos}`, TIME_LIMIT, async () => {
      const [one, other] = [await connect(), await connect()];
      const granted = await Promise.all(
        [one, other].map(({ client }) => client.subscribeAsync('talk/#', { qos }))
      );
      for (const [{ qos: given }] of granted) assert.equal(given, qos);
      const texts = ['first', 'zweite: ü', ''];
      for (const text of texts) await one.client.publishAsync('talk/text', text, { qos });
      for (const { inbox } of [one, other]) {
        for (const text of texts) {
          const payload = Buffer.from(text);
          assert.deepEqual(await inbox.next(), { topic: 'talk/text', payload, qos, retain: false });
        }
      }
      // Sequential: with several publishers the order of arrival is not defined.
      await other.client.publishAsync('talk/large', LARGE, { qos });
      for (const { inbox } of [one, other]) {
        const { topic, payload } = await inbox.next();
        assert.equal(topic, 'talk/large');
        assert.ok(payload.equals(LARGE));
      }
    });
  }

  test('many at once, and in order', TIME_LIMIT, async () => {
    const { client, inbox } = await connect();
    await client.subscribeAsync('count', { qos: 1 });
    const published = Array.from({ length: 1000 }, (_, index) =>
      client.publishAsync('count', String(index), { qos: 1 })
    );
    for (let index = 0; index < published.length; index++) {
      assert.equal(String((await inbox.next()).payload), String(index));
    }
    await Promise.all(published);
  });

  test('retained messages, and the will of a client that is cut off', TIME_LIMIT, async () => {
    const { client } = await connect();
    await client.publishAsync('state', 'on', { qos: 1, retain: true });
    const { client: watcher, inbox } = await connect();
    await watcher.subscribeAsync('state');
    const { payload, retain } = await inbox.next();
    assert.deepEqual([String(payload), retain], ['on', true]);
    await watcher.subscribeAsync('will');
    const { client: doomed } = await connect({
      will: { topic: 'will', payload: Buffer.from('gone'), qos: 0 }
    });
    const closed = once(doomed, 'close');
    // Destroys the WebSocket from below: no DISCONNECT is sent.
    doomed.stream.destroy();
    await closed;
    const will = await inbox.next();
    assert.deepEqual([will.topic, String(will.payload)], ['will', 'gone']);
  });
});
