// A server with long computations that stays responsive: connections are on the main thread, computations on worker threads.
//
//   node examples/compute.mjs          HOST and PORT: 127.0.0.1:8080; WORKERS: threads, by default 2
//
// Answers a number with the count of primes below it, and echoes any other message.

import { Worker, isMainThread, parentPort } from 'node:worker_threads';
import { WebSocket, WebSocketServer } from 'ferrows';

const { HOST: host = '127.0.0.1', PORT: port = '8080', WORKERS = '2' } = process.env;

/** A long computation: counts primes by trial division. */
function countPrimes(limit) {
  let count = 0;
  for (let number = 2; number < limit; number += 1) {
    let divisor = 2;
    while (divisor * divisor <= number && number % divisor !== 0) divisor += 1;
    if (divisor * divisor > number) count += 1;
  }
  return count;
}

/** Worker threads, each of which runs one job at a time. */
class Pool {
  #workers;
  #next = 0;
  /** Resolve functions of the running jobs, by id. */
  #pending = new Map();
  #lastId = 0;

  constructor(size) {
    this.#workers = Array.from({ length: size }, () => {
      const worker = new Worker(new URL(import.meta.url));
      worker.on('message', ({ id, result }) => {
        this.#pending.get(id)(result);
        this.#pending.delete(id);
      });
      return worker;
    });
  }

  /** Runs a job on the next thread, round-robin. Resolves with the result. */
  run(input) {
    this.#lastId += 1;
    const id = this.#lastId;
    this.#next = (this.#next + 1) % this.#workers.length;
    this.#workers[this.#next].postMessage({ id, input });
    return new Promise((resolve) => {
      this.#pending.set(id, resolve);
    });
  }
}

function serve() {
  const pool = new Pool(Number(WORKERS));
  const server = new WebSocketServer({ host, port: Number(port), maxPayload: 64 });

  server.on('connection', (socket) => {
    socket.on('error', (error) => console.error(error.message));
    socket.on('message', async (data, isBinary) => {
      const limit = Number(data.toString());
      if (isBinary || !Number.isInteger(limit) || limit > 1e7) {
        socket.send(data, { binary: isBinary });
        return;
      }
      const count = await pool.run(limit);
      // The client may have disconnected meanwhile.
      if (socket.readyState === WebSocket.OPEN) socket.send(`${count} primes below ${limit}`);
    });
  });

  server.on('error', (error) => {
    console.error(`${error.message} (PORT sets another port)`);
    process.exit(1);
  });

  server.on('listening', () => console.log(`Listening on ws://${host}:${server.address().port}`));
}

function work() {
  parentPort.on('message', ({ id, input }) => {
    parentPort.postMessage({ id, result: countPrimes(input) });
  });
}

if (isMainThread) serve();
else work();
