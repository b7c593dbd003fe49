// The attacks: the bytes sent by a connection after its handshake, and the number of connections.
// Played by run.mjs. The responses are checked by the suites in __test__, not here.
import { createRequire } from 'node:module';
import { deflateRawSync, constants } from 'node:zlib';

const require = createRequire(import.meta.url);
const { OPCODE, frame } = require('../../__test__/differential/frames.js');

const KEY = Buffer.from([1, 2, 3, 4]);
const { text, binary, continuation, ping } = OPCODE;
const MIB = 1024 * 1024;

/** A client frame. */
const masked = (opcode, payload, options = {}) => frame(opcode, payload, { key: KEY, ...options });

/** Payload of a compressed frame that inflates to `length` zeros. */
const bomb = (length) =>
  deflateRawSync(Buffer.alloc(length), { level: 9, finishFlush: constants.Z_SYNC_FLUSH });

const RSV1 = 0x40;

/** @param {Buffer} bytes of a frame; @returns {Buffer} the same with RSV1 set */
function compressed(bytes) {
  bytes[0] |= RSV1;
  return bytes;
}

/**
 * @typedef {object} Attack
 * @property {string} name
 * @property {number} connections
 * @property {() => Buffer} bytes sent by one connection after its handshake
 * @property {boolean} [deflate] offers permessage-deflate, which the server accepts
 * @property {boolean} [unread] never reads the answers
 */

/** @type {Attack[]} */
export const ATTACKS = [
  { name: 'a connection that says nothing', connections: 1000, bytes: () => Buffer.alloc(0) },
  {
    name: 'half a header',
    connections: 1000,
    bytes: () => masked(binary, '', { declare: 100 * MIB }).subarray(0, 7)
  },
  {
    name: 'a header that declares 100 MiB, and 1 KiB',
    connections: 500,
    bytes: () => masked(binary, Buffer.alloc(1024), { declare: 100 * MIB })
  },
  {
    name: '1 MiB of a message of 100 MiB',
    connections: 50,
    bytes: () => masked(binary, Buffer.alloc(MIB), { declare: 100 * MIB })
  },
  {
    name: '1 MiB of a message of 4 MiB',
    connections: 50,
    bytes: () => masked(binary, Buffer.alloc(MIB), { declare: 4 * MIB })
  },
  {
    name: '16,000 fragments of 1 byte',
    connections: 50,
    bytes: () => {
      const next = masked(continuation, 'x', { fin: false });
      return Buffer.concat([masked(text, 'x', { fin: false }), ...new Array(15_999).fill(next)]);
    }
  },
  {
    name: 'a compressed fragment of 10 KiB that is 10 MiB',
    connections: 10,
    deflate: true,
    bytes: () => compressed(masked(binary, bomb(10 * MIB), { fin: false }))
  },
  {
    name: 'a compressed message that is 200 MiB',
    connections: 5,
    deflate: true,
    bytes: () => compressed(masked(binary, bomb(200 * MIB).subarray(0, -4)))
  },
  {
    name: 'a compressed message of 2 KiB, echoed, then silence',
    connections: 500,
    deflate: true,
    bytes: () => {
      const message = Buffer.from(JSON.stringify(Array.from({ length: 300 }, (_, i) => i * 7919)));
      const payload = deflateRawSync(message, { finishFlush: constants.Z_SYNC_FLUSH }).subarray(
        0,
        -4
      );
      return compressed(masked(text, payload));
    }
  },
  {
    name: '5,000 pings of 125 bytes, pongs unread',
    connections: 50,
    unread: true,
    bytes: () => Buffer.concat(new Array(5000).fill(masked(ping, Buffer.alloc(125))))
  },
  {
    name: '50,000 empty messages',
    connections: 20,
    bytes: () => Buffer.concat(new Array(50_000).fill(masked(binary, '')))
  },
  {
    name: '100,000 unsolicited pongs',
    connections: 20,
    bytes: () => Buffer.concat(new Array(100_000).fill(masked(OPCODE.pong, '')))
  },
  {
    name: 'messages of 16 MiB in all, echoes unread',
    connections: 10,
    unread: true,
    bytes: () => Buffer.concat(new Array(256).fill(masked(binary, Buffer.alloc(64 * 1024))))
  }
];
