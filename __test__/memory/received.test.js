'use strict';

// The memory of received bytes, with ws as the control: it contains bytes of its own connection only, can be transferred
// without effect on anything else, and is no more than with ws.

const assert = require('node:assert/strict');
const { on, once } = require('node:events');
const test = require('node:test');
const v8 = require('node:v8');
const vm = require('node:vm');
const ferrows = require('ferrows');
const ws = require('ws');
const { connect, end, listen } = require('../transport/pairs');

const SIZES = [
  0,
  1,
  8,
  63,
  64,
  65,
  125,
  126,
  1024,
  4095,
  4096,
  16384,
  65535,
  65536,
  65537,
  1 << 20
];
const LETTERS = ['A', 'B', 'C'];

/** Options of both ends. */
const KINDS = {
  plain: {},
  compressed: { perMessageDeflate: { threshold: 0 } }
};

v8.setFlagsFromString('--expose-gc');
const gc = vm.runInNewContext('gc');

/**
 * Three connections, each with a letter of which all its received bytes consist.
 *
 * @param {any} library
 * @param {'server' | 'client'} role that receives
 * @param {object} options of both ends
 */
async function open(library, role, options) {
  const wss = await listen(library, options);
  const connections = [];
  for (const letter of LETTERS) {
    const [server, client] = await connect(library, wss, options);
    const [receiver, sender] = role === 'server' ? [server, client] : [client, server];
    connections.push({ letter, receiver, sender });
  }
  return { wss, connections, close: () => end(wss, ...connections.map(({ sender }) => sender)) };
}

/** True if memory contains only this letter or zeros. */
function isOwn(memory, letter) {
  const code = letter.charCodeAt(0);
  return new Uint8Array(memory).every((byte) => byte === code || byte === 0);
}

/** Sends a message in a form selected by `number`: text or binary, in one frame or in three. */
function send(sender, letter, size, number) {
  const data = Buffer.alloc(size, letter);
  const binary = number % 2 === 0;
  if (number % 3 !== 0) {
    sender.send(data, { binary });
    return;
  }
  const [first, second] = [Math.floor(size / 3), Math.floor(size / 2)];
  sender.send(data.subarray(0, first), { binary, fin: false });
  sender.send(data.subarray(first, second), { binary, fin: false });
  sender.send(data.subarray(second), { binary, fin: true });
}

/** Collects `count` of the events of an emitter. */
async function collect(emitter, event, count, received) {
  let left = count;
  for await (const values of on(emitter, event)) {
    received(...values);
    if (--left === 0) return;
  }
}

for (const role of /** @type {const} */ (['server', 'client'])) {
  for (const [kind, options] of Object.entries(KINDS)) {
    test(`messages show bytes of their own connection only (${role}, ${kind})`, async () => {
      const { connections, close } = await open(ferrows, role, options);
      const all = connections.map(async ({ letter, receiver, sender }) => {
        const seen = [];
        const come = collect(receiver, 'message', 3 * SIZES.length, (data) => seen.push(data));
        for (const size of SIZES) {
          for (let number = 0; number < 3; number++) send(sender, letter, size, number);
          // Lets other connections run.
          await new Promise(setImmediate);
        }
        await come;
        for (const [index, data] of seen.entries()) {
          assert.equal(data.length, SIZES[Math.floor(index / 3)]);
          assert.ok(data.every((byte) => byte === letter.charCodeAt(0)));
          assert.ok(isOwn(data.buffer, letter), `message of ${data.length} bytes`);
        }
      });
      await Promise.all(all);
      await close();
    });

    test(`a message can be transferred without effect on later ones (${role}, ${kind})`, async () => {
      const { connections, close } = await open(ferrows, role, options);
      for (const size of SIZES) {
        for (const { letter, receiver, sender } of connections) {
          const kept = connections.map(async (other) => {
            const come = once(other.receiver, 'message');
            other.sender.send(Buffer.alloc(size, other.letter));
            return { letter: other.letter, data: (await come)[0] };
          });
          const others = await Promise.all(kept);
          const come = once(receiver, 'message');
          sender.send(Buffer.alloc(size, letter));
          const [data] = await come;
          const moved = structuredClone(data, { transfer: [data.buffer] });
          assert.equal(Buffer.compare(moved, Buffer.alloc(size, letter)), 0);
          assert.equal(data.length, 0);
          for (const other of others) {
            assert.equal(Buffer.compare(other.data, Buffer.alloc(size, other.letter)), 0);
          }
        }
      }
      await close();
    });
  }

  test(`a transfer during a delivery affects no other connection (${role})`, async () => {
    const { connections, close } = await open(ferrows, role, {});
    const [first, ...others] = connections;
    for (const size of [10, 100, 5000]) {
      const seen = others.map(({ receiver }) => {
        const messages = [];
        return collect(receiver, 'message', 20, (data) => messages.push(data)).then(() => messages);
      });
      const come = new Promise((resolve) => {
        let count = 0;
        first.receiver.on('message', function listener(data) {
          if (data.buffer.byteLength > 0) structuredClone(data, { transfer: [data.buffer] });
          if (++count < 20) return;
          first.receiver.off('message', listener);
          resolve(undefined);
        });
      });
      for (let number = 0; number < 20; number++) {
        for (const { letter, sender } of connections) sender.send(Buffer.alloc(size, letter));
      }
      await come;
      for (const [index, messages] of (await Promise.all(seen)).entries()) {
        const whole = Buffer.alloc(size, others[index].letter);
        for (const data of messages) assert.equal(Buffer.compare(data, whole), 0);
      }
    }
    await close();
  });

  test(`pings, pongs and reasons show bytes of their own connection only (${role})`, async () => {
    const { wss, connections } = await open(ferrows, role, {});
    for (const size of [0, 1, 64, 65, 125]) {
      for (const event of ['ping', 'pong']) {
        await Promise.all(
          connections.map(async ({ letter, receiver, sender }) => {
            const come = once(receiver, event);
            sender[event](Buffer.alloc(size, letter));
            const [data] = await come;
            assert.equal(Buffer.compare(data, Buffer.alloc(size, letter)), 0);
            assert.ok(isOwn(data.buffer, letter));
          })
        );
      }
    }
    await Promise.all(
      connections.map(async ({ letter, receiver, sender }, index) => {
        const come = once(receiver, 'close');
        sender.close(1000, letter.repeat([1, 65, 123][index]));
        const [, reason] = await come;
        assert.equal(reason.toString(), letter.repeat([1, 65, 123][index]));
        assert.ok(isOwn(reason.buffer, letter));
        assert.ok(isOwn(receiver._closeMessage.buffer, letter));
      })
    );
    await end(wss);
  });
}

test('every binaryType shows bytes of its own connection only', async () => {
  const { connections, close } = await open(ferrows, 'client', {});
  for (const binaryType of ['arraybuffer', 'fragments']) {
    for (const size of [1, 64, 65, 5000, 70000]) {
      await Promise.all(
        connections.map(async ({ letter, receiver, sender }) => {
          receiver.binaryType = binaryType;
          const come = once(receiver, 'message');
          send(sender, letter, size, 0);
          const [data] = await come;
          if (binaryType === 'arraybuffer') assert.equal(data.byteLength, size);
          const parts = binaryType === 'arraybuffer' ? [data] : data.map(({ buffer }) => buffer);
          for (const memory of parts) assert.ok(isOwn(memory, letter));
        })
      );
    }
  }
  await close();
});

test('received bytes of a socket show those of their own connection only', async () => {
  const { connections, close } = await open(ferrows, 'client', {});
  const seen = connections.map(({ letter, receiver }) => {
    const chunks = [];
    receiver._socket.on('data', (chunk) => chunks.push(chunk));
    return { letter, chunks };
  });
  for (const size of [10, 100, 20000, 100000]) {
    await Promise.all(
      connections.map(async ({ letter, receiver, sender }) => {
        const come = once(receiver, 'message');
        sender.send(Buffer.alloc(size, letter));
        await come;
      })
    );
  }
  for (const { letter, chunks } of seen) {
    assert.ok(chunks.length > 0);
    for (const other of LETTERS.filter((own) => own !== letter)) {
      for (const { buffer } of chunks) assert.ok(!Buffer.from(buffer).includes(other.repeat(8)));
    }
  }
  await close();
});

test('output over a stream has memory of its own', async () => {
  const wss = await listen(ferrows, {});
  const written = [];
  // Wrapped, so that it is a stream over every transport.
  wss._server.on('connection', (socket) => {
    const { write } = socket;
    socket.write = function (chunk, ...rest) {
      if (Buffer.isBuffer(chunk)) written.push(chunk);
      return write.call(this, chunk, ...rest);
    };
  });
  const [server, client] = await connect(ferrows, wss);
  for (const size of [0, 1, 64, 65, 5000, 100000]) {
    const come = once(client, 'message');
    server.send(Buffer.alloc(size, 'A'));
    await come;
  }
  assert.ok(written.length >= 6);
  for (const chunk of written) assert.equal(chunk.buffer.byteLength, chunk.length);
  await end(wss, client);
});

/** Bytes outside of the heap after garbage collection. */
async function external() {
  let last = Infinity;
  for (;;) {
    gc();
    await new Promise(setImmediate);
    const now = process.memoryUsage().arrayBuffers;
    if (now >= last) return now;
    last = now;
  }
}

/** Bytes pinned by kept messages of 1 KiB, each received by itself. */
async function pinned(library, role) {
  const { connections, close } = await open(library, role, {});
  const [{ receiver, sender }] = connections;
  const data = Buffer.alloc(1024, 'x');
  const kept = [];
  const exchange = async () => {
    const come = once(receiver, 'message');
    sender.send(data);
    return (await come)[0];
  };
  for (let number = 0; number < 10; number++) await exchange();
  const before = await external();
  for (let number = 0; number < 1000; number++) kept.push(await exchange());
  const bytes = (await external()) - before;
  assert.equal(kept.length, 1000);
  await close();
  return bytes;
}

for (const role of /** @type {const} */ (['server', 'client'])) {
  test(`kept messages pin no more than with ws (${role})`, async () => {
    const most = await pinned(ws, role);
    const bytes = await pinned(ferrows, role);
    assert.ok(bytes <= most, `${bytes} bytes, with ws ${most}`);
    // Earlier ones may have been collected meanwhile.
    assert.ok(bytes >= 990 * 1024, `${bytes} bytes`);
  });
}
