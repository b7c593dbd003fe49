// Server on a library with the API of ws. Used by ws.mjs and ferrows.mjs.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';

import { broadcast, deflate, listening, tls, work } from './process.mjs';

let state = 1;

/** Runs steps of a xorshift generator, whose state is global: none can be left out. */
function compute(steps) {
  for (let step = 0; step < steps; step++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
  }
}

/**
 * @param {{ WebSocketServer: Function, version: string }} library used with its defaults
 * @returns the server
 */
export function serve({ WebSocketServer, version }) {
  const options = { perMessageDeflate: deflate };
  let server;
  if (tls) {
    const https = createServer({ key: readFileSync(tls.key), cert: readFileSync(tls.cert) });
    server = new WebSocketServer({ ...options, server: https });
    https.listen(0, '127.0.0.1');
  } else {
    server = new WebSocketServer({ ...options, host: '127.0.0.1', port: 0 });
  }

  server.on('listening', () => listening(server.address().port, version));
  server.on('connection', (ws) => {
    ws.on('message', (data, isBinary) => {
      if (work > 0) compute(1000 * work);
      if (broadcast) {
        for (const client of server.clients) client.send(data, { binary: isBinary });
      } else {
        ws.send(data, { binary: isBinary });
      }
    });
  });
  return server;
}
