// The clients of run.mjs, as bytes on sockets: `node client.mjs PORT CONNECTIONS [deflate]`. Reads commands as
// lines, and answers each with a line of JSON. Pings are answered.
import { once } from 'node:events';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { constants, deflateRawSync } from 'node:zlib';

/** Connections that are opened at a time. */
const PARALLEL = 50;
const BURST_MESSAGES = 58;
const KIB = 1024;
const KEY = Buffer.from([1, 2, 3, 4]);

const [port, count, deflate] = [...process.argv.slice(2, 4).map(Number), process.argv[4]];

function frame(first, payload) {
  const length = payload.length;
  const header = length < 126 ? [first, 0x80 | length] : [first, 0xfe, length >> 8, length & 0xff];
  const masked = payload.map((byte, index) => byte ^ KEY[index % 4]);
  return Buffer.concat([Buffer.from(header), KEY, masked]);
}

const PONG = frame(0x8a, Buffer.alloc(0));

class Client {
  received = 0;
  #wanted = Infinity;
  #arrived = null;

  async open() {
    this.socket = connect(port, '127.0.0.1');
    await once(this.socket, 'connect');
    const extension = deflate ? 'Sec-WebSocket-Extensions: permessage-deflate\r\n' : '';
    this.socket.write(
      `GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n${extension}` +
        'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n'
    );
    const [head] = await once(this.socket, 'data');
    if (!head.toString('latin1').endsWith('\r\n\r\n')) throw new Error('bytes behind the head');
    this.socket.on('data', (chunk) => this.#take(chunk));
  }

  #take(chunk) {
    // Unmasked pings without a payload come alone.
    if (chunk.length === 2 && chunk[0] === 0x89) {
      this.socket.write(PONG);
      return;
    }
    this.received += chunk.length;
    if (this.received >= this.#wanted) this.#arrived();
  }

  /** Sends bytes, and waits until `length` bytes have come back. */
  exchange(bytes, length) {
    this.#wanted = this.received + length;
    const arrived = new Promise((resolve) => (this.#arrived = resolve));
    this.socket.write(bytes);
    return arrived;
  }
}

const clients = [];
while (clients.length < count) {
  const next = Array.from(
    { length: Math.min(PARALLEL, count - clients.length) },
    () => new Client()
  );
  await Promise.all(next.map((client) => client.open()));
  clients.push(...next);
}

const COMMANDS = {
  /** A burst of messages on each connection, three times; all are echoed. */
  async burst() {
    const message = frame(0x82, Buffer.alloc(KIB, 7));
    const burst = Buffer.concat(Array(BURST_MESSAGES).fill(message));
    // The key is missing in the other direction.
    const length = burst.length - BURST_MESSAGES * KEY.length;
    for (let round = 0; round < 3; round++) {
      await Promise.all(clients.map((client) => client.exchange(burst, length)));
    }
  },

  /** Messages of 2 KiB, compressed, six on each connection. */
  async talk() {
    for (let round = 0; round < 6; round++) {
      const text = JSON.stringify(Array.from({ length: 60 }, () => ({ id: Math.random(), round })));
      const raw = deflateRawSync(text, { finishFlush: constants.Z_SYNC_FLUSH });
      const message = frame(0xc1, raw.subarray(0, -4));
      for (let first = 0; first < clients.length; first += PARALLEL) {
        const next = clients.slice(first, first + PARALLEL);
        await Promise.all(next.map((client) => client.exchange(message, 2)));
      }
    }
  }
};

console.log(JSON.stringify({ clients: clients.length }));
const lines = createInterface({ input: process.stdin });
lines.on('line', async (line) => {
  await COMMANDS[line]();
  console.log('{}');
});
lines.on('close', () => process.exit());
