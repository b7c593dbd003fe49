'use strict';

// A client as a stream: standard input goes to the server, what it answers to standard output. Backpressure is real:
// what the peer does not read is not read from the input either.
//
//   node examples/server.js
//   echo hello | node examples/streams.js ws://127.0.0.1:8080
//
// A server that echoes does not end the conversation, so this one ends it when as much has come back as was sent.

const { pipeline } = require('stream');
const { WebSocket, createWebSocketStream } = require('ferrows');

const socket = new WebSocket(process.argv[2] ?? 'ws://127.0.0.1:8080');
const duplex = createWebSocketStream(socket);
let sent = 0;
let received = 0;
let inputEnded = false;

/** The end of a duplex stream closes its socket, and with it the other direction. */
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
  if (error) {
    console.error(error.message);
    process.exitCode = 1;
  }
});
