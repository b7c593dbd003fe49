'use strict';

// The classes Receiver, Sender and PerMessageDeflate, and extension and subprotocol, without a connection: 1.6 to 1.9 and 3.1.

const { once } = require('node:events');
const { Writable } = require('node:stream');
const { scenario } = require('../run');
const { KEY, OPCODE, closeBody, frame, bytesText } = require('../frames');

const { continuation, text, binary, close, ping, pong } = OPCODE;

const EVENTS = ['message', 'ping', 'pong', 'conclude', 'error', 'drain', 'finish', 'close'];

/** A Receiver whose events are recorded. */
function watchedReceiver(t, options) {
  const made = new t.lib.Receiver(options);
  for (const event of EVENTS) made.on(event, (...args) => t.log('receiver', event, ...args));
  return made;
}

const nextIteration = () => new Promise((resolve) => setImmediate(resolve));

scenario('1.7 Receiver: kinds of messages', 'api', async (t) => {
  for (const binaryType of [undefined, 'nodebuffer', 'arraybuffer', 'fragments', 'blob']) {
    const one = watchedReceiver(t, { binaryType });
    one.write(frame(text, 'text'));
    one.write(frame(binary, 'a', { fin: false }));
    one.write(frame(continuation, '', { fin: false }));
    one.write(frame(continuation, 'b'));
    one.write(frame(binary, ''));
    one.write(frame(pong, 'c'));
    await nextIteration();
  }
});

scenario('1.7 Receiver: a stream split at every byte', 'api', (t) => {
  const bytes = Buffer.concat([
    frame(text, 'gr\u00fc\u00dfe', { key: KEY, fin: false }),
    frame(ping, 'p', { key: KEY }),
    frame(continuation, Buffer.alloc(130, 'y'), { key: KEY }),
    frame(close, closeBody(4000, 'end'), { key: KEY })
  ]);
  for (let cut = 1; cut < bytes.length; cut += 7) {
    const one = watchedReceiver(t, { isServer: true });
    one.write(Buffer.from(bytes.subarray(0, cut)));
    one.write(Buffer.from(bytes.subarray(cut)));
  }
});

scenario('1.7 Receiver: limits', 'api', async (t) => {
  const tries = [
    [{ maxPayload: 3 }, [frame(text, 'four')]],
    [{ maxPayload: '3' }, [frame(text, 'four')]],
    [{ maxFragments: 2 }, [0, 1, 2].map((i) => frame(i ? continuation : text, '', { fin: false }))],
    [{ maxBufferedChunks: 2 }, [frame(text, 'four'), Buffer.from('a'), Buffer.from('b')]],
    [{}, [frame(text, Buffer.from([0xff]))]],
    [{ skipUTF8Validation: true }, [frame(text, Buffer.from([0xff]))]],
    [{}, [frame(close, closeBody(1000, Buffer.from([0xff])))]],
    [{}, [frame(text, 'masked', { key: KEY })]],
    [{ isServer: true }, [frame(text, 'not masked')]],
    [{}, [frame(close, '')]],
    [{}, [frame(close, 'x')]]
  ];
  for (const [options, chunks] of tries) {
    const one = watchedReceiver(t, options);
    t.log('receiver', 'options', options);
    const header = options.maxBufferedChunks
      ? [chunks[0].subarray(0, 2), ...chunks.slice(1)]
      : chunks;
    for (const chunk of header) if (!one.destroyed) one.write(chunk);
    await nextIteration();
    t.log('receiver', 'state', one.destroyed, one.writable);
  }
});

scenario('1.7 Receiver: allowSynchronousEvents', 'api', async (t) => {
  for (const allowSynchronousEvents of [true, false]) {
    const one = watchedReceiver(t, { allowSynchronousEvents });
    one.on('message', () => Promise.resolve().then(() => t.log('receiver', 'microtask')));
    one.write(Buffer.concat([frame(text, 'a'), frame(ping, 'b'), frame(text, 'c')]));
    t.log('receiver', 'written', allowSynchronousEvents);
    while (one.writableLength) await nextIteration();
    await nextIteration();
  }
});

scenario('1.7 Receiver: _write called directly, in pieces', 'api', async (t) => {
  const one = watchedReceiver(t, { isServer: true });
  const bytes = Buffer.concat([
    frame(text, 'by hand', { key: KEY }),
    frame(binary, 'and more', { key: KEY })
  ]);
  for (const byte of bytes) {
    await new Promise((resolve) => one._write(Buffer.from([byte]), 'binary', resolve));
  }
  one.end();
  await once(one, 'finish');
});

scenario('1.7 Receiver: settings can be changed between writes', 'api', async (t) => {
  const one = watchedReceiver(t, {});
  one._binaryType = 'arraybuffer';
  one.write(frame(binary, 'abc'));
  one._skipUTF8Validation = true;
  one.write(frame(text, Buffer.from([0xc0])));
  one._maxPayload = 1;
  one.write(frame(text, 'ab'));
  await nextIteration();
});

scenario('1.7 Receiver: bytes after a close frame', 'api', async (t) => {
  const one = watchedReceiver(t, {});
  one.write(Buffer.concat([frame(close, closeBody(1000, 'end')), frame(text, 'ignored')]));
  one.write(frame(text, 'ignored too'));
  await nextIteration();
});

/** A socket that stores the written chunks. */
function recordingSocket(t) {
  return new Writable({
    writev(chunks, callback) {
      for (const { chunk } of chunks) t.trace.line('wire', bytesText(chunk));
      callback();
    },
    write(chunk, encoding, callback) {
      t.trace.line('wire', bytesText(chunk));
      callback();
    }
  });
}

scenario('1.8 Sender: all kinds of frames', 'api', async (t) => {
  const socket = recordingSocket(t);
  const key = (buffer) => buffer.fill(5);
  const sender = new t.lib.Sender(socket, {}, key);
  const whole = { binary: false, compress: false, fin: true, mask: false };
  const called = (name) => (err) => t.log('sender', name, !err);
  sender.send('text', whole, called('text'));
  sender.send(Buffer.from('bytes'), { ...whole, binary: true }, called('bytes'));
  sender.send('', { ...whole, fin: false }, called('first'));
  sender.send('masked', { ...whole, mask: true }, called('last'));
  sender.ping('ping', false, called('ping'));
  sender.pong(Buffer.from('pong'), true, called('pong'));
  sender.send(new Blob(['blob']), { ...whole, binary: true }, called('blob'));
  sender.ping('behind', false, called('behind'));
  await new Promise((resolve) => sender.close(1000, 'bye', false, resolve));
  t.log('sender', 'fields', sender._socket === socket, sender._bufferedBytes, sender._state);
  t.attempt('sender', 'long ping', () => sender.ping('x'.repeat(126), false));
  t.attempt('sender', 'bad code', () => sender.close(12, '', false));
  t.attempt('sender', 'long reason', () => sender.close(1000, 'x'.repeat(124), false));
  t.attempt('sender', 'bad reason', () => sender.close(1000, new Uint16Array(1), false));
});

scenario('1.8 Sender: sendFrame does not modify the list', 'api', async (t) => {
  const sender = new t.lib.Sender(recordingSocket(t), {});
  const list = t.lib.Sender.frame(Buffer.from('shared'), {
    fin: true,
    opcode: 1,
    mask: false,
    readOnly: false,
    rsv1: false
  });
  for (let i = 0; i < 3; i++) await new Promise((resolve) => sender.sendFrame(list, resolve));
  t.log('sender', 'list', list);
});

scenario('1.8 Sender.frame: shapes', 'api', (t) => {
  const { Sender } = t.lib;
  for (const mask of [false, true]) {
    for (const readOnly of [false, true]) {
      for (const payload of ['', 'x', 'x'.repeat(126), 'x'.repeat(65536)]) {
        const data = Buffer.from(payload);
        const options = { fin: true, opcode: 2, rsv1: false, mask, readOnly };
        options.generateMask = (buffer) => buffer.fill(0x11);
        const list = Sender.frame(data, options);
        t.log('Sender', 'frame', list.length, list[1] === data, list);
        t.log('Sender', 'data', data);
      }
    }
  }
  const base = { fin: true, opcode: 1, mask: true, readOnly: true, rsv1: false };
  const data = Buffer.from('zero key');
  const zero = Sender.frame(data, { ...base, generateMask: (buffer) => buffer.fill(0) });
  t.log('Sender', 'zero key', zero, zero[1] === data);
  t.log('Sender', 'rsv1', Sender.frame(data, { ...base, mask: false, rsv1: true, fin: false }));
  const random = Sender.frame(Buffer.alloc(4), base);
  t.log('Sender', 'random key', random.length, random[0].length);
});

scenario('1.6 PerMessageDeflate: offers and answers', 'api', (t) => {
  const { PerMessageDeflate, extension } = t.lib;
  t.log('deflate', 'name', PerMessageDeflate.extensionName);
  const settings = [
    {},
    { serverNoContextTakeover: true, clientNoContextTakeover: true },
    { serverMaxWindowBits: 10, clientMaxWindowBits: 11 },
    { serverMaxWindowBits: false, clientMaxWindowBits: false },
    { serverNoContextTakeover: false, clientNoContextTakeover: false }
  ];
  const headers = [
    'd',
    'd; client_max_window_bits',
    'd; client_max_window_bits=9',
    'd; server_max_window_bits=9',
    'd; server_no_context_takeover; client_no_context_takeover',
    'd; server_no_context_takeover=1',
    'd; server_max_window_bits',
    'd; server_max_window_bits=7',
    'd; client_max_window_bits=8; client_max_window_bits=9',
    'd; unknown',
    'd; server_no_context_takeover, d'
  ];
  for (const options of settings) {
    t.log('deflate', 'offer', new PerMessageDeflate(options).offer());
    for (const isServer of [true, false]) {
      for (const header of headers) {
        const one = new PerMessageDeflate({ ...options, isServer });
        t.attempt('deflate', `${isServer} ${header}`, () => one.accept(extension.parse(header).d));
        t.log('deflate', 'params', one.params);
      }
    }
  }
});

scenario('1.6 PerMessageDeflate: compress and decompress', 'api', async (t) => {
  const { PerMessageDeflate } = t.lib;
  const client = new PerMessageDeflate({ threshold: 0 });
  const server = new PerMessageDeflate({ isServer: true, maxPayload: 1000 });
  server.accept(
    [client.offer()].map((offer) => ({ client_max_window_bits: [offer.client_max_window_bits] }))
  );
  client.accept([{}]);
  const run = (one, call, data) =>
    new Promise((resolve) => one[call](data, true, (err, result) => resolve(err ?? result)));
  for (const payload of ['', 'hello', 'hello', 'x'.repeat(1000), 'x'.repeat(1001)]) {
    const small = await run(client, 'compress', Buffer.from(payload));
    t.log('deflate', 'compressed', small);
    t.log('deflate', 'inflated', await run(server, 'decompress', small));
  }
  t.log('deflate', 'broken', await run(server, 'decompress', Buffer.from([0xff, 0xff])));
  client.cleanup();
  server.cleanup();
});

scenario('1.9 extension and subprotocol: invalid headers', 'api', (t) => {
  const { extension, subprotocol } = t.lib;
  const headers = [
    '',
    ' ',
    ';',
    '=',
    'a;',
    'a;b=',
    'a;b="',
    'a;b="c',
    'a;b="\\',
    'a;b="c"d',
    'a, ,b'
  ];
  const more = ['a,a', '\u00e4', 'a;b=c d', 'a;;b', 'a\tb', 'constructor', '__proto__;__proto__=1'];
  for (const header of [...headers, ...more]) {
    t.attempt('extension', header, () => extension.parse(header));
    t.attempt('subprotocol', header, () => subprotocol.parse(header));
  }
  const parsed = extension.parse('a; constructor=1; b, a, toString');
  t.log(
    'extension',
    'prototypes',
    Object.getPrototypeOf(parsed),
    Object.getPrototypeOf(parsed.a[0])
  );
  t.log('extension', 'format', extension.format(parsed), extension.format({}));
});
