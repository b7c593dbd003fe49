'use strict';

// Receiver with an instance of PerMessageDeflate, without a connection: 1.7.

const { scenario } = require('../run');
const { KEY, OPCODE, closeBody, frame } = require('../frames');
const { Deflater, digits } = require('../deflate');
const { NAME, RSV1, accepted } = require('../deflate-peer');

const { continuation, text, binary, close, ping, pong } = OPCODE;

const EVENTS = ['message', 'ping', 'pong', 'conclude', 'error', 'finish', 'close'];

/** A Receiver whose events and end are recorded. */
function watchedReceiver(t, options, agreed) {
  const isServer = options?.isServer ?? false;
  const extensions = { [NAME]: accepted(t, agreed, { isServer, maxPayload: options?.maxPayload }) };
  const one = new t.lib.Receiver({ ...options, extensions });
  for (const event of EVENTS) one.on(event, (...args) => t.log('receiver', event, ...args));
  const ended = new Promise((resolve) => one.on('close', resolve));
  return { one, ended };
}

for (const binaryType of ['nodebuffer', 'arraybuffer', 'fragments', 'blob']) {
  scenario(`1.7 deflate: Receiver with ${binaryType}`, 'api', async (t) => {
    const { one, ended } = watchedReceiver(t, { binaryType });
    const deflater = new Deflater();
    const send = (opcode, data, fin = true, rsv = RSV1) =>
      one.write(frame(opcode, deflater.part(data, fin), { rsv, fin }));
    send(text, 'text');
    send(binary, digits(300));
    send(binary, digits(300));
    one.write(frame(ping, 'ping'));
    send(binary, 'in ', false);
    one.write(frame(pong, 'pong'));
    send(continuation, '', false, 0);
    send(continuation, 'three ', false, 0);
    send(continuation, 'parts', true, 0);
    one.write(frame(binary, 'plain'));
    send(binary, '');
    send(binary, 'y'.repeat(100000));
    one.write(frame(close, closeBody(1000, 'end')));
    one.write(frame(text, 'ignored'));
    await ended;
  });
}

scenario('1.7 deflate: Receiver, a stream split at every byte', 'api', async (t) => {
  const deflater = new Deflater();
  const rsv = RSV1;
  const bytes = Buffer.concat([
    frame(text, deflater.part('gr\u00fc\u00dfe', false), { key: KEY, rsv, fin: false }),
    frame(ping, 'p', { key: KEY }),
    frame(continuation, deflater.part('y'.repeat(1000)), { key: KEY }),
    frame(binary, deflater.part(digits(200)), { key: KEY, rsv }),
    frame(close, closeBody(4000, 'end'), { key: KEY })
  ]);
  for (let cut = 1; cut < bytes.length; cut += 7) {
    const { one, ended } = watchedReceiver(t, { isServer: true });
    one.write(Buffer.from(bytes.subarray(0, cut)));
    one.write(Buffer.from(bytes.subarray(cut)));
    await ended;
  }
});

scenario('1.7 deflate: Receiver, errors', 'api', async (t) => {
  const good = new Deflater().part('Hello');
  const rsv = RSV1;
  const tries = [
    [{}, '', [frame(text, Buffer.from([6]), { rsv })]],
    [{}, '', [frame(text, new Deflater().part(Buffer.from([0xff])), { rsv })]],
    [{ maxPayload: 10 }, '', [frame(text, new Deflater().part('y'.repeat(11)), { rsv })]],
    [{ maxPayload: 10 }, '', [frame(text, '', { rsv, declare: 11 })]],
    [{ maxFragments: 1 }, '', [frame(text, good, { rsv, fin: false }), frame(continuation, '')]],
    [{}, '', [frame(ping, '', { rsv })]],
    [{}, '', [frame(text, good, { rsv: 6 })]],
    [{ isServer: true }, '', [frame(text, good, { rsv })]]
  ];
  for (const [options, agreed, frames] of tries) {
    const { one, ended } = watchedReceiver(t, options, agreed);
    for (const bytes of frames) one.write(bytes);
    await ended;
    t.log('receiver', 'state', one.destroyed, one.writable);
  }
});

scenario('1.7 deflate: Receiver, end while it inflates', 'api', async (t) => {
  const { one, ended } = watchedReceiver(t);
  one.write(frame(binary, new Deflater().part(Buffer.alloc(4 << 20)), { rsv: RSV1 }));
  one.end();
  await ended;
});

scenario('1.7 deflate: Receiver, _write called directly', 'api', async (t) => {
  const { one, ended } = watchedReceiver(t);
  const deflater = new Deflater();
  for (const data of ['by hand', 'y'.repeat(70000), digits(300)]) {
    const bytes = frame(text, deflater.part(data), { rsv: RSV1 });
    await new Promise((resolve) => one._write(bytes, 'binary', resolve));
    t.log('receiver', 'called back');
  }
  one.end();
  await ended;
});
