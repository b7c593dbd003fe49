'use strict';

// Memory of connections after bursts of messages, while a heartbeat keeps them in use: less than with ws, and than
// with a buffer for each connection.

const assert = require('node:assert/strict');
const { fork } = require('node:child_process');
const { once } = require('node:events');
const { connect } = require('node:net');
const { join } = require('node:path');
const test = require('node:test');

const CONNECTIONS = 300;
/** A burst fits one read: 900 messages of 59 bytes with their headers. */
const MESSAGES = 900;
const LENGTH = 59;

const HEAD = Buffer.from(
  'GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
    'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n'
);
// The masking key is zero.
const MESSAGE = Buffer.concat([
  Buffer.from([0x82, 0x80 | LENGTH, 0, 0, 0, 0]),
  Buffer.alloc(LENGTH, 1)
]);
const BURST = Buffer.concat(Array(MESSAGES).fill(MESSAGE));
/** Limit for each connection: a buffer of its own for a burst takes more, with the records of the messages. */
const LIMIT = 90 * 1024;
const PONG = Buffer.from([0x8a, 0x80, 0, 0, 0, 0]);

/** Opens a connection that answers pings. @param {number} port */
async function open(port) {
  const socket = connect(port, '127.0.0.1');
  socket.write(HEAD);
  await once(socket, 'data');
  socket.on('data', (chunk) => {
    assert.deepEqual([...chunk], [0x89, 0]);
    socket.write(PONG);
  });
  return socket;
}

/** Bytes that the connections have added to a server. @param {string} library */
async function added(library) {
  const child = fork(join(__dirname, 'children/receiver.js'), [library], {
    execArgv: ['--expose-gc']
  });
  const answer = async () => (await once(child, 'message'))[0].answer;
  /** @param {...unknown} command */
  const ask = (...command) => {
    child.send(command);
    return answer();
  };
  const port = await answer();
  const sockets = [];
  try {
    for (let at = 0; at < CONNECTIONS; at++) sockets.push(await open(port));
    const before = await ask('memory');
    for (let round = 1; round <= 3; round++) {
      for (const socket of sockets) socket.write(BURST);
      await ask('receive', round * CONNECTIONS * MESSAGES * LENGTH);
      await ask('ping');
    }
    await ask('ping');
    await ask('ping');
    return (await ask('memory')) - before;
  } finally {
    for (const socket of sockets) socket.destroy();
    child.disconnect();
    await once(child, 'exit');
  }
}

test('connections hold no buffers after a burst, although they are pinged', async () => {
  const [ws, ferrows] = [await added('ws'), await added('ferrows')];
  assert.ok(ferrows < ws, `${ferrows} bytes, with ws ${ws}`);
  assert.ok(ferrows < CONNECTIONS * LIMIT, `${ferrows} bytes`);
});
