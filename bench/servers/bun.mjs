// The server on Bun's own WebSocket, run by Bun: its import of ws would give the same in the clothes of ws.
// Without compression, time-outs or a limit that a workload could meet.
/* global Bun */
import { MAX_BYTES, broadcast, listening, tls } from './process.mjs';

const server = Bun.serve({
  hostname: '127.0.0.1',
  port: 0,
  tls: tls && { key: Bun.file(tls.key), cert: Bun.file(tls.cert) },
  fetch(request, self) {
    return self.upgrade(request) ? undefined : new Response(null, { status: 426 });
  },
  websocket: {
    perMessageDeflate: false,
    idleTimeout: 0,
    maxPayloadLength: MAX_BYTES,
    backpressureLimit: MAX_BYTES,
    open(ws) {
      if (broadcast) ws.subscribe('all');
    },
    message(ws, data) {
      if (broadcast) server.publish('all', data);
      else ws.send(data);
    }
  }
});
listening(server.port, `Bun ${Bun.version}`);
