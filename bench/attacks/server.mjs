// Target of the attacks: an echo server on one library, in a process of its own. Started by run.mjs
// (`server.mjs LIBRARY`), which queries its state over the IPC channel.
import { ferrows, ws } from '../libraries.mjs';

const { WebSocketServer } = process.argv[2] === 'ws' ? ws() : ferrows();

const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: true });
let closed = 0;

server.on('connection', (socket) => {
  socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
  // Most connections end with an error, as intended.
  socket.on('error', () => {});
  socket.on('close', () => closed++);
});
server.on('listening', () => process.send({ port: server.address().port }));

/** CPU time of the last answer, in microseconds. */
let answered = 0;

/** @returns {number} microseconds of CPU */
function cpu() {
  const { user, system } = process.cpuUsage();
  return user + system;
}

// The queries: its state, or (`held`) the memory it holds besides garbage.
process.on('message', (question) => {
  const work = cpu() - answered;
  if (question === 'held') for (let i = 0; i < 3; i++) globalThis.gc();
  let read = 0;
  for (const { _socket } of server.clients) read += _socket.bytesRead;
  process.send({ work, open: server.clients.size, closed, read, rss: process.memoryUsage.rss() });
  answered = cpu();
});
process.on('disconnect', () => process.exit());
