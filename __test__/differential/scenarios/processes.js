'use strict';

// Ends of processes and threads, and exceptions: no data may be lost and no process may stay. S10, R9, W2, E4. The library
// under test runs in a child process; the peer is raw sockets or a library.

const { scenario } = require('../run');
const { OPCODE, decode } = require('../frames');

const { text, binary } = OPCODE;

/** All frames before the end. */
async function frames(raw) {
  const all = [];
  let bytes = await raw.rest();
  for (let one = decode(bytes); one; one = decode(bytes)) {
    all.push(one);
    bytes = bytes.subarray(one.size);
  }
  return { all, left: bytes.length };
}

/** children/server.js of the subject, and raw connections to it. */
async function childServer(t, env, options) {
  const child = t.child('server.js', t.serverSubject, env, options);
  const port = Number(await child.line());
  const listening = { address: () => ({ port }) };
  const join = async (target) => {
    const raw = await t.sendRequest(listening, { target });
    await raw.head();
    return raw;
  };
  return { child, join };
}

/** Records the end and the lines of a child process, those of each connection in a lane of their own. */
async function recordEnd(t, child, { from = 1 } = {}) {
  const { code, signal, output } = await child.finished;
  t.log('child', 'ended', code, signal);
  for (const line of output.slice(from)) {
    t.trace.line(/^\/\w+/.exec(line)?.[0] ?? 'child', line);
  }
}

scenario(
  'S10 process.exit right after send delivers, from a server',
  'server',
  async (t) => {
    const { child, join } = await childServer(t);
    const raw = await join('/a');
    const other = await join('/b');
    raw.send(text, 'exit');
    const { all, left } = await frames(raw);
    t.logFrames(...all);
    t.log('wire', 'left', left);
    await other.rest();
    await recordEnd(t, child);
  },
  { isWaiting: true }
);

for (const action of ['exit', 'exit later', 'exit listener', 'crash', 'close', 'kill']) {
  scenario(
    `S10 a client process that ends: ${action}`,
    'client',
    async (t) => {
      const listening = await t.rawServer();
      const quiet = action === 'crash';
      const env = { URL: listening.url, ACTION: action };
      const child = t.child('client.js', t.clientSubject, env, { quiet });
      const raw = await listening.next();
      raw.accept(await raw.head());
      if (action === 'close') {
        t.logFrames(await raw.frame(), await raw.frame());
        raw.close(1000, 'answer');
        raw.finish();
      } else {
        const { all, left } = await frames(raw);
        t.logFrames(...all);
        t.log('wire', 'left', left);
      }
      await recordEnd(t, child, { from: 0 });
    },
    { isWaiting: true }
  );
}

scenario(
  'E4 a peer process that is killed',
  'pair',
  async (t) => {
    const wss = await t.listen();
    const child = t.child('client.js', t.clientSubject, { URL: t.url(wss), ACTION: 'kill' });
    const { server } = await t.accepted(wss);
    await t.closed(server);
    await recordEnd(t, child, { from: 0 });
  },
  { isWaiting: true }
);

scenario(
  'R9 an exception in one listener loses no event of other connections',
  'server',
  async (t) => {
    const { child, join } = await childServer(t, { CATCH: '1' });
    const names = ['/a', '/b', '/c', '/d'];
    const peers = [];
    for (const name of names) peers.push(await join(name));
    for (let round = 0; round < 5; round++) {
      for (const [i, raw] of peers.entries()) {
        // The first connection throws in the first round; its later events are not compared.
        if (i === 0 && round > 0) continue;
        raw.send(text, i === 0 ? 'throw' : `echo ${round} one`);
        if (i > 0)
          raw.write(Buffer.concat([raw.make(text, 'quiet'), raw.make(text, `echo ${round} two`)]));
      }
      for (const raw of peers.slice(1)) {
        for (const one of [await raw.frame(), await raw.frame()]) t.logFrames(one);
      }
    }
    for (const raw of peers) raw.reset();
    child.process.kill();
    const { output } = await child.finished;
    for (const line of output.slice(1)) {
      const lane = /^\/\w/.exec(line)?.[0] ?? 'child';
      if (!/ close /.test(line)) t.trace.line(lane, line);
    }
  },
  { isWaiting: true }
);

scenario(
  'R9 every connection throws, again and again',
  'server',
  async (t) => {
    const { child, join } = await childServer(t, { CATCH: '1' });
    for (let i = 0; i < 10; i++) {
      const raw = await join(`/a${i}`);
      raw.send(text, 'throw');
      // Sent before or after the exception: this does not affect the next connection.
      raw.reset();
    }
    const last = await join('/last');
    last.send(text, 'echo at last');
    t.logFrames(await last.frame());
    child.process.kill();
    await child.finished;
  },
  { isWaiting: true }
);

scenario(
  'R9 an uncaught exception ends the process',
  'server',
  async (t) => {
    const { child, join } = await childServer(t, {}, { quiet: true });
    const raw = await join('/a');
    raw.send(text, 'throw');
    await raw.rest();
    await recordEnd(t, child);
  },
  { isWaiting: true }
);

scenario(
  'W2 a process ends by itself after everything is closed',
  'server',
  async (t) => {
    const { child, join } = await childServer(t);
    const peers = [];
    for (const name of ['/a', '/b', '/c']) peers.push(await join(name));
    peers[1].send(binary, 'echo first');
    t.logFrames(await peers[1].frame());
    peers[0].send(text, 'close-all');
    for (const raw of peers) {
      t.logFrames(await raw.frame());
      raw.close(1001, 'all');
      await raw.rest();
      raw.finish();
    }
    await recordEnd(t, child);
  },
  { isWaiting: true }
);

scenario(
  'E4 a process ends by itself when its peers disappear',
  'server',
  async (t) => {
    const { child, join } = await childServer(t);
    const peers = [];
    for (const name of ['/a', '/b', '/c']) peers.push(await join(name));
    peers[0].send(text, 'close-all');
    for (const raw of peers) t.logFrames(await raw.frame());
    peers[0].reset();
    peers[1].finish();
    peers[2].close(1000);
    peers[2].finish();
    await recordEnd(t, child);
  },
  { isWaiting: true }
);

for (const action of ['terminate', 'exit', 'throw', 'finish']) {
  scenario(
    `W2 worker threads with open sockets: ${action}`,
    'client',
    async (t) => {
      const listening = await t.http();
      // The peer is ws in every combination: only the threads of the client are compared.
      const { WebSocketServer } = require('ws');
      const wss = new WebSocketServer({ server: listening });
      let gone = 0;
      wss.on('connection', (ws, request) => {
        ws.on('message', (data) => ws.send(data));
        ws.on('error', () => {});
        ws.on('close', () => request.url === '/worker' && gone++);
      });
      const env = { URL: t.url(listening), ACTION: action };
      const child = t.child('workers.js', t.clientSubject, env);
      await recordEnd(t, child, { from: 0 });
      const open = [...wss.clients];
      await Promise.all(open.map((ws) => new Promise((resolve) => ws.on('close', resolve))));
      t.log('peer', 'connections of workers that are gone', gone);
    },
    { isWaiting: true }
  );
}
