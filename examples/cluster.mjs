// A server on all cores: node:cluster starts one process per core, which share a port. The primary process forwards messages
// between them.
//
//   node examples/cluster.mjs          HOST and PORT: 127.0.0.1:8080; WORKERS: processes, by default one per core
//
// A worker that dies is replaced; its clients reconnect to another one.

import cluster from 'node:cluster';
import { availableParallelism } from 'node:os';
import { WebSocket, WebSocketServer } from 'ferrows';

const { HOST: host = '127.0.0.1', PORT: port = '8080', WORKERS } = process.env;

/** Starts the workers and forwards their messages. Accepts no connections itself. */
function lead() {
  const count = Number(WORKERS ?? availableParallelism());
  /** Workers that listen. A worker that fails before is not replaced: its replacement would fail too. */
  const serving = new Set();
  let isStopping = false;

  const stop = () => {
    isStopping = true;
    for (const worker of Object.values(cluster.workers)) worker.process.kill('SIGTERM');
  };

  for (let index = 0; index < count; index += 1) cluster.fork();

  cluster.on('listening', (worker, { port: shared }) => {
    serving.add(worker);
    console.log(`Process ${worker.process.pid} listens on ws://${host}:${shared}`);
  });

  cluster.on('message', (from, text) => {
    for (const worker of serving) worker.send(text);
  });

  cluster.on('disconnect', (worker) => {
    if (serving.delete(worker) && !isStopping) {
      console.log(`Process ${worker.process.pid} has ended: starting another one.`);
      cluster.fork();
    } else if (!isStopping) {
      process.exitCode = 1;
      stop();
    }
  });

  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
}

/** Serves the clients of a worker process. */
function serve() {
  const server = new WebSocketServer({ host, port: Number(port) });

  server.on('connection', (socket) => {
    socket.on('error', (error) => console.error(error.message));
    socket.on('message', (data) => process.send(`${process.pid}: ${data}`));
    socket.send(`Connected to process ${process.pid}`);
  });

  server.on('error', (error) => {
    console.error(`${error.message} (PORT sets another port)`);
    process.exit(1);
  });

  process.on('message', (text) => {
    for (const client of server.clients) {
      if (client.readyState === WebSocket.OPEN) client.send(text);
    }
  });

  // Ctrl-C sends SIGINT to all processes of the terminal. Workers wait for SIGTERM from the primary.
  process.on('SIGINT', () => {});
  process.once('SIGTERM', () => {
    server.close(() => process.disconnect());
    for (const client of server.clients) client.close(1001, 'The server is shutting down');
  });
}

if (cluster.isPrimary) lead();
else serve();
