'use strict';

// A client that expects pings at an interval (heartbeat-server.js). If none arrives in time the connection is dead: the client
// terminates it and reconnects. Pings are answered automatically.
//
//   node examples/heartbeat-server.js
//   node examples/heartbeat-client.js ws://127.0.0.1:8080 31000      timeout in ms: the server's interval plus a second

const { WebSocket } = require('ferrows');

const url = process.argv[2] ?? 'ws://127.0.0.1:8080';
const timeout = Number(process.argv[3] ?? 31_000);
/** Milliseconds before the next attempt, with a random part so that clients do not reconnect all at once. */
const reconnectDelay = () => 500 + Math.random() * 500;

function connect() {
  const socket = new WebSocket(url);
  let timer;
  const restartTimer = () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      console.log(`No ping for ${timeout} ms: reconnecting.`);
      socket.terminate();
    }, timeout);
  };

  socket.on('open', () => {
    console.log('Connected.');
    restartTimer();
  });
  socket.on('ping', restartTimer);
  socket.on('error', (error) => console.error(`${error.message || error.code} (retrying)`));
  socket.on('close', () => {
    clearTimeout(timer);
    setTimeout(connect, reconnectDelay());
  });
}

connect();
