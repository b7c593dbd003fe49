'use strict';

// Order of messages, callbacks and bufferedAmount while messages are compressed: statements S7, S10, S12 and B2.

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { scenario } = require('../run');
const { OPCODE } = require('../frames');
const { digits, noise } = require('../deflate');
const { deflating } = require('../deflate-peer');

const BOTH = ['server', 'client'];
const { text, close, ping } = OPCODE;

scenario('S7 deflate: messages, pings, pongs and close leave in order', BOTH, async (t) => {
  const { peer, raw, ws, lane } = await deflating(t);
  const sent = (name) => (err) => t.log(lane, 'sent', name, !err);
  for (let i = 0; i < 4; i++) {
    ws.send(`small ${i}`, sent(`small ${i}`));
    ws.send(noise(200 << 10, String(i)), sent(`noise ${i}`));
    ws.ping(`ping ${i}`, undefined, sent(`ping ${i}`));
    ws.send('y'.repeat(1 << 20), sent(`large ${i}`));
    ws.send(`plain ${i}`, { compress: false }, sent(`plain ${i}`));
    ws.pong(`pong ${i}`, undefined, sent(`pong ${i}`));
    ws.send(new Blob([`blob ${i}`]), sent(`blob ${i}`));
    ws.send(Buffer.alloc(300000, i), { compress: false }, sent(`large plain ${i}`));
  }
  ws.close(1000, 'last');
  t.trace.event(lane, 'closing', [], ws);
  await peer.through(close);
  raw.close(1000);
  await raw.rest();
  raw.finish();
  await t.closed(ws);
});

scenario('S7 deflate: replies while large messages are sent', BOTH, async (t) => {
  const { peer, ws } = await deflating(t);
  ws.on('message', (data) => ws.send(`reply to ${data}`));
  ws.send('y'.repeat(4 << 20));
  ws.send(digits(1 << 20));
  peer.send(text, 'question');
  await peer.next(3);
});

scenario('S7 deflate: an automatic pong while large messages are sent', BOTH, async (t) => {
  const { peer, raw, ws } = await deflating(t);
  ws.send('y'.repeat(4 << 20));
  ws.send(digits(1 << 20));
  raw.send(ping, 'answered last');
  await t.emitted(ws, 'ping');
  await peer.next(3);
});

scenario('S7 deflate: sends in callbacks of sends', BOTH, async (t) => {
  const { peer, ws, lane } = await deflating(t);
  const step = (i) => {
    if (i === 5) ws.close(1000);
    else ws.send(digits(i * 30000), () => step(i + 1));
    t.log(lane, 'sent', i);
  };
  step(0);
  await peer.through(close);
});

scenario('S10 deflate: callbacks come later, in order, without an error', BOTH, async (t) => {
  const { peer, ws, lane } = await deflating(t);
  let inside = true;
  const called = (name) => (err) => t.log(lane, name, !err, inside);
  t.log(lane, 'returned', ws.send('a', called('a')));
  ws.send('', {}, called('b'));
  ws.send('c', { compress: false }, called('c'));
  ws.send('d', { fin: false }, called('d'));
  ws.ping('e', undefined, called('e'));
  ws.send('f', called('f'));
  ws.send(Buffer.alloc(500000), called('g'));
  const last = new Promise((resolve) => {
    ws.send('h', (...args) => {
      called('h')(...args);
      resolve(undefined);
    });
  });
  inside = false;
  await peer.next(8);
  await last;
});

scenario('S10 deflate: a Buffer can be reused after the callback', BOTH, async (t) => {
  const { peer, ws } = await deflating(t);
  const data = Buffer.alloc(300000);
  for (const letter of ['a', 'b', 'c']) {
    data.fill(letter);
    const sent = new Promise((resolve) => ws.send(data, resolve));
    await peer.next();
    await sent;
  }
});

scenario('S12 deflate: an unreadable Blob after large messages', BOTH, async (t) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'differential-'));
  t.defer(() => fs.rmSync(folder, { recursive: true, force: true }));
  const file = path.join(folder, 'blob');
  fs.writeFileSync(file, 'as it was');
  const blob = await fs.openAsBlob(file);
  fs.writeFileSync(file, 'and as it is now, longer');
  const { peer, raw, ws, lane } = await deflating(t);
  const sent = (name) => (err) => t.log(lane, 'sent', name, err ?? 'without an error');
  ws.send('y'.repeat(1 << 20), sent('large'));
  ws.send(blob, sent('blob'));
  ws.send('queued', sent('queued'));
  ws.ping('queued', undefined, sent('ping'));
  await peer.next();
  t.log('wire', 'rest', await raw.rest());
  raw.finish();
  await t.closed(ws);
});

scenario('B2 deflate: bufferedAmount of large messages goes back to 0', BOTH, async (t) => {
  const { peer, ws, lane } = await deflating(t);
  t.log(lane, 'before', ws.bufferedAmount);
  const sent = new Promise((resolve) => ws.send('y'.repeat(4 << 20), resolve));
  const amount = ws.bufferedAmount;
  t.log(lane, 'while compressing', amount > 0);
  const last = new Promise((resolve) => ws.send(digits(1 << 20), resolve));
  t.log(lane, 'and one behind it', ws.bufferedAmount > amount);
  await peer.next(2);
  await sent;
  await last;
  t.log(lane, 'afterwards', ws.bufferedAmount);
  for (const data of ['small', '', digits(3000)]) {
    await new Promise((resolve) => ws.send(data, resolve));
    t.log(lane, 'after a small one', ws.bufferedAmount);
    await peer.next();
  }
});
