// Memory that connections keep, and pauses caused by housekeeping, next to ws:
// `node bench/memory/run.mjs [--only TEXT]`. Prints Markdown. With FERROWS_BEFORE, another clone is
// measured, too. Linux only.
import { parseArgs } from 'node:util';
import { setTimeout as delay } from 'node:timers/promises';

import { sample } from '../proc.mjs';
import { Child } from '../subject.mjs';

const MIB = 1024 * 1024;
const { values } = parseArgs({ options: { only: { type: 'string', default: '' } } });

const SUBJECTS = [
  { name: 'ws', library: 'ws', env: { WS_NO_BUFFER_UTIL: '1' } },
  { name: 'ferrows', library: 'ferrows', env: {} },
  ...(process.env.FERROWS_BEFORE
    ? [{ name: 'before', library: 'ferrows', env: { FERROWS_CLONE: process.env.FERROWS_BEFORE } }]
    : [])
];

/** Resident bytes, once they have not changed for a moment. */
const rss = (server) => sample(server.pid).rss;
const mib = (bytes) => `${(bytes / MIB).toFixed(1)} MiB`;

const ROWS = {
  /** Buffers that a burst leaves behind, while a heartbeat keeps the connections in use and after it. */
  bursts: {
    connections: 400,
    async measure(server, clients, fresh) {
      await clients.ask('burst');
      await server.ask('ping');
      await delay(7000);
      const beating = rss(server);
      await server.ask('silence');
      await delay(13_000);
      return {
        'added, heartbeat': mib(beating - fresh),
        'added, silent': mib(rss(server) - fresh)
      };
    }
  },

  /** The longest pauses after traffic with compression, in a process with a large heap of its own. */
  pauses: {
    connections: 6000,
    flags: ['--deflate', '--heap', '1024'],
    deflate: true,
    async measure(server, clients) {
      await server.ask('observe');
      await clients.ask('talk');
      await delay(1000);
      await server.ask('pause');
      const longest = [];
      const before = rss(server);
      for (let second = 0; second < 25; second++) {
        await delay(1000);
        longest.push((await server.ask('pause')).longest);
      }
      longest.sort((a, b) => b - a);
      const pauses = longest.slice(0, 4).map((millis) => millis.toFixed(1));
      return { 'longest, ms': pauses.join(', '), released: mib(before - rss(server)) };
    }
  },

  /** Connections that have exchanged nothing. */
  opened: {
    connections: 8000,
    async measure(server, _, fresh) {
      const added = () => ((rss(server) - fresh) / 8000).toFixed(0);
      await delay(500);
      const now = added();
      await delay(20_000);
      return { 'bytes each, at once': now, 'after 20 s': added() };
    }
  }
};

class Process extends Child {
  ask(command) {
    this.send(command);
    return this.read(120);
  }
}

async function measure({ name, library, env }, { connections, flags = [], deflate, measure: run }) {
  const node = [process.execPath, '--expose-gc'];
  const server = new Process(name, [...node, 'memory/server.mjs', library, ...flags], env);
  let clients;
  try {
    const { port } = await server.read();
    await delay(500);
    const fresh = rss(server);
    const command = [...node, 'memory/client.mjs', String(port), String(connections)];
    clients = new Process('the clients', deflate ? [...command, 'deflate'] : command);
    await clients.read(60);
    return await run(server, clients, fresh);
  } finally {
    await clients?.end();
    await server.end();
  }
}

for (const [name, row] of Object.entries(ROWS)) {
  if (!name.includes(values.only)) continue;
  let isFirst = true;
  for (const subject of SUBJECTS) {
    const figures = await measure(subject, row);
    const columns = Object.keys(figures);
    if (isFirst) {
      console.log(`\n| ${name} | ${columns.join(' | ')} |\n|---|${'---|'.repeat(columns.length)}`);
    }
    isFirst = false;
    console.log(`| ${subject.name} | ${Object.values(figures).join(' | ')} |`);
  }
}
