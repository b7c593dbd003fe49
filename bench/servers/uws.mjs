// Server on uWebSockets.js, for Node. No timeouts or limits that a workload could reach.
import { createRequire } from 'node:module';

import { MAX_BYTES, broadcast, deflate, listening, takeover, tls, versionOf } from './process.mjs';

const PACKAGE = '../peers/node_modules/@btc-vision/uwebsockets.js';
const uws = createRequire(import.meta.url)(PACKAGE);
const version = versionOf(new URL(`${PACKAGE}/package.json`, import.meta.url));

// With takeover the largest window, as with ws. A dedicated compressor keeps its context even if
// the client requests otherwise.
const compression = takeover
  ? uws.DEDICATED_COMPRESSOR_256KB | uws.DEDICATED_DECOMPRESSOR_32KB
  : uws.SHARED_COMPRESSOR | uws.SHARED_DECOMPRESSOR;

const app = tls ? uws.SSLApp({ key_file_name: tls.key, cert_file_name: tls.cert }) : uws.App();
app.ws('/*', {
  compression: deflate ? compression : uws.DISABLED,
  idleTimeout: 0,
  maxPayloadLength: MAX_BYTES,
  maxBackpressure: MAX_BYTES,
  open(ws) {
    if (broadcast) ws.subscribe('all');
  },
  message(ws, data, isBinary) {
    if (broadcast) app.publish('all', data, isBinary, deflate);
    else ws.send(data, isBinary, deflate);
  }
});
app.listen('127.0.0.1', 0, (socket) => {
  if (!socket) throw new Error('uWebSockets.js cannot listen');
  listening(uws.us_socket_local_port(socket), `uWebSockets.js ${version}`);
});
