'use strict';

// Ends of a connection under attack: bytes after a close frame, half-closes, RST at every step, and peers that never answer
// (A13, A17, A22; RFC 6455, section 7). Close codes and reasons are in control.js.

const { OPCODE, closeBody } = require('../../differential/frames');
const { upgradeRequest } = require('../../differential/raw-peer');

const { continuation, text, binary, close, ping } = OPCODE;

/** @typedef {import('../verdict').Attack} Attack */

const REQUEST = upgradeRequest();

/** Bytes after a close frame, which must be ignored. */
const AFTER = /** @type {[string, (make: import('../verdict').Stage['make']) => Uint8Array][]} */ ([
  ['a text', (make) => make(text, 'late')],
  ['a ping', (make) => make(ping, 'late')],
  ['a second close', (make) => make(close, closeBody(3000, 'other'))],
  ['a frame with reserved bits', (make) => make(text, 'x', { rsv: 7 })],
  ['half a frame', (make) => make(text, 'x'.repeat(100)).subarray(0, 50)],
  ['bytes that are no frame', () => Buffer.from('GET / HTTP/1.1\r\n\r\n')],
  ['a megabyte', (make) => make(binary, Buffer.alloc(1 << 20))],
  ['2^63 declared bytes', (make) => make(binary, '', { declare: 2n ** 63n })]
]);

/** @type {Attack[]} */
const attacks = AFTER.flatMap(([name, after]) =>
  [true, false].map((inOne) => ({
    name: `A13 ${name} after a close, in ${inOne ? 'the same segment' : 'another segment'}`,
    against: /** @type {const} */ ('both'),
    bytes: ({ make }) => {
      const all = [make(close, closeBody(1000, 'bye')), after(make)];
      return inOne ? [Buffer.concat(all)] : all;
    }
  }))
);

for (const [name, after] of AFTER) {
  attacks.push({
    name: `A13 ${name} after an invalid frame`,
    against: 'both',
    end: 'wait',
    bytes: ({ make }) => [Buffer.concat([make(text, 'x', { rsv: 1 }), after(make)])]
  });
}

/** Steps of a connection at which the attacker disconnects: the bytes sent since its last response. */
const STEPS = /** @type {[string, (make: import('../verdict').Stage['make']) => Uint8Array][]} */ ([
  ['an idle connection', () => Buffer.alloc(0)],
  ['the first byte of a head', (make) => make(text, 'abc').subarray(0, 1)],
  ['amid a length', (make) => make(text, 'x'.repeat(300)).subarray(0, 3)],
  ['amid a payload', (make) => make(text, 'x'.repeat(300)).subarray(0, 100)],
  ['within a message', (make) => make(text, 'half', { fin: false })],
  [
    'amid a later fragment',
    (make) =>
      Buffer.concat([
        make(text, 'half', { fin: false }),
        make(continuation, 'x'.repeat(300)).subarray(0, 100)
      ])
  ],
  ['amid a close', (make) => make(close, closeBody(1000, 'bye')).subarray(0, 4)]
]);

for (const end of /** @type {('reset' | 'finish')[]} */ (['reset', 'finish'])) {
  for (const [name, last] of STEPS) {
    attacks.push({
      name: `A25 ${end === 'reset' ? 'RST' : 'FIN'} after ${name}`,
      against: 'both',
      end,
      play: async ({ raw, make, write }) => {
        await write(make(ping, 'there?'));
        await raw.frame();
        await write(last(make));
      }
    });
    attacks.push({
      name: `A25 ${end === 'reset' ? 'RST' : 'FIN'} after ${name}, the program closing`,
      against: 'both',
      end,
      play: async ({ raw, ws, make, write }) => {
        ws.close(1001, 'going');
        await raw.frame();
        await write(last(make));
      }
    });
  }
  for (const length of [0, 1, 10, REQUEST.length - 2]) {
    attacks.push({
      name: `A7 ${end === 'reset' ? 'RST' : 'FIN'} after ${length} bytes of a request`,
      against: 'server',
      at: 'request',
      end,
      bytes: () => [REQUEST.slice(0, length)]
    });
  }
  for (const length of [0, 1, 10, 60]) {
    attacks.push({
      name: `A7 ${end === 'reset' ? 'RST' : 'FIN'} after ${length} bytes of a response`,
      against: 'client',
      at: 'response',
      end,
      bytes: () => [
        'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n'.slice(
          0,
          length
        )
      ]
    });
  }
}

attacks.push(
  {
    name: 'A22 a close that is never answered',
    against: 'both',
    options: { closeTimeout: 50 },
    end: 'wait',
    play: async ({ ws }) => ws.close(1000)
  },
  {
    name: 'A22 a close that is answered by endless data',
    against: 'both',
    options: { closeTimeout: 50 },
    blurred: true,
    play: async ({ raw, ws, make, write }) => {
      ws.removeAllListeners('message');
      ws.close(1000);
      while (!raw.closed && !raw.ended) await write(make(text, 'and on it goes'));
    }
  },
  {
    name: 'A22 a close that is answered within a message',
    against: 'both',
    play: async ({ raw, ws, make, write }) => {
      ws.close(1000);
      await raw.frame();
      await write(make(text, 'half', { fin: false }), make(close, closeBody(1000)));
    }
  },
  {
    name: 'A22 a close that is answered by an invalid frame',
    against: 'both',
    end: 'wait',
    play: async ({ raw, ws, make, write }) => {
      ws.close(1000);
      await raw.frame();
      await write(make(text, 'x', { rsv: 1 }));
    }
  }
);

module.exports = attacks;
