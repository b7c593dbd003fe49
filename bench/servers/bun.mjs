// Server on Bun's own WebSocket, which its import of ws wraps. No timeouts or limits that a
// workload could reach. BUN_DEFLATE selects the kind of compressor and decompressor: `dedicated` is
// one of each for every connection.
/* global Bun */
import { MAX_BYTES, broadcast, deflate, listening, tls } from './process.mjs';

const kind = process.env.BUN_DEFLATE;

const server = Bun.serve({
  hostname: '127.0.0.1',
  port: 0,
  tls: tls && { key: Bun.file(tls.key), cert: Bun.file(tls.cert) },
  fetch(request, self) {
    return self.upgrade(request) ? undefined : new Response(null, { status: 426 });
  },
  websocket: {
    perMessageDeflate: deflate && kind ? { compress: kind, decompress: kind } : deflate,
    idleTimeout: 0,
    maxPayloadLength: MAX_BYTES,
    backpressureLimit: MAX_BYTES,
    open(ws) {
      if (broadcast) ws.subscribe('all');
    },
    message(ws, data) {
      if (broadcast) server.publish('all', data, deflate);
      else ws.send(data, deflate);
    }
  }
});
listening(server.port, `Bun ${Bun.version}${kind ? ` with ${kind} compression` : ''}`);
