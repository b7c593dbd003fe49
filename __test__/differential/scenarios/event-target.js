'use strict';

// EventTarget emulation: statements T1 to T5.

const { once } = require('node:events');
const { scenario } = require('../run');

const TYPES = ['open', 'message', 'close', 'error'];

scenario('T1 addEventListener', 'pair', async (t) => {
  const { server, client } = await t.pair();
  const listener = function (event) {
    t.log('client', 'function', this === client, event.type, event.target === client, event.data);
  };
  const object = {
    handleEvent(event) {
      t.log('client', 'object', this === object, event.type, event.data);
    }
  };
  client.addEventListener('message', listener);
  client.addEventListener('message', listener);
  client.addEventListener('message', object);
  client.addEventListener('message', () => t.log('client', 'once'), { once: true });
  client.addEventListener('ping', () => t.log('client', 'never'));
  client.on('message', () => t.log('client', 'on'));
  client.onmessage = listener;
  t.log('client', 'listeners', client.listenerCount('message'), client.onmessage === listener);
  server.send('one');
  server.ping();
  server.send('two');
  await t.emitted(client, 'message', 2);
  await t.emitted(server, 'pong');
  client.off('message', listener);
  t.log('client', 'after off', client.listenerCount('message'));
  client.removeEventListener('message', listener);
  client.removeEventListener('message', object);
  client.removeEventListener('message', () => {});
  t.log('client', 'after removal', client.listenerCount('message'), client.onmessage === listener);
  server.send('three');
  await t.emitted(client, 'message', 3);
});

scenario('T3 on<type> properties', 'pair', async (t) => {
  const { server, client } = await t.pair();
  for (const type of TYPES) {
    const first = () => t.log('client', `first ${type}`);
    const second = () => t.log('client', `second ${type}`);
    const property = `on${type}`;
    const before = client.listenerCount(type);
    t.log('client', property, client[property]);
    client[property] = first;
    client.on(type, () => t.log('client', `between ${type}`));
    client[property] = second;
    t.log('client', property, client[property] === second, client.listenerCount(type) - before);
    for (const nothing of [null, undefined, 'text', {}, 5]) {
      client[property] = nothing;
      t.log('client', property, client[property], client.listenerCount(type) - before);
    }
    client[property] = second;
  }
  server.send('x');
  await t.emitted(client, 'message');
  server.close(1000);
  await t.closed(server, client);
});

scenario('T4 events and their classes', 'pair', async (t) => {
  const { server, client } = await t.pair({ server: { maxPayload: 3 } });
  const show = (lane, ws) => (event) => {
    t.log(lane, event.constructor.name, event.type, event.target === ws, event instanceof Event);
    const proto = Object.getPrototypeOf(event);
    for (const key of Object.keys(proto)) t.log(lane, key, event[key]);
    const base = Object.getPrototypeOf(proto);
    t.log(lane, 'base', base.constructor.name, Object.keys(base), Object.keys(event));
  };
  for (const type of TYPES) {
    client.addEventListener(type, show('client', client));
    server.addEventListener(type, show('server', server));
  }
  server.send('text');
  server.send(Buffer.from('binary'));
  await t.emitted(client, 'message', 2);
  client.binaryType = 'arraybuffer';
  server.send(Buffer.from('again'));
  await t.emitted(client, 'message', 3);
  client.send('four');
  await t.closed(server, client);
});

scenario('T4 an open event and a failing connection', 'client', async (t) => {
  const listening = await t.rawServer();
  const good = t.openClient(listening.url);
  good.onopen = function (event) {
    t.log(
      'client',
      'open',
      this === good,
      event.constructor.name,
      event.type,
      event.target === good
    );
  };
  const raw = await listening.next();
  raw.accept(await raw.head());
  await t.opened(good);
  const bad = t.openClient(listening.url);
  bad.onerror = (event) => {
    t.log('client', 'error', event.constructor.name, event.message, event.error);
  };
  bad.onclose = (event) => {
    t.log('client', 'close', event.code, event.reason, event.wasClean);
  };
  (await listening.next()).finish();
  await t.closed(bad);
});

scenario('T4 the reason of a CloseEvent is text', 'pair', async (t) => {
  const { server, client } = await t.pair();
  client.onclose = (event) => t.log('client', 'reason', event.reason, event.code, event.wasClean);
  server.close(4000, 'grüße 🦀');
  await t.closed(server, client);
});

scenario('T2 order of listeners is the order of registration', 'pair', async (t) => {
  const { server, client } = await t.pair();
  const log = (name) => () => t.log('client', name);
  client.on('message', log('on 1'));
  client.addEventListener('message', log('add 2'));
  client.prependListener('message', log('prepended'));
  client.onmessage = log('property 3');
  client.once('message', log('once 4'));
  client.addEventListener('message', log('add 5'), { once: true });
  server.send('a');
  server.send('b');
  await t.emitted(client, 'message', 2);
  client.removeAllListeners('message');
  t.log('client', 'left', client.listenerCount('message'), client.onmessage);
});

scenario('T1 an exception in handleEvent propagates from emit', 'pair', async (t) => {
  const { client } = await t.pair();
  client.addEventListener('message', () => {
    throw new Error('thrown in a listener');
  });
  t.attempt('client', 'emit', () => client.emit('message', Buffer.from('by hand'), false));
});

scenario('T1 events.once', 'pair', async (t) => {
  const { server, client } = await t.pair();
  const message = once(client, 'message');
  server.send('awaited');
  t.log('client', 'once', ...(await message));
  const closed = once(client, 'close');
  server.close(1001, 'bye');
  t.log('client', 'once', ...(await closed));
  await t.closed(server, client);
});

scenario('T5 events constructed by a program have defaults', 'pair', async (t) => {
  const { server, client } = await t.pair({ client: { maxPayload: 3 } });
  const classes = new Set();
  for (const type of TYPES) {
    client.addEventListener(type, (event) => classes.add(event.constructor));
  }
  client.emit('open');
  server.send('one');
  server.send('four');
  await t.closed(server, client);
  for (const Class of [...classes].sort((a, b) => (a.name < b.name ? -1 : 1))) {
    for (const options of [undefined, {}, { code: 1, data: 'd', message: 'm', wasClean: 1 }]) {
      const event = new Class('custom', options);
      const shown = [];
      for (let proto = event; proto !== Object.prototype; proto = Object.getPrototypeOf(proto)) {
        for (const key of Object.keys(proto)) shown.push(`${key}=${event[key]}`);
      }
      t.log('classes', Class.name, shown);
    }
  }
});
