'use strict';

// The socket under an accepted connection, in every state and at every time of first access: 3.1. Late first access must show
// the same as a reference held from the beginning.

const { once } = require('node:events');
const { finished: callback } = require('node:stream');
const { finished } = require('node:stream/promises');
const { scenario } = require('../run');
const { OPCODE, decode, frame } = require('../frames');
const { valueText } = require('../trace');
const { ENDINGS, exchange, acceptRaw } = require('../endings');
const { record, socketLines } = require('../snapshots');

/** The time of first access. */
const MOMENTS = ['in connection', 'a tick later', 'after messages', 'in close', 'after close'];

for (const [ending, play] of Object.entries(ENDINGS)) {
  scenario(`3.1 state of the raw socket: ${ending}`, 'server', async (t) => {
    for (const [first, name] of MOMENTS.entries()) {
      const lane = `first ${name}`;
      const look = (ws, wss, moment) => {
        if (moment >= first) record(t, lane, MOMENTS[moment], socketLines(ws._socket, wss._server));
      };
      let onConnection;
      const ticked = new Promise((resolve) => {
        onConnection = (ws, request, wss) => {
          look(ws, wss, 0);
          process.nextTick(() => resolve(look(ws, wss, 1)));
          ws.on('close', () => {
            look(ws, wss, 3);
            setImmediate(() => {
              look(ws, wss, 4);
              wss.emit('looked');
            });
          });
        };
      });
      const accepted = await acceptRaw(t, { ending, onConnection });
      await ticked;
      await exchange(t, accepted);
      look(accepted.ws, accepted.wss, 2);
      const looked = new Promise((resolve) => accepted.wss.on('looked', resolve));
      await play(accepted);
      await looked;
      const { socket } = accepted.request;
      t.log(lane, 'same', socket === accepted.ws._socket);
    }
  });
}

/** Without events of flow control: ws pauses a socket itself. */
const EVENTS = ['close', 'drain', 'end', 'error', 'finish', 'timeout'];

for (const [ending, play] of Object.entries(ENDINGS)) {
  scenario(`3.1 events of the raw socket: ${ending}`, 'server', async (t) => {
    for (const late of [false, true]) {
      const lane = late ? 'heard late' : 'heard from the beginning';
      const listen = (ws) => {
        const { _socket: socket } = ws;
        for (const event of EVENTS) {
          // The kernel decides the order of end and finish.
          const own = ['end', 'finish'].includes(event) ? `${lane}, ${event}` : lane;
          socket.on(event, (...args) => t.trace.event(own, event, args, ws));
        }
        ws.on('close', (code) => t.log(lane, 'close of the WebSocket', code));
        t.log(lane, 'chained', socket.once('close', () => t.log(lane, 'once')) === socket);
        return once(socket, 'close').catch((err) => ['rejected', err]);
      };
      let closed;
      const onConnection = (ws) => {
        if (!late) closed = listen(ws);
      };
      const accepted = await acceptRaw(t, { ending, onConnection });
      await exchange(t, accepted);
      if (late) closed = listen(accepted.ws);
      await play(accepted);
      t.log(`${lane}, awaited`, 'once', ...(await closed));
      await t.closed(accepted.ws);
    }
  });

  scenario(`3.1 waiting for the raw socket: ${ending}`, 'server', async (t) => {
    const results = [];
    const tell = (lane) => (err) => t.log(lane, 'finished', err);
    const onConnection = ({ _socket: socket }) => {
      for (const options of [{}, { readable: false }, { writable: false }]) {
        results.push(
          finished(socket, options).then(tell(`first ${valueText(options)}`), tell('first'))
        );
      }
    };
    const accepted = await acceptRaw(t, { ending, onConnection });
    await exchange(t, accepted);
    const { _socket: socket } = accepted.ws;
    results.push(finished(socket).then(tell('late'), tell('late')));
    callback(socket, tell('called back'));
    await play(accepted);
    await Promise.all(results);
    await t.closed(accepted.ws);
    // Of a connection that is over.
    await finished(socket).then(tell('over'), tell('over'));
    t.log('over', 'closes', socket.destroy() === socket, socket.destroyed);
  });
}

scenario('3.1 the raw socket is always the same object', 'server', async (t) => {
  const known = new WeakMap();
  const mark = Symbol('mark');
  for (const [ending, play] of Object.entries(ENDINGS)) {
    let wsClosed;
    const onConnection = (ws, request) => {
      const { socket } = request;
      known.set(socket, 'known');
      socket.user = { name: 'who' };
      socket[mark] = 'marked';
      Object.defineProperty(socket, 'hidden', { value: 'still there' });
      wsClosed = new Promise((resolve) => ws.on('close', resolve));
    };
    const accepted = await acceptRaw(t, { ending, onConnection });
    const { ws, request } = accepted;
    const { _socket: socket } = ws;
    const show = (moment) => {
      t.log(moment, 'same', ws._socket === socket, request.socket === socket, known.get(socket));
      t.log(moment, 'kept', ws._socket.user, ws._socket[mark], ws._socket.hidden);
      t.log(moment, 'keys', 'user' in socket, Object.keys(socket).includes('user'));
    };
    await exchange(t, accepted);
    show('open');
    await play(accepted);
    await wsClosed;
    show('closed');
    delete socket.user;
    t.log('closed', 'deleted', 'user' in socket);
  }
});

/** Uses of the socket in a listener of `connection`, with their results. */
const CALLS = {
  pause: (socket) => socket.pause().resume(),
  cork: (socket) => [socket.cork(), socket.writableCorked, socket.uncork(), socket.writableCorked],
  setTimeout: (socket) => socket.setTimeout(60_000, () => {}).timeout,
  setNoDelay: (socket) => socket.setNoDelay(false).setNoDelay(true),
  setKeepAlive: (socket) => socket.setKeepAlive(true, 5000),
  unref: (socket) => socket.unref().ref(),
  setEncoding: (socket) => typeof socket.setEncoding,
  setMaxListeners: (socket) => socket.setMaxListeners(3).getMaxListeners(),
  on: (socket) => socket.on('close', () => {}).addListener('end', () => {}),
  prepended: (socket) => socket.prependListener('close', () => {}).listenerCount('close'),
  removed: (socket) => socket.removeAllListeners('error').listenerCount('error'),
  listeners: (socket) => [socket.listeners('close').length, socket.rawListeners('end').length],
  emit: (socket) => [socket.emit('nothing of ours'), socket.emit('error', new Error('by hand'))],
  write: (socket) => socket.write(frame(OPCODE.text, 'by hand')),
  end: (socket) => socket.end(frame(OPCODE.text, 'last words')),
  destroy: (socket) => socket.destroy(),
  'destroy with an error': (socket) => socket.destroy(new Error('of the program')),
  destroySoon: (socket) => socket.destroySoon(),
  resetAndDestroy: (socket) => socket.resetAndDestroy()
};

for (const [name, call] of Object.entries(CALLS)) {
  scenario(`3.1 ${name} of the raw socket in a listener of connection`, 'server', async (t) => {
    const onConnection = (ws) => {
      const { _socket: socket } = ws;
      const value = call(socket);
      const shown = value === socket ? 'itself' : value;
      t.trace.event('server', 'returned', [shown, socket.destroyed, socket.writable], ws);
    };
    const wss = await t.listen();
    wss.on('connection', onConnection);
    const raw = await t.sendRequest(wss);
    const { server } = await t.accepted(wss);
    await new Promise((resolve) => setImmediate(resolve));
    if (server._socket.writable) {
      raw.send(OPCODE.text, 'there');
      await t.emitted(server, 'message');
      server.close(1000, 'done');
      raw.close(1000, 'done');
    }
    const bytes = name.startsWith('reset') ? Buffer.alloc(0) : await raw.rest();
    const start = bytes.indexOf('\r\n\r\n') + 4;
    for (let rest = bytes.subarray(start), one = decode(rest); one; one = decode(rest)) {
      t.logFrames(one);
      rest = rest.subarray(one.size);
    }
    raw.finish();
    await t.closed(server);
  });
}
