// A server on each of several worker threads, in one process. Threads cannot share a port, so each has one of its own,
// with a proxy before them that spreads the clients (cluster.mjs shares one port, but in processes). A BroadcastChannel
// takes what a client of one thread says to all the others.
//
//   node examples/workers.mjs          HOST and PORT say where: 127.0.0.1:8080 and the ports behind it; WORKERS: 2
//
// For a program that computes for long, the other way round is better: compute.mjs.

import { Worker, isMainThread, parentPort, threadId, workerData } from 'node:worker_threads';
import { WebSocket, WebSocketServer } from 'ferrows';

const { HOST: host = '127.0.0.1', PORT = '8080', WORKERS = '2' } = process.env;

/** Starts the threads, and ends them. */
function main() {
  const port = Number(PORT);
  const workers = Array.from({ length: Number(WORKERS) }, (_, index) => {
    // 0 is any free port, for each.
    const worker = new Worker(new URL(import.meta.url), {
      workerData: { port: port && port + index }
    });
    worker.on('message', (url) => console.log(`Listening on ${url}`));
    worker.on('error', (error) => {
      console.error(error);
      process.exitCode = 1;
    });
    return worker;
  });

  for (const signal of ['SIGINT', 'SIGTERM']) {
    process.once(signal, () => {
      for (const worker of workers) worker.postMessage('stop');
    });
  }
}

/** Serves the clients of one thread. */
function serve() {
  const server = new WebSocketServer({ host, port: workerData.port });
  const room = new BroadcastChannel('room');

  const tell = (text) => {
    for (const client of server.clients) {
      if (client.readyState === WebSocket.OPEN) client.send(text);
    }
  };
  room.onmessage = ({ data }) => tell(data);

  server.on('connection', (socket) => {
    socket.on('error', (error) => console.error(error.message));
    socket.on('message', (data) => {
      const text = `${threadId}: ${data}`;
      tell(text);
      room.postMessage(text);
    });
    socket.send(`You are with thread ${threadId}`);
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
