'use strict';

// pause() and resume() while messages are compressed or inflated: statements Q1, Q2, K5 and K9.

const { scenario } = require('../run');
const { OPCODE } = require('../frames');
const { noise } = require('../deflate');
const { deflating } = require('../deflate-peer');

const BOTH = ['server', 'client'];
const { text, binary, close, ping } = OPCODE;

/** Small on the wire, and slow to inflate. */
const LARGE = Buffer.alloc(8 << 20, 'large ');

scenario('Q2 deflate: pause() and resume() while a large message is inflated', BOTH, async (t) => {
  const { peer, raw, ws, lane } = await deflating(t);
  ws.once('message', () => {
    ws.pause();
    t.log(lane, 'paused', ws.isPaused);
    ws.resume();
    t.log(lane, 'resumed', ws.isPaused);
  });
  raw.write(
    Buffer.concat([peer.make(text, 'first'), peer.make(binary, LARGE), peer.make(text, 'last')])
  );
  await t.emitted(ws, 'message', 3);
  raw.send(ping, 'still here');
  await peer.next();
  await t.emitted(ws, 'ping');
});

scenario('Q2 deflate: a late resume()', BOTH, async (t) => {
  const { peer, raw, ws } = await deflating(t);
  ws.on('message', () => {
    ws.pause();
    setImmediate(() => ws.resume());
  });
  for (let i = 0; i < 10; i++) {
    peer.send(binary, noise(i * 20000, String(i)));
    peer.send(text, LARGE.subarray(0, i * 100000));
  }
  raw.close(1000, 'end');
  await peer.through(close);
  raw.finish();
  await t.closed(ws);
});

scenario(
  'Q2 deflate: much data through a side that is paused again and again',
  'pair',
  async (t) => {
    const deflate = { perMessageDeflate: true };
    const { server, client } = await t.pair({ server: deflate, client: deflate });
    let received = 0;
    server.removeAllListeners('message');
    const all = new Promise((resolve) => {
      server.on('message', (data) => {
        received += data.length;
        server.pause();
        setImmediate(() => server.resume());
        if (received === 60 * 65536) resolve(undefined);
      });
    });
    for (let i = 0; i < 60; i++) client.send(noise(65536, String(i)));
    await all;
    t.log('server', 'received', received);
  }
);

scenario('K9 deflate: close() of a paused side that compresses', BOTH, async (t) => {
  const { peer, raw, ws, lane } = await deflating(t);
  ws.pause();
  ws.send(LARGE);
  ws.close(1000, 'paused');
  await peer.through(close);
  peer.send(text, 'unseen');
  raw.close(1000, 'answer');
  t.trace.event(lane, 'state', [ws.isPaused], ws);
  ws.resume();
  t.log('wire', 'rest', await raw.rest());
  raw.finish();
  await t.closed(ws);
});

scenario('K5 deflate: messages buffered by pause are delivered before close', BOTH, async (t) => {
  const { peer, raw, ws, lane } = await deflating(t);
  // A FIN may be processed before or after they are inflated, so the state is not recorded.
  ws.removeAllListeners('message');
  ws.on('message', (...args) => t.log(lane, 'message', ...args));
  ws.pause();
  for (let i = 0; i < 5; i++) peer.send(text, `held ${i}`);
  peer.send(binary, LARGE);
  raw.finish();
  t.log(lane, 'paused', ws.isPaused);
  ws.resume();
  await t.closed(ws);
});
