'use strict';

// Clients and servers with invalid options: nothing may stay open, and the process must end by itself.

const fs = require('node:fs');
const WebSocket = require(process.env.DIFFERENTIAL_MODULE);

/** Sockets of this process, on systems that list them. Files are excluded: Node opens and closes some on threads of its own. */
function open() {
  if (!fs.existsSync('/proc/self/fd')) return 0;
  return fs.readdirSync('/proc/self/fd').filter(isSocket).length;
}

/** @param {string} descriptor */
function isSocket(descriptor) {
  try {
    return fs.readlinkSync(`/proc/self/fd/${descriptor}`).startsWith('socket:');
  } catch {
    return false;
  }
}

const makers = [
  () => new WebSocket('nowhere'),
  () => new WebSocket('ws://127.0.0.1:9', ['a', 'a']),
  () => new WebSocket('ws://127.0.0.1:9', { protocolVersion: 1 }),
  () => new WebSocket('ws://127.0.0.1:9', { headers: { 'bad name': 'x' } }),
  () => new WebSocket('ws://127.0.0.1:9', { agent: 1 }),
  () => new WebSocket.Server(),
  () => new WebSocket.Server({ port: 0, noServer: true }),
  () => new WebSocket.Server({ port: 99999 })
];

console.log('begin');
const before = open();
for (const make of makers) {
  try {
    make();
    console.log('not refused');
  } catch (err) {
    console.log(`${err.name} ${err.code} ${err.message}`);
  }
}
console.log(`sockets ${open() - before}`);
console.log(`resources ${process.getActiveResourcesInfo().filter((name) => /TCP|TLS/.test(name))}`);
process.on('exit', (code) => console.log(`exit ${code}`));
