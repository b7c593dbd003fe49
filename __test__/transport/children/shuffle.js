'use strict';

// A server and a client whose connections migrate at random (FERROWS_TRANSPORT=shuffle), with everything at once: messages of
// all sizes both ways, callbacks, pauses, pings, the closing handshake. Prints the failures, and counts of its events.

const { once } = require('node:events');
const { createHash } = require('node:crypto');
const ferrows = require('ferrows');
const transportOf = require('../../transport-of.cjs');
const { connect, listen, pattern } = require('../pairs');

const MESSAGES = 400;
const MEGABYTE = 1024 * 1024;
const SEED = Number(process.env.SEED);

const say = (value) => console.log(JSON.stringify(value));
const wrong = (what, ...details) => say({ wrong: what, details, seed: SEED });
const hash = (bytes) => createHash('sha1').update(bytes).digest('hex');

/** Numbers below `sides`, the same for the same seed. */
function makeDice(seed) {
  let state = seed | 1;
  return (sides) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % sides;
  };
}

/** Mostly small, sometimes of the largest size. */
function chooseLength(dice) {
  const kind = dice(40);
  if (kind === 0) return 2 * MEGABYTE;
  if (kind < 3) return dice(MEGABYTE);
  if (kind < 10) return 60_000 + dice(12_000);
  return dice(2) * dice(3000);
}

/** One direction: the data that one end sends and the other expects. */
class Direction {
  constructor(name, from, to, seed) {
    this.name = name;
    this.from = from;
    this.dice = makeDice(seed);
    this.expected = [];
    this.called = 0;
    this.received = 0;
    this.pongs = 0;
    this.pings = 0;
    this.moves = 0;
    this.done = new Promise((resolve) => {
      this.finish = resolve;
    });
    let wasOnThread = false;
    to.on('message', (data, isBinary) => {
      const isOnThread = transportOf(to).kind === 'io_threads';
      if (isOnThread !== wasOnThread) this.moves++;
      wasOnThread = isOnThread;
      this.check(data, isBinary);
      if (!to.isPaused && this.dice(12) === 0) this.pause(to);
    });
    from.on('pong', (data) => {
      if (String(data) !== String(this.pongs)) wrong('pong', name, String(data), this.pongs);
      this.pongs++;
      this.finishIfDone();
    });
  }

  /** Pauses for two iterations of the loop. Messages delivered together with the present one still come in this one. */
  pause(to) {
    to.pause();
    setImmediate(() => {
      const { received } = this;
      setImmediate(() => {
        if (this.received !== received) wrong('a message during a pause', this.name, received);
        to.resume();
      });
    });
  }

  check(data, isBinary) {
    const expected = this.expected[this.received];
    if (expected === undefined) wrong('more than was sent', this.name, data.length);
    else if (expected.hash !== hash(data) || expected.isBinary !== isBinary) {
      wrong('another message', this.name, this.received, data.length, expected.length);
    }
    this.received++;
    this.finishIfDone();
  }

  finishIfDone() {
    const isDone = this.received === MESSAGES && this.called === MESSAGES;
    if (isDone && this.pongs === this.pings && this.expected.length === MESSAGES) this.finish();
  }

  /** Sends a few, and continues later. */
  send() {
    const { dice, from, expected } = this;
    for (let left = dice(30); left >= 0 && expected.length < MESSAGES; left--) {
      const number = expected.length;
      const isBinary = dice(3) > 0;
      const bytes = pattern(number, chooseLength(dice));
      // Text must be UTF-8.
      if (!isBinary) for (let at = 0; at < bytes.length; at++) bytes[at] &= 0x7f;
      expected.push({ hash: hash(bytes), length: bytes.length, isBinary });
      from.send(bytes, { binary: isBinary }, (error) => {
        if (error) wrong('callback', this.name, error.message);
        if (this.called !== number) wrong('order of callbacks', this.name, number, this.called);
        this.called++;
        this.finishIfDone();
      });
      if (dice(10) === 0) from.ping(String(this.pings++));
      if (dice(20) === 0 && from.bufferedAmount < 0) wrong('bufferedAmount', this.name);
    }
    if (expected.length < MESSAGES) setImmediate(() => this.send());
  }
}

async function main() {
  const wss = await listen(ferrows);
  const [server, client] = await connect(ferrows, wss);
  const directions = [
    new Direction('to the server', client, server, SEED),
    new Direction('to the client', server, client, SEED + 1)
  ];
  for (const direction of directions) direction.send();
  await Promise.all(directions.map((direction) => direction.done));
  say({
    received: directions.map((direction) => direction.received),
    buffered: [server.bufferedAmount, client.bufferedAmount],
    haveMoved: directions.every((direction) => direction.moves > 1)
  });
  const closed = Promise.all([once(server, 'close'), once(client, 'close')]);
  (SEED % 2 === 0 ? server : client).close(4000 + SEED, 'moved enough');
  say({ closed: (await closed).map(([code, reason]) => [code, String(reason)]) });
  wss.close();
}

main();
