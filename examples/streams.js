'use strict';

// A client as a stream: sends standard input to the server, and writes the replies to standard output. With backpressure:
// input is read only as fast as the peer reads.
//
//   node examples/server.js
//   echo hello | node examples/streams.js ws://127.0.0.1:8080
//
// The echo server never closes the connection, so this client does when it has received as many bytes as it has sent.

const { pipeline } = require('stream');
const { WebSocket, createWebSocketStream } = require('ferrows');

const socket = new WebSocket(process.argv[2] ?? 'ws://127.0.0.1:8080');
const duplex = createWebSocketStream(socket);
let sent = 0;
let received = 0;
let inputEnded = false;

socket.on('open', () => {
  if (process.stdin.isTTY) console.error('Connected. Type lines to send; Ctrl-D ends.');
});

/** Ends the stream when all input has been echoed. That closes both directions of the connection. */
function endWhenAnswered() {
  if (inputEnded && received >= sent) duplex.end();
}

process.stdin.on('data', (chunk) => {
  sent += chunk.length;
});
process.stdin.on('end', () => {
  inputEnded = true;
  endWhenAnswered();
});
process.stdin.pipe(duplex, { end: false });

const count = async function* (source) {
  for await (const chunk of source) {
    received += chunk.length;
    yield chunk;
    endWhenAnswered();
  }
};

pipeline(duplex, count, process.stdout, (error) => {
  if (!error) return;
  console.error(`${error.message || error.code} (is node examples/server.js running?)`);
  process.exitCode = 1;
  // Standard input, if it is a terminal, would keep the process alive.
  process.stdin.destroy();
});
