'use strict';

// A cluster: the primary starts two workers, each with a server on the same port, and prints the port once both listen. A
// worker answers a message with its number. When standard input ends, the workers close their servers and leave, or exit at
// once (END); the primary prints the result and ends with the last one. POLICY selects the accepting process: rr (the primary)
// or none (each worker).

const cluster = require('node:cluster');

/** @returns {void} */
function primary() {
  const ports = new Set();
  let listening = 0;
  cluster.schedulingPolicy = process.env.POLICY === 'rr' ? cluster.SCHED_RR : cluster.SCHED_NONE;
  for (let i = 0; i < 2; i++) cluster.fork();
  cluster.on('listening', (worker, { address, port, addressType }) => {
    ports.add(port);
    listening += 1;
    if (listening === 2) console.log([...ports].join(), address, addressType);
  });
  process.stdin.resume().on('end', () => {
    for (const worker of Object.values(cluster.workers)) worker.send(process.env.END);
  });
  cluster.on('exit', (worker, code, signal) => console.log(`worker ended ${code} ${signal}`));
}

/** @returns {void} */
function serve() {
  const { WebSocketServer } = require(process.env.DIFFERENTIAL_MODULE);
  const wss = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false });
  wss.on('connection', (ws, request) => {
    ws.on('message', (data) => {
      ws.send(`${cluster.worker.id} ${request.url} ${data} ${request.socket.remoteAddress}`);
    });
    ws.on('error', () => {});
  });
  process.on('message', (end) => {
    if (end === 'exit') process.exit(0);
    for (const client of wss.clients) client.close(1001);
    wss.close(() => cluster.worker.disconnect());
  });
}

if (cluster.isPrimary) primary();
else serve();
