// Cost of attacks on a server, next to ws: `node bench/attacks/run.mjs [--only TEXT]`. Plays each
// attack against a fresh server on each library and compares memory and CPU time before and after.
// Prints a Markdown table, the source of the figures in SECURITY.md. Resident memory is meaningful
// on Linux only.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { setTimeout as delay } from 'node:timers/promises';
import { ATTACKS } from './attacks.mjs';

const require = createRequire(import.meta.url);
const { upgradeRequest } = require('../../__test__/differential/raw-peer.js');

const LIBRARIES = ['ferrows', 'ws'];
/**
 * Milliseconds between two queries of a server, and the number of equal answers in a row that mean
 * it is quiet.
 */
const PAUSE = 100;
const ALIKE = 4;
/** Time limit of an attack, in queries. */
const LOOKS = 600;

const { values } = parseArgs({ options: { only: { type: 'string' } } });

/** A server process that reports its state. */
class Victim {
  constructor(library) {
    this.child = fork(fileURLToPath(new URL('server.mjs', import.meta.url)), [library], {
      execArgv: ['--expose-gc']
    });
  }

  async start() {
    const [{ port }] = await once(this.child, 'message');
    this.port = port;
  }

  /** @returns {Promise<{ work: number, open: number, closed: number, read: number, rss: number }>} */
  async ask(question) {
    this.child.send(question);
    const [answer] = await once(this.child, 'message');
    return answer;
  }

  /** Memory held once the server is quiet, and the CPU time used. */
  async settled() {
    let last = await this.ask('quiet');
    let { work } = last;
    for (let alike = 0, looks = 0; alike < ALIKE && looks < LOOKS; looks++) {
      await delay(PAUSE);
      const next = await this.ask('quiet');
      const { open, closed, read } = next;
      const isSame = open === last.open && closed === last.closed && read === last.read;
      alike = isSame && next.work < (PAUSE * 1000) / 10 ? alike + 1 : 0;
      work += next.work;
      last = next;
    }
    return { ...(await this.ask('held')), work };
  }

  async end() {
    this.child.disconnect();
    await once(this.child, 'exit');
  }
}

/** A connection whose handshake is complete. */
async function connection(port, { deflate, unread }) {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  const headers = deflate ? { 'Sec-WebSocket-Extensions': 'permessage-deflate' } : {};
  socket.write(upgradeRequest({ headers }));
  await once(socket, 'data');
  if (unread) socket.pause();
  else socket.resume();
  return socket;
}

/** Opens the connections of an attack, a few at a time. */
async function openAll(port, attack) {
  const sockets = [];
  while (sockets.length < attack.connections) {
    const count = Math.min(50, attack.connections - sockets.length);
    sockets.push(
      ...(await Promise.all(Array.from({ length: count }, () => connection(port, attack))))
    );
  }
  return sockets;
}

async function play(attack, library) {
  const victim = new Victim(library);
  await victim.start();
  // One-time allocations are not part of the cost of a connection.
  for (const socket of await openAll(victim.port, { ...attack, connections: 20 })) socket.destroy();
  const before = await victim.settled();
  const sockets = await openAll(victim.port, attack);
  const opened = await victim.settled();
  const bytes = attack.bytes();
  for (const socket of sockets) if (bytes.length > 0) socket.write(bytes);
  const after = bytes.length > 0 ? await victim.settled() : opened;
  for (const socket of sockets) socket.destroy();
  await victim.end();
  return {
    sent: bytes.length,
    held: (after.rss - before.rss) / attack.connections,
    micros: bytes.length > 0 ? after.work / attack.connections : null,
    open: after.open
  };
}

const size = (bytes) =>
  bytes >= 1024 * 1024
    ? `${(bytes / 1024 / 1024).toFixed(1)} MiB`
    : `${(bytes / 1024).toFixed(1)} KiB`;
const time = (micros) =>
  micros === null ? '' : `${(micros / 1000).toFixed(micros < 10_000 ? 2 : 0)} ms`;

console.log(
  '| attack | sent | held: ferrows | ws | CPU: ferrows | ws | still open: ferrows | ws |'
);
console.log('| --- | --: | --: | --: | --: | --: | --: | --: |');
for (const attack of ATTACKS.filter(({ name }) => name.includes(values.only ?? ''))) {
  const [own, other] = [await play(attack, LIBRARIES[0]), await play(attack, LIBRARIES[1])];
  const cells = [
    `${attack.connections} × ${attack.name}`,
    size(own.sent),
    size(own.held),
    size(other.held),
    time(own.micros),
    time(other.micros),
    own.open,
    other.open
  ];
  console.log(`| ${cells.join(' | ')} |`);
}
