'use strict';

// Programs that close, terminate or drop a WebSocket while the attacker's bytes arrive, memory passed in either direction, and
// masking keys of a client (A14, A19, A20, A21, A25).

const { OPCODE, closeBody } = require('../../differential/frames');

const { continuation, text, binary, close, ping, pong } = OPCODE;

/** @typedef {import('../verdict').Attack} Attack */

/** Actions of a program in a listener. */
const ACTIONS = /** @type {[string, (ws: any) => void][]} */ ([
  ['terminate()', (ws) => ws.terminate()],
  ['close()', (ws) => ws.close(1000, 'enough')],
  ['close(), then terminate()', (ws) => (ws.close(), ws.terminate())],
  ['pause(), then terminate()', (ws) => (ws.pause(), ws.terminate())],
  ['destroying its socket', (ws) => ws._socket.destroy()]
]);

/** Bytes that cause each event. */
const EVENTS =
  /** @type {[string, (make: import('../verdict').Stage['make']) => Uint8Array][]} */ ([
    ['message', (make) => make(text, 'first')],
    ['ping', (make) => make(ping, 'first')],
    ['pong', (make) => make(pong, 'first')],
    ['error', (make) => make(text, 'first', { rsv: 1 })]
  ]);

/** @type {Attack[]} */
const attacks = ACTIONS.flatMap(([action, act]) =>
  EVENTS.map(([event, first]) => ({
    name: `A25 ${action} in a listener of '${event}', more in the same segment`,
    against: /** @type {const} */ ('both'),
    options: { autoPong: false },
    blurred: true,
    under: (ws) => ws.once(event, () => act(ws)),
    bytes: ({ make }) => [
      Buffer.concat([first(make), make(text, 'second'), make(binary, 'third', { rsv: 2 })])
    ]
  }))
);

attacks.push(
  {
    name: 'A14 a client uses a fresh key for each frame',
    against: 'client',
    play: async ({ t, ws, raw }) => {
      const keys = new Set();
      for (let i = 0; i < 300; i++) ws.send(i % 2 ? 'x' : Buffer.alloc(200));
      ws.ping();
      for (const { key } of await raw.framesThrough(ping)) keys.add(key.toString('hex'));
      t.log('wire', 'different keys', keys.size, 'zeros among them', keys.has('00000000'));
    }
  },
  {
    name: 'A14 keys of generateMask are used',
    against: 'client',
    options: { generateMask: (mask) => mask.fill(7) },
    play: async ({ t, ws, raw }) => {
      ws.send('x');
      ws.ping();
      for (const { key } of await raw.framesThrough(ping)) t.log('wire', 'key', key);
    }
  },
  {
    name: 'A19 numbers are text, typed arrays are no reasons',
    against: 'both',
    play: async ({ t, ws, raw, lane }) => {
      for (const data of [100, 0, 1e6]) {
        ws.ping(data);
        ws.pong(data);
        ws.send(data);
        t.logFrames(await raw.frame(), await raw.frame(), await raw.frame());
      }
      for (const Type of [Uint16Array, Uint32Array, Float64Array, DataView, ArrayBuffer]) {
        const reason = Type === DataView ? new DataView(new ArrayBuffer(8)) : new Type(8);
        t.attempt(lane, `close ${Type.name}`, () => ws.close(1000, reason));
      }
      ws.close(1000, Buffer.allocUnsafe(100).subarray(10, 13).fill('s'));
      t.logFrames(...(await raw.framesThrough(close)));
    }
  },
  {
    name: 'A20 delivered memory is not written again',
    against: 'both',
    under: (ws, { t, lane }) => {
      const kept = [];
      ws.on('message', (data) => kept.push(data));
      ws.on('ping', (data) => kept.push(data));
      ws.on('close', () => {
        t.log(
          lane,
          'mixed up',
          kept.filter((data) => data.some((byte) => byte !== data[0])).length
        );
        t.log(lane, 'kept', kept.length);
      });
    },
    bytes: ({ make }) =>
      Array.from({ length: 40 }, (_, i) => [
        make(binary, Buffer.alloc(i * 37, i)),
        make(ping, Buffer.alloc(100, i)),
        make(binary, Buffer.alloc(7000, i), { fin: false }),
        make(continuation, Buffer.alloc(9000, i))
      ]).flat()
  },
  {
    name: 'A20 sent memory is not masked in place',
    against: 'client',
    play: async ({ t, ws, raw }) => {
      const data = Buffer.alloc(5000, 'same');
      ws.send(data, { binary: true });
      ws.send(data, { binary: true });
      t.logFrames(await raw.frame(), await raw.frame());
      t.log('client', 'unchanged', data.equals(Buffer.alloc(5000, 'same')));
    }
  },
  {
    name: 'A21 a reason and a ping have memory of their own',
    against: 'both',
    under: (ws, { t, lane }) => {
      ws.on('close', (code, reason) => {
        t.log(lane, 'reason of a large buffer', reason.buffer.byteLength > 16384);
      });
    },
    bytes: ({ make }) => [
      Buffer.concat([make(binary, Buffer.alloc(30000)), make(close, closeBody(3000, 'a reason'))])
    ]
  },
  {
    name: 'A25 a program that throws in a listener',
    against: 'both',
    under: (ws, { t, lane }) => {
      ws.on('message', () => {
        t.attempt(lane, 'send', () => ws.send('x', { mask: 'no', fin: false }));
        t.attempt(lane, 'close', () => ws.close(99999));
        t.attempt(lane, 'ping', () => ws.ping('x'.repeat(126)));
      });
    },
    end: 'finish',
    bytes: ({ make }) => [make(text, 'go')]
  }
);

module.exports = attacks;
