// A server that computes for long and yet answers everybody: the sockets stay on the main thread, the work goes to worker
// threads, and each answer is sent when it comes.
//
//   node examples/compute.mjs          HOST and PORT say where: 127.0.0.1:8080; WORKERS how many threads work: 2
//
// A client sends a number and gets how many primes there are below it; anything else comes back at once.

import { Worker, isMainThread, parentPort } from 'node:worker_threads';
import { WebSocket, WebSocketServer } from 'ferrows';

const { HOST: host = '127.0.0.1', PORT: port = '8080', WORKERS = '2' } = process.env;

/** What takes long: by trying, on purpose. */
function countPrimes(limit) {
  let count = 0;
  for (let number = 2; number < limit; number += 1) {
    let divisor = 2;
    while (divisor * divisor <= number && number % divisor !== 0) divisor += 1;
    if (divisor * divisor > number) count += 1;
  }
  return count;
}

/** Threads that compute, each one thing after the other. */
class Pool {
  #workers;
  #next = 0;
  /** Who waits for which answer. */
  #waiting = new Map();
  #asked = 0;

  constructor(size) {
    this.#workers = Array.from({ length: size }, () => {
      const worker = new Worker(new URL(import.meta.url));
      worker.on('message', ({ id, result }) => {
        this.#waiting.get(id)(result);
        this.#waiting.delete(id);
      });
      return worker;
    });
  }

  /** Gives the work to the threads in turn; resolves with the result. */
  run(input) {
    this.#asked += 1;
    const id = this.#asked;
    this.#next = (this.#next + 1) % this.#workers.length;
    this.#workers[this.#next].postMessage({ id, input });
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve);
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
      // The client may have left meanwhile.
      if (socket.readyState === WebSocket.OPEN) socket.send(`${count} primes below ${limit}`);
    });
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
