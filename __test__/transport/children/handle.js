'use strict';

// A server whose first connection loses its handle, as when child_process sends a socket away, and whose descriptor is closed.
// Then connections come until one has the same descriptor. Prints the events of all of them.

const { once } = require('node:events');
const ferrows = require('ferrows');
const { connect, end, listen } = require('../pairs');

const ENOUGH = 64;

const say = (value) => console.log(JSON.stringify(value));

/** Closes a handle. @param {any} handle */
const close = (handle) =>
  new Promise((resolve) => {
    handle.close(resolve);
  });

async function main() {
  const wss = await listen(ferrows);
  const [victim, peer] = await connect(ferrows, wss);
  const events = [];
  for (const name of ['message', 'ping', 'error', 'close']) {
    victim.on(name, () => events.push(name));
  }
  peer.on('error', () => {});
  // With unread input and queued output.
  if (process.env.PAUSED) victim.pause();
  const arrived = once(victim, 'message');
  peer.send('before');
  if (!process.env.PAUSED) await arrived;
  victim.send('last words');

  const handle = victim._socket._handle;
  const { fd } = handle;
  const peerClosed = once(peer, 'close');
  const lastWords = once(peer, 'message');
  victim._socket._handle = null;
  events.length = 0;
  await close(handle);
  say({ lastWords: String((await lastWords)[0]), peerCode: (await peerClosed)[0] });

  // The connection may still be used, and must not reach another one.
  const others = [];
  let twin;
  while (!twin && others.length < ENOUGH) {
    const [server, client] = await connect(ferrows, wss);
    others.push(server, client);
    twin = [server, client].find((ws) => ws._socket._handle.fd === fd);
  }
  say({ hasTwin: Boolean(twin) });
  const other = others[others.indexOf(twin) ^ 1];
  const received = [];
  for (const ws of [twin, other]) ws.on('message', (data) => received.push(String(data)));
  victim.send('to a closed handle', () => {});
  victim.ping('to a closed handle', undefined, () => {});
  victim._socket.pause();
  victim._socket.resume();
  for (let number = 0; number < 100; number++) {
    const both = Promise.all([once(twin, 'message'), once(other, 'message')]);
    twin.send(`from the twin ${number}`);
    other.send(`to the twin ${number}`);
    await both;
  }
  const isSpoiled = received.some((text) => !/^(from|to) the twin \d+$/.test(text));
  // As with ws, the send has closed it, after the data that the pause held back.
  const expected = process.env.PAUSED ? ['message', 'close'] : ['close'];
  const unexpected = events.filter((name) => !expected.includes(name));
  say({ received: received.length, isSpoiled, events: unexpected });
  victim.on('error', () => {});
  victim.terminate();
  await end(wss, ...others);
}

main();
