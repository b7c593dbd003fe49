// One server on all cores: node:cluster starts a process for each, they share one port, and what a client of one says
// reaches the clients of all, through the process that started them.
//
//   node examples/cluster.mjs          HOST and PORT say where: 127.0.0.1:8080; WORKERS how many: one a core
//
// A worker that dies is replaced; its clients connect again, and get to another one.

import cluster from 'node:cluster';
import { availableParallelism } from 'node:os';
import { WebSocket, WebSocketServer } from 'ferrows';

const { HOST: host = '127.0.0.1', PORT: port = '8080', WORKERS } = process.env;

/** Starts the workers, and hands on what they tell. It serves nobody itself. */
function lead() {
  const count = Number(WORKERS ?? availableParallelism());
  /** Those that serve: one that never came so far would not do better the next time. */
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
      console.log(`Process ${worker.process.pid} has ended: here is another one.`);
      cluster.fork();
    } else if (!isStopping) {
      process.exitCode = 1;
      stop();
    }
  });

  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
}

/** Serves the clients that come to this process. */
function serve() {
  const server = new WebSocketServer({ host, port: Number(port) });

  server.on('connection', (socket) => {
    socket.on('error', (error) => console.error(error.message));
    socket.on('message', (data) => process.send(`${process.pid}: ${data}`));
    socket.send(`You are with process ${process.pid}`);
  });

  process.on('message', (text) => {
    for (const client of server.clients) {
      if (client.readyState === WebSocket.OPEN) client.send(text);
    }
  });

  // Ctrl-C reaches all processes of a terminal; the first one tells the others.
  process.on('SIGINT', () => {});
  process.once('SIGTERM', () => {
    server.close(() => process.disconnect());
    for (const client of server.clients) client.close(1001, 'The server is shutting down');
  });
}

if (cluster.isPrimary) lead();
else serve();
