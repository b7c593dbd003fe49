'use strict';

// A server that ends as Kubernetes expects: on SIGTERM it reports that it is not ready, waits until no new clients are sent to it, and then
// closes its connections one after the other, so that their clients do not all reconnect to the other servers at once. No message that it has
// acknowledged is lost.
//
//   node examples/graceful-shutdown.js    HOST and PORT set the address, by default 127.0.0.1:8080
//
// The part of the pod that goes with it. terminationGracePeriodSeconds must be longer than DRAIN, OVER and TIMEOUT together:
//
//   terminationGracePeriodSeconds: 45
//   containers:
//     - readinessProbe: { httpGet: { path: /ready, port: 8080 }, periodSeconds: 2 }
//       livenessProbe: { httpGet: { path: /live, port: 8080 } }

const { createServer } = require('http');
const { WebSocketServer, shutdown } = require('ferrows');

const { HOST: host = '127.0.0.1', PORT = '8080' } = process.env;

/** Milliseconds until all proxies know that this server is not ready. */
const DRAIN = Number(process.env.DRAIN ?? 5000);
/** Milliseconds over which connections are closed, and that a connection may take to close. */
const OVER = Number(process.env.OVER ?? 20_000);
const TIMEOUT = Number(process.env.TIMEOUT ?? 10_000);

let isReady = true;

const server = createServer((request, response) => {
  const isHealthy = request.url === '/ready' ? isReady : request.url === '/live';
  response.writeHead(isHealthy ? 200 : 503, { 'Content-Type': 'text/plain' });
  response.end(isHealthy ? 'yes\n' : 'no\n');
});

const sockets = new WebSocketServer({ server });

sockets.on('connection', (socket) => {
  socket.on('error', (error) => console.error(error.message));
  // The answer is the acknowledgement. A message after the close frame gets none: the client sends it to another server.
  socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
});

async function stop() {
  isReady = false;
  console.log('Not ready');
  await new Promise((resolve) => setTimeout(resolve, DRAIN));

  // A second signal ends all connections at once. So does the end of the grace period, by SIGKILL.
  const controller = new AbortController();
  process.on('SIGTERM', () => controller.abort());
  const { closed, lost, terminated } = await shutdown(sockets, {
    reason: 'restarting',
    over: OVER,
    timeout: TIMEOUT,
    signal: controller.signal
  });
  console.log(`Closed ${closed}, lost ${lost}, terminated ${terminated}`);
  // The listener for SIGTERM does not keep the process running, and nothing else is left.
}

process.once('SIGTERM', stop);

sockets.on('error', (error) => {
  console.error(`${error.message} (PORT sets another port)`);
  process.exit(1);
});

server.listen(Number(PORT), host, () => {
  console.log(`Listening on ws://${host}:${server.address().port}`);
});
