// Client without a WebSocket library: http.request(), a close frame, and nothing checked. The lower bound of a client over it.
import { request } from 'node:http';
import net from 'node:net';
import { parseArgs } from 'node:util';

import { runOpening } from './opening.mjs';

/** Options of the request that the WebSocket libraries make, with the key of RFC 6455, section 1.3. */
const headers = {
  'Sec-WebSocket-Version': 13,
  'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
  Connection: 'Upgrade',
  Upgrade: 'websocket'
};

/** A masked close frame with status 1000. */
const CLOSE = Buffer.from([0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe8]);

const { values } = parseArgs({
  options: {
    ...Object.fromEntries(
      ['port', 'connections', 'in-flight', 'size', 'warm-up', 'seconds'].map((name) => [
        name,
        { type: 'string' }
      ])
    ),
    opening: { type: 'boolean' }
  }
});
const port = Number(values.port);

function open(opened, closed) {
  const req = request({ host: '127.0.0.1', port, headers, createConnection: net.connect });
  req.on('upgrade', (res, socket) => {
    opened();
    socket.on('close', closed);
    socket.resume();
    socket.write(CLOSE);
  });
  req.end();
}

await runOpening(
  {
    connections: Number(values.connections),
    warmUp: Number(values['warm-up']),
    seconds: Number(values.seconds)
  },
  `Node ${process.version}`,
  open
);
