'use strict';

// A server that sends the socket of a WebSocket to another process (this program again, with ROLE=receiver), which continues to
// write frames to it. The client of that connection is here, too.

const { fork } = require('node:child_process');
const { once } = require('node:events');
const ferrows = require('ferrows');
const { connect, end, listen } = require('../pairs');

const say = (value) => console.log(JSON.stringify(value));

/** An unmasked frame with a short text. @param {string} text */
const frame = (text) => Buffer.concat([Buffer.from([0x81, text.length]), Buffer.from(text)]);

function receive() {
  process.once('message', (message, socket) => {
    socket.end(frame(`from another process: ${message}`));
    process.disconnect();
  });
}

async function send() {
  const wss = await listen(ferrows);
  const [server, client] = await connect(ferrows, wss);
  const [bystander, friend] = await connect(ferrows, wss);
  const texts = [];
  client.on('message', (data) => texts.push(String(data)));
  const closed = once(client, 'close');
  server.send('from the first process');
  const receiver = fork(__filename, { env: { ...process.env, ROLE: 'receiver' } });
  receiver.send('hello', server._socket);
  const [code] = await closed;
  say({ texts, code });
  // The other connections are unaffected.
  const arrived = once(friend, 'message');
  bystander.send('still here');
  say({ bystander: String((await arrived)[0]) });
  server.on('error', () => {});
  server.terminate();
  await end(wss, bystander, friend, client);
}

if (process.env.ROLE === 'receiver') receive();
else send();
