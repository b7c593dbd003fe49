// A server on each of several worker threads. Threads cannot share a port, so each listens on its own, behind a proxy that
// distributes the clients (cluster.mjs shares one port between processes). A BroadcastChannel carries messages between threads.
//
//   node examples/workers.mjs          HOST and PORT: 127.0.0.1:8080 and the following ports; WORKERS: threads, by default 2
//
// For long computations see compute.mjs instead.

import { Worker, isMainThread, parentPort, threadId, workerData } from 'node:worker_threads';
import { WebSocket, WebSocketServer } from 'ferrows';

const { HOST: host = '127.0.0.1', PORT = '8080', WORKERS = '2' } = process.env;

/** Starts and stops the threads. */
function main() {
  const port = Number(PORT);
  const workers = Array.from({ length: Number(WORKERS) }, (_, index) => {
    // Port 0: any free port for each thread.
    const worker = new Worker(new URL(import.meta.url), {
      workerData: { port: port && port + index }
    });
    worker.on('message', (url) => console.log(`Listening on ${url}`));
    worker.on('error', (error) => {
      console.error(`${error.message} (PORT sets other ports)`);
      process.exit(1);
    });
    return worker;
  });

  for (const signal of ['SIGINT', 'SIGTERM']) {
    process.once(signal, () => {
      for (const worker of workers) worker.postMessage('stop');
    });
  }
}

/** Serves the clients of a thread. */
function serve() {
  const server = new WebSocketServer({ host, port: workerData.port });
  const room = new BroadcastChannel('room');

  const broadcast = (text) => {
    for (const client of server.clients) {
      if (client.readyState === WebSocket.OPEN) client.send(text);
    }
  };
  room.onmessage = ({ data }) => broadcast(data);

  server.on('connection', (socket) => {
    socket.on('error', (error) => console.error(error.message));
    socket.on('message', (data) => {
      const text = `${threadId}: ${data}`;
      broadcast(text);
      room.postMessage(text);
    });
    socket.send(`Connected to thread ${threadId}`);
  });

  server.on('listening', () => parentPort.postMessage(`ws://${host}:${server.address().port}`));

  parentPort.once('message', () => {
    room.close();
    server.close();
    for (const client of server.clients) client.close(1001, 'The server is shutting down');
  });
}

if (isMainThread) main();
else serve();
