'use strict';

// A client of a server that pings at an interval (heartbeat-server.js): when the pings stop coming, the connection is
// dead, and a new one is made. Pings are answered by themselves.
//
//   node examples/heartbeat-server.js
//   node examples/heartbeat-client.js ws://127.0.0.1:8080 31000      how long it waits: the server's interval and a second

const { WebSocket } = require('ferrows');

const url = process.argv[2] ?? 'ws://127.0.0.1:8080';
const patience = Number(process.argv[3] ?? 31_000);
/** A pause before the next attempt, in milliseconds; a random part, so that not all clients come back at once. */
const pause = () => 500 + Math.random() * 500;

function connect() {
  const socket = new WebSocket(url);
  const giveUp = () => {
    console.log('Nothing is heard from the server: this connection ends.');
    socket.terminate();
  };
  let timer;
  const alive = () => {
    clearTimeout(timer);
    timer = setTimeout(giveUp, patience);
  };

  socket.on('open', () => {
    console.log('Connected.');
    alive();
  });
  socket.on('ping', alive);
  socket.on('error', (error) => console.error(error.message));
  socket.on('close', () => {
    clearTimeout(timer);
    setTimeout(connect, pause());
  });
}

connect();
