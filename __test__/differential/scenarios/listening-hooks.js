'use strict';

// Hooks of a program in the opening handshake of a server with its own listener: hooks that answer late, twice or never,
// overridden methods, listeners that throw. Statements H3 to H6, H10, H11; 1.4.

const { once } = require('node:events');
const { scenario } = require('../run');
const { OPCODE, decode } = require('../frames');
const { exchange } = require('../endings');
const { answerText } = require('../snapshots');

/** A verifyClient whose answers the scenario gives. */
function pendingVerifications() {
  const asked = [];
  const waiting = [];
  return {
    verifyClient(info, callback) {
      const question = { info, callback };
      if (waiting.length) waiting.shift()(question);
      else asked.push(question);
    },
    next: () =>
      asked.length
        ? Promise.resolve(asked.shift())
        : new Promise((resolve) => waiting.push(resolve))
  };
}

/** Resolves in a later iteration of the event loop. */
const nextIteration = () => new Promise((resolve) => setImmediate(resolve));

scenario('H5 late answers of verifyClient', 'server', async (t) => {
  const ways = [
    (answer) => answer(),
    (answer) => process.nextTick(answer),
    (answer) => queueMicrotask(answer),
    (answer) => setImmediate(answer),
    (answer) => setTimeout(answer, 5),
    async (answer) => answer()
  ];
  for (const [index, way] of ways.entries()) {
    for (const isVerified of [true, false]) {
      const wss = await t.listen({
        verifyClient({ req }, callback) {
          t.log('server', 'asked', index, req, wss.clients.size);
          way(() => callback(isVerified, 403, 'No', { 'X-Way': index }));
        }
      });
      const { raw } = await t.request(wss, { target: `/${index}` });
      if (isVerified) {
        const { server } = await t.accepted(wss);
        await exchange(t, { raw, ws: server });
        raw.finish();
        await t.closed(server);
      } else {
        t.log('wire', 'body', await raw.rest());
        raw.finish();
      }
    }
  }
});

for (const answers of [
  [true, true],
  [true, false],
  [false, true],
  [false, false]
]) {
  scenario(`H5 repeated answers of verifyClient: ${answers.join(', ')}`, 'server', async (t) => {
    const { verifyClient, next } = pendingVerifications();
    const wss = await t.listen({ verifyClient });
    const raw = await t.sendRequest(wss);
    const { callback, info } = await next();
    for (const answer of answers) t.attempt('server', 'answered', () => callback(answer, 403));
    t.log('server', 'clients', wss.clients.size, info.req.socket.writable);
    raw.finish();
    const bytes = await raw.rest();
    // The bytes of a refusal after an acceptance are not a frame.
    t.log('wire', 'answer', answerText(bytes.subarray(0, bytes.indexOf('\r\n\r\n'))));
    if (answers[0]) await t.closed((await t.accepted(wss)).server);
    else await raw.gone();
    t.log('server', 'left', wss.clients.size);
  });
}

scenario('H10 answers of verifyClient after the client has left', 'server', async (t) => {
  for (const leave of ['finish', 'reset']) {
    for (const args of [[true], [false], [false, 404, 'Gone', { 'X-Own': 'yes' }]]) {
      for (const watched of [true, false]) {
        const { verifyClient, next } = pendingVerifications();
        const wss = await t.listen({ verifyClient });
        wss.on('connection', () => t.log('server', 'connected'));
        wss.on('wsClientError', (err) => t.log('server', 'wsClientError', err));
        const raw = await t.sendRequest(wss);
        const { callback, info } = await next();
        const { socket } = info.req;
        const gone = new Promise((resolve) => socket.once('close', resolve));
        const ended = new Promise((resolve) => socket.once('end', resolve));
        if (watched) socket.resume();
        raw[leave]();
        if (watched) await (leave === 'reset' ? gone : ended);
        const lane = `${leave} ${watched}`;
        if (watched) t.log(lane, 'left', socket.destroyed, socket.readable, socket.writable);
        t.attempt(lane, 'answered', () => callback(...args));
        if (watched && leave === 'finish') t.log(lane, 'answer', answerText(await raw.rest()));
        if (!watched) socket.destroy();
        await gone;
        t.log(lane, 'gone', socket.destroyed, socket.listenerCount('error'));
        raw.socket.destroy();
      }
    }
  }
});

scenario('H10 verifyClient that never answers', 'server', async (t) => {
  for (const leave of ['finish', 'reset']) {
    const { verifyClient, next } = pendingVerifications();
    const wss = await t.listen({ verifyClient });
    const raw = await t.sendRequest(wss);
    const { info } = await next();
    const { socket } = info.req;
    t.log('server', 'socket', socket.readableFlowing, socket.isPaused(), socket.timeout);
    raw.send(OPCODE.text, 'while it thinks');
    const closed = once(wss, 'close');
    wss.close();
    socket.on('error', (err) => t.log('server', 'error', err));
    const gone = new Promise((resolve) => socket.on('close', resolve));
    raw[leave]();
    if (leave === 'reset') socket.resume();
    else socket.end();
    await raw.gone();
    socket.destroy();
    await gone;
    await closed;
  }
});

scenario(
  'H10 a client that is reset during verifyClient, without an answer',
  'server',
  async (t) => {
    const { verifyClient, next } = pendingVerifications();
    const wss = await t.listen({ verifyClient });
    const count = () =>
      new Promise((resolve) => wss._server.getConnections((err, all) => resolve(all)));
    const enter = async () => {
      const raw = await t.sendRequest(wss);
      await next();
      return raw;
    };
    // No hook answers; the connection is released nevertheless.
    const first = await enter();
    t.log('server', 'there', await count());
    first.reset();
    while ((await count()) > 0) await new Promise((resolve) => setTimeout(resolve, 5));
    const second = await enter();
    const closed = new Promise((resolve) => wss.close(resolve));
    second.reset();
    await closed;
    t.log('server', 'closed', wss.clients.size);
  },
  { isWaiting: true }
);

for (const hook of ['verifyClient', 'handleProtocols', 'headers', 'shouldHandle', 'connection']) {
  scenario(
    `H11 an exception of ${hook} reaches uncaughtException`,
    'server',
    async (t) => {
      const child = t.child('throwing-hook.js', t.serverSubject, { HOOK: hook });
      const port = Number(await child.line());
      const listening = { address: () => ({ port }) };
      const change = { headers: { 'Sec-WebSocket-Protocol': 'a' } };
      const raw = await t.sendRequest(listening, change);
      t.log('child', 'line', await child.line());
      if (hook === 'connection') {
        // The connection survives.
        t.logHead(await raw.head());
        raw.send(OPCODE.text, 'echo');
        t.logFrames(await raw.frame());
      }
      // The server survives, too.
      const other = await t.sendRequest(listening, { ...change, target: '/good' });
      t.logHead(await other.head());
      other.send(OPCODE.text, 'the end');
      t.logFrames(await other.frame());
      other.finish();
      raw.reset();
      const { code, signal, output } = await child.finished;
      t.log('child', 'ended', code, signal, output.slice(1));
    },
    { isWaiting: true }
  );
}

/** Servers of user-defined classes. */
const CLASSES = {
  'handleUpgrade, later': (Server) =>
    class extends Server {
      handleUpgrade(...args) {
        setImmediate(() => super.handleUpgrade(...args));
      }
    },
  'handleUpgrade, with an answer of its own': (Server) =>
    class extends Server {
      handleUpgrade(request, socket, head, callback) {
        if (request.url === '/good') return super.handleUpgrade(request, socket, head, callback);
        return socket.end('HTTP/1.1 302 Found\r\nLocation: /good\r\nConnection: close\r\n\r\n');
      }
    },
  'handleUpgrade, with a callback of its own': (Server) =>
    class extends Server {
      handleUpgrade(request, socket, head, callback) {
        super.handleUpgrade(request, socket, head, (ws, ...rest) => {
          ws.user = request.url;
          callback(ws, ...rest);
        });
      }
    },
  'shouldHandle, by cookie': (Server) =>
    class extends Server {
      shouldHandle(request) {
        return super.shouldHandle(request) && request.headers.cookie === 'a=b';
      }
    },
  'completeUpgrade, with other protocols': (Server) =>
    class extends Server {
      completeUpgrade(extensions, key, protocols, ...rest) {
        super.completeUpgrade(extensions, key, new Set(['own']), ...rest);
      }
    },
  'completeUpgrade, later': (Server) =>
    class extends Server {
      completeUpgrade(...args) {
        queueMicrotask(() => super.completeUpgrade(...args));
      }
    },
  'completeUpgrade, refusing': (Server) =>
    class extends Server {
      completeUpgrade(extensions, key, protocols, request, socket) {
        socket.end('HTTP/1.1 402 Payment Required\r\n\r\n');
      }
    },
  'emit, that gives the request a user': (Server) =>
    class extends Server {
      emit(name, ...args) {
        if (name === 'connection') args[1].user = 'known';
        return super.emit(name, ...args);
      }
    }
};

for (const [name, make] of Object.entries(CLASSES)) {
  scenario(`1.4 a subclass with ${name}`, 'server', async (t) => {
    const wss = new (make(t.Server))({ port: 0, host: '127.0.0.1', perMessageDeflate: false });
    t.defer(() => wss.close());
    wss.on('connection', (ws, request) => {
      t.log('server', 'connection', request.url, request.user, ws.user, ws.protocol);
      ws.on('message', (data) => ws.send(data));
      ws.on('close', (code) => wss.emit('gone', code));
      wss.clients.forEach((one) => t.defer(() => one.terminate()));
    });
    await once(wss, 'listening');
    for (const target of ['/good', '/other']) {
      const headers = { 'Sec-WebSocket-Protocol': 'a', Cookie: target === '/good' ? 'a=b' : 'c' };
      const gone = once(wss, 'gone');
      const { raw, head } = await t.request(wss, { target, headers });
      if (head.startsWith('HTTP/1.1 101')) {
        raw.send(OPCODE.text, 'echo');
        t.logFrames(await raw.frame());
        raw.close(1000);
        await raw.rest();
        raw.finish();
        t.log('server', 'gone', ...(await gone));
      } else {
        t.log('wire', 'body', await raw.rest());
        raw.finish();
        await raw.gone();
      }
    }
  });
}

scenario('H4 actions of a listener of wsClientError', 'server', async (t) => {
  const deeds = {
    destroys: (err, socket) => socket.destroy(),
    ends: (err, socket) => socket.end(`HTTP/1.1 400 ${err.message.length}\r\n\r\n`),
    'writes, and ends later': (err, socket) => {
      socket.write('HTTP/1.1 400 Slow\r\n\r\n');
      setImmediate(() => socket.end('body'));
    },
    resets: (err, socket) => socket.resetAndDestroy()
  };
  for (const [deed, act] of Object.entries(deeds)) {
    const wss = await t.listen();
    wss.on('wsClientError', (err, socket, request) => {
      t.log('server', deed, err, request.url, socket.listenerCount('error'));
      socket.on('close', (hadError) => wss.emit('gone', hadError));
      act(err, socket);
    });
    const gone = once(wss, 'gone');
    const raw = await t.sendRequest(wss, { target: `/${deed.length}`, method: 'POST' });
    t.log('wire', deed, answerText(await raw.rest()));
    raw.finish();
    t.log('server', 'gone', ...(await gone), wss.clients.size);
  }
});

scenario('H5 actions of a listener of headers', 'server', async (t) => {
  const deeds = {
    'adds lines': (lines) => lines.push('Set-Cookie: a=b', 'Set-Cookie: c=d', 'X-Empty:'),
    'takes lines away': (lines) => lines.splice(1, 2),
    'rewrites all': (lines) => lines.splice(0, Infinity, 'HTTP/1.1 101 Own', 'X-Only: this'),
    'writes letters that are not ASCII': (lines) => lines.push('X-Letters: gr\u00fc\u00df \u20ac'),
    'writes much': (lines) => lines.push(`X-Much: ${'x'.repeat(40_000)}`),
    'writes to the socket': (lines, { socket }) => socket.write('HTTP/1.1 102 Processing\r\n\r\n')
  };
  for (const [deed, act] of Object.entries(deeds)) {
    const wss = await t.listen();
    wss.on('headers', (lines, request) => {
      t.log('server', deed, Array.isArray(lines), lines.length, request.socket.bytesWritten);
      act(lines, request);
    });
    const raw = await t.sendRequest(wss);
    const { server } = await t.accepted(wss);
    server.send('first');
    t.log('server', 'written', server._socket.bytesWritten);
    t.log('wire', deed, Buffer.from(await raw.head(), 'latin1'));
    if (deed === 'writes to the socket') t.logHead(await raw.head());
    t.logFrames(await raw.frame());
    raw.finish();
    await t.closed(server);
  }
});

scenario('H5 the socket is destroyed or ended by a hook', 'server', async (t) => {
  for (const hook of ['verifyClient', 'handleProtocols', 'headers', 'shouldHandle']) {
    for (const call of ['destroy', 'end']) {
      const lane = `${call} in ${hook}`;
      const end = (request, answer) => {
        const { socket } = request;
        socket.on('error', (err) => t.log(lane, 'error', err));
        socket.on('close', () => wss.emit('gone'));
        socket[call]();
        return answer;
      };
      const options = {
        verifyClient: { verifyClient: ({ req }) => end(req, true) },
        handleProtocols: { handleProtocols: (all, request) => end(request, 'a') }
      };
      const wss = await t.listen(options[hook]);
      if (hook === 'headers') wss.on('headers', (lines, request) => end(request));
      if (hook === 'shouldHandle') wss.shouldHandle = (request) => end(request, true);
      const gone = once(wss, 'gone');
      const raw = await t.sendRequest(wss, { headers: { 'Sec-WebSocket-Protocol': 'a' } });
      const bytes = await raw.rest();
      t.log(lane, 'answer', answerText(bytes));
      raw.finish();
      await gone;
      await nextIteration();
      t.log(lane, 'left', wss.clients.size);
    }
  }
});

scenario('H5 closing, terminating and sending in a listener of connection', 'server', async (t) => {
  const deeds = {
    close: (ws) => ws.close(4000, 'not you'),
    terminate: (ws) => ws.terminate(),
    'send and close': (ws) => {
      ws.send('hello');
      ws.ping('p');
      ws.close();
    },
    'send and terminate': (ws) => {
      ws.send('hello');
      ws.terminate();
    },
    pause: (ws) => {
      ws.pause();
      ws.send('paused');
      setImmediate(() => ws.resume());
    }
  };
  for (const [deed, act] of Object.entries(deeds)) {
    const wss = await t.listen();
    wss.on('connection', (ws) => {
      act(ws);
      t.trace.event(deed, 'state', [wss.clients.size, ws._socket.writable], ws);
    });
    const raw = await t.sendRequest(wss);
    const { server } = await t.accepted(wss);
    raw.close(1000, 'bye');
    const bytes = await raw.rest();
    const start = bytes.indexOf('\r\n\r\n') + 4;
    t.log(deed, 'answered', start > 3);
    for (let rest = bytes.subarray(start), one = decode(rest); one; one = decode(rest)) {
      t.logFrames(one);
      rest = rest.subarray(one.size);
    }
    raw.finish();
    await t.closed(server);
  }
});

scenario('H5 a class of WebSockets that throws', 'server', async (t) => {
  const { WebSocket } = t.serverSubject.lib;
  const server = await t.http();
  class Broken extends WebSocket {
    constructor(...args) {
      super(...args);
      throw new Error('of the class');
    }
  }
  const wss = await t.listen({ noServer: true, WebSocket: Broken });
  const done = new Promise((resolve) => {
    server.on('upgrade', (request, socket, head) => {
      t.attempt('server', 'handleUpgrade', () =>
        wss.handleUpgrade(request, socket, head, () => {})
      );
      t.log('server', 'socket', socket.destroyed, socket.writable, wss.clients.size);
      socket.destroy();
      resolve();
    });
  });
  const raw = await t.sendRequest(server);
  await done;
  t.log('wire', 'answer', await raw.rest());
});
