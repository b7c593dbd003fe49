'use strict';

// The classes PerMessageDeflate and Sender, without a connection, opposite node:zlib: 1.6 and 1.8.

const { Writable } = require('node:stream');
const { scenario } = require('../run');
const { decode } = require('../frames');
const { Deflater, Inflater, digits, noise } = require('../deflate');
const { NAME, DeflatePeer, accepted } = require('../deflate-peer');

const TAKEOVERS = [
  '',
  'server_no_context_takeover',
  'client_no_context_takeover',
  'server_no_context_takeover; client_no_context_takeover'
];

/** Resolves with the arguments of the callback and records nothing. */
const runToCallback = (one, call, data, fin = true) =>
  new Promise((resolve) => one[call](data, fin, (err, result) => resolve(err ?? result)));

for (const agreed of TAKEOVERS) {
  scenario(`1.6 deflate: the class with ${agreed || 'context'}`, 'api', async (t) => {
    for (const isServer of [true, false]) {
      const lane = isServer ? 'server' : 'client';
      const one = accepted(t, agreed, { isServer });
      const keeps = (side) => !agreed.includes(`${side}_no`);
      const inflater = new Inflater({ takeover: keeps(lane) });
      const deflater = new Deflater({ takeover: keeps(isServer ? 'client' : 'server') });
      const lengths = [];
      for (const data of [digits(500), digits(500), '', noise(70000), 'y'.repeat(70000)]) {
        const bytes = await runToCallback(one, 'compress', Buffer.from(data));
        lengths.push(bytes.length);
        t.log(lane, 'compressed', inflater.part(bytes, true));
        t.log(lane, 'inflated', await runToCallback(one, 'decompress', deflater.part(data)));
      }
      t.log(lane, 'the second is shorter', lengths[1] < lengths[0] / 2);
      for (const [i, data] of ['', digits(300), '', digits(300), ''].entries()) {
        const fin = i === 4;
        const bytes = await runToCallback(one, 'compress', Buffer.from(data), fin);
        t.log(lane, 'fragment', inflater.part(bytes, fin));
        t.log(
          lane,
          'inflated',
          await runToCallback(one, 'decompress', deflater.part(data, fin), fin)
        );
      }
      one.cleanup();
    }
  });
}

scenario('1.6 deflate: both ends of the class', 'api', async (t) => {
  const { PerMessageDeflate, extension } = t.lib;
  const options = {
    serverMaxWindowBits: 10,
    clientMaxWindowBits: 11,
    clientNoContextTakeover: true
  };
  const client = new PerMessageDeflate(options);
  const server = new PerMessageDeflate({ isServer: true });
  const offer = extension.format({ [NAME]: client.offer() });
  t.log('class', 'offer', offer);
  const answer = extension.format({ [NAME]: server.accept(extension.parse(offer)[NAME]) });
  t.log('class', 'answer', answer);
  client.accept(extension.parse(answer)[NAME]);
  t.log('class', 'params', client.params, server.params);
  for (const data of ['text', digits(3000), digits(3000)]) {
    for (const [from, to] of [
      [client, server],
      [server, client]
    ])
      t.log(
        'class',
        'there',
        await runToCallback(to, 'decompress', await runToCallback(from, 'compress', data))
      );
  }
});

scenario('1.6 deflate: data that the class rejects', 'api', async (t) => {
  const one = accepted(t, '', { isServer: true, maxPayload: 100 });
  const bad = [
    Buffer.from([6]),
    Buffer.from('00050000000102030405', 'hex'),
    new Deflater().part('y'.repeat(101)),
    new Deflater().part('y'.repeat(1000000))
  ];
  for (const data of bad) {
    const err = await runToCallback(one, 'decompress', data);
    t.log('class', 'refused', err, err.errno);
    // The next message starts anew.
    t.log(
      'class',
      'next',
      await runToCallback(one, 'decompress', new Deflater().part('y'.repeat(100)))
    );
  }
});

scenario('1.6 deflate: cleanup during compression', 'api', async (t) => {
  const one = accepted(t);
  one.cleanup();
  one.compress(Buffer.alloc(1 << 20), true, (err, data) => t.log('class', 'compressed', err, data));
  one.cleanup();
  t.log('class', 'cleaned up');
  one.cleanup();
  t.log(
    'class',
    'inflated',
    await runToCallback(one, 'decompress', new Deflater().part('still of use'))
  );
});

scenario('1.6 deflate: cleanup discards the context', 'api', async (t) => {
  const one = accepted(t);
  const first = await runToCallback(one, 'compress', digits(300));
  one.cleanup();
  const second = await runToCallback(one, 'compress', digits(300));
  t.log('class', 'no context is left', first.equals(second));
  t.log('class', 'inflated', new Inflater().part(second, true));
  const deflater = new Deflater();
  t.log('class', 'inflated', await runToCallback(one, 'decompress', deflater.part(digits(100))));
  one.cleanup();
  t.log('class', 'refused', await runToCallback(one, 'decompress', deflater.part(digits(100))));
});

scenario('1.6 deflate: many instances at once', 'api', async (t) => {
  const all = Array.from({ length: 30 }, async (_, i) => {
    const one = accepted(t);
    const data = await runToCallback(one, 'compress', digits(50000, String(i)));
    return runToCallback(one, 'decompress', data);
  });
  for (const data of await Promise.all(all)) t.log('class', 'data', data);
});

/** A socket that stores the written frames. */
function recordingSocket() {
  let bytes = Buffer.alloc(0);
  const socket = new Writable({
    write(chunk, encoding, callback) {
      bytes = Buffer.concat([bytes, chunk]);
      callback();
    }
  });
  const frames = () => {
    const all = [];
    for (let one; (one = decode(bytes)); bytes = bytes.subarray(one.size)) all.push(one);
    return all;
  };
  return { socket, frames };
}

/** Records frames of a Sender, inflated. */
const logFrames = (t, agreed, frames) => new DeflatePeer(t, null, agreed).logFrames(...frames);

for (const agreed of ['', 'client_no_context_takeover']) {
  scenario(`1.8 deflate: Sender with ${agreed || 'context'}`, 'api', async (t) => {
    const { socket, frames } = recordingSocket();
    const sender = new t.lib.Sender(socket, { [NAME]: accepted(t, agreed, { threshold: 10 }) });
    const base = { binary: false, compress: true, fin: true, mask: false };
    const called = (name) => (err) => t.log('sender', name, !err);
    sender.send('text', base, called('text'));
    sender.send('long enough', base, called('long enough'));
    sender.send(digits(300), { ...base, mask: true }, called('masked'));
    sender.send(Buffer.from(digits(300)), { ...base, binary: true }, called('bytes'));
    sender.send('plain', { ...base, compress: false }, called('plain'));
    sender.ping('ping', false, called('ping'));
    sender.send('the first fragment', { ...base, fin: false }, called('first'));
    sender.pong(Buffer.from('pong'), false, called('pong'));
    sender.send('', { ...base, fin: false, compress: false }, called('second'));
    sender.send('the last', base, called('last'));
    sender.send(new Blob(['a blob of bytes']), { ...base, binary: true }, called('blob'));
    sender.send(Buffer.alloc(1 << 20, 'large'), { ...base, binary: true }, called('large'));
    await new Promise((resolve) => sender.close(1000, 'bye', false, resolve));
    t.log('sender', 'fields', sender._bufferedBytes, sender._state);
    logFrames(t, agreed, frames());
  });
}
