// Responses to everything but a plain request to upgrade: the same bytes as from ws, sent by the addon unless an observer of the
// table in lib/server/fallback.js is present. Catalog, random mutations, persistence, time limits; ws on the same Node is the
// oracle.

import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import net from 'node:net';
import { createRequire } from 'node:module';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { mutateText } from '../../fuzz/js/mutation.mjs';
import { Random } from '../../fuzz/js/random.mjs';
import { OBSERVED } from './observers.mjs';

const require = createRequire(import.meta.url);
const { OBSERVERS } = require('../../lib/server/fallback.js');

const ROUNDS = 1500;

const PLAIN = 'GET /a?b HTTP/1.1\r\nHost: a\r\n\r\n';
const HEAD = 'HEAD / HTTP/1.1\r\nHost: a\r\n\r\n';
const LAST = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';
const UPGRADE =
  'Host: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n' +
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n';
/** Refused by ws. Not a plain request for the addon. */
const REFUSED = `GET / HTTP/1.0\r\n${UPGRADE.replace(/Sec-WebSocket-Key.*\r\n/, '')}\r\n`;
const fields = (count) => Array.from({ length: count }, (_, i) => `X-${i}: ${i}\r\n`).join('');

/**
 * Requests of one connection, in latin1; after them the client ends its side. The value is true if the addon answers or emits an
 * upgrade, without a socket of Node.
 *
 * @type {[string, boolean][]}
 */
const CATALOG = [
  // 400
  ['\x16\x03\x01\x00\x05abcde', true],
  ['G', true],
  ['GET / HT', true],
  ['GET / HTTP/1.1\r\nHost: a\r\n', true],
  ['GET / HTTP/1.1\r\nHost : a\r\n\r\n', true],
  ['GET / HTTP/1.1\r\nHost: a\x01b\r\n\r\n', true],
  ['GET / HTTP/1.1\nHost: a\n\n', true],
  ['GET / HTTP/9.9\r\nHost: a\r\n\r\n', true],
  ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0', true],
  ['\r\n\r\nNONE', true],
  ['\0'.repeat(64), true],
  [`GET / HTTP/1.1\r\n${UPGRADE.slice(0, 40)}`, true],
  // 431
  [`GET /${'a'.repeat(17_000)}`, true],
  [`GET / HTTP/1.1\r\nX: ${'a'.repeat(17_000)}`, true],
  [`GET / HTTP/1.1\r\n${fields(3000)}\r\n`, true],
  // 426
  [PLAIN, true],
  [HEAD, true],
  [LAST, true],
  [LAST.replace('GET', 'HEAD'), true],
  [PLAIN.repeat(50), true],
  [PLAIN + HEAD + PLAIN + LAST, true],
  [PLAIN.replace('Host: a', 'HOST: a\r\nConnection: keep-alive'), true],
  [PLAIN.replace('Host: a', 'Host: a\r\nUpgrade: websocket'), true],
  [`\r\n${PLAIN}\r\n`, true],
  // Requests that Node answers itself
  [LAST + PLAIN, false],
  [PLAIN.replace('Host: a\r\n', ''), false],
  [`${PLAIN}GET`, false],
  [`${PLAIN}\0`, false],
  [`${PLAIN}GET / HTTP/1.1\r\n${UPGRADE}\r\n`, false],
  [PLAIN.repeat(200), false],
  ['GET / HTTP/1.0\r\n\r\n', false],
  ['POST / HTTP/1.1\r\nHost: a\r\n\r\n', false],
  ['POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi', false],
  ['POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', false],
  [PLAIN.replace('Host: a', 'Host: a\r\nExpect: 100-continue'), false],
  [PLAIN.replace('Host: a', 'Host: a\r\nExpect: nothing'), false],
  ['CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n', false],
  [`POST / HTTP/1.1\r\n${UPGRADE}\r\n`, false],
  [`GET / HTTP/1.1\r\n${UPGRADE}Content-Length: 2\r\n\r\nhi`, false],
  // Requests to upgrade that only Node's parser knows as such
  [`GET / HTTP/1.0\r\n${UPGRADE}\r\n`, true],
  [`GET /# HTTP/1.1\r\n${UPGRADE}${fields(100)}\r\n`, true],
  [`GET / HTTP/1.1\r\n${UPGRADE.replace('Upgrade\r\n', 'Upgrade, x\r\n')}\r\n`, true],
  [`GET / HTTP/1.1\r\n${UPGRADE}${fields(100)}\r\n`, true],
  [`GET / HTTP/1.1\r\n${UPGRADE}${fields(996)}\r\n`, true],
  // Refused by ws for their fields
  [REFUSED, true],
  [REFUSED.replace('1.0', '1.1'), true],
  [`GET / HTTP/1.1\r\n${UPGRADE.replace('13', '12')}\r\n`, true],
  [`GET / HTTP/1.1\r\n${UPGRADE}Sec-WebSocket-Protocol: a,,b\r\n\r\n`, true],
  [`GET / HTTP/1.1\r\n${UPGRADE}${UPGRADE.slice(UPGRADE.indexOf('Sec'))}\r\n`, true],
  // By the program
  [`GET /refused HTTP/1.1\r\n${UPGRADE}\r\n`, true],
  [`GET /refused HTTP/1.1\r\n${UPGRADE}\r\n\x81\x80\0\0\0\0`, true],
  [`GET /later HTTP/1.1\r\n${UPGRADE}\r\n`, true],
  [`GET / HTTP/1.0\r\n${UPGRADE.replace('websocket', 'h2c')}\r\n`, true],
  [`GET / HTTP/1.0\r\n${UPGRADE.replace('dGhl', '=')}\r\n`, true],
  [`GET / HTTP/1.0\r\n${UPGRADE.replace('13', '12')}\r\n`, true],
  [`GET / HTTP/1.1\r\n${UPGRADE.replace('13', 'x')}${fields(100)}\r\n`, true],
  [`GET / HTTP/1.1\r\n${UPGRADE.replace('Key', 'Kex')}${fields(100)}\r\n`, true],
  [`GET / HTTP/1.1\r\n${fields(1000)}${UPGRADE}\r\n\x81\x80\0\0\0\0`, true],
  [`GET / HTTP/1.1\r\n${fields(996)}${UPGRADE}\r\n`, true],
  [`GET /# HTTP/1.1\r\n${fields(1000)}${UPGRADE}\r\n`, true],
  [`GET /# HTTP/1.1\r\n${UPGRADE}${fields(1010)}\r\n`, true]
];

/** A server of a library, in a process of its own. */
class Subject {
  /**
   * @param {test.TestContext} t
   * @param {'ws' | 'ferrows'} library
   * @param {Record<string, number>} [settings] members of its http.Server
   */
  static async start(t, library, settings) {
    const subject = new Subject();
    const file = fileURLToPath(new URL('children/responder.mjs', import.meta.url));
    // The traces of a test are of no use.
    const execArgv = ['--trace-event-file-pattern=/dev/null'];
    subject.library = library;
    subject.child = fork(file, [library], { execArgv });
    t.after(() => subject.child.disconnect());
    subject.port = await subject.run('start', settings);
    return subject;
  }

  /** @param {string} command of the child @param {unknown} [argument] */
  async run(command, argument) {
    this.child.send([command, argument]);
    const [{ result }] = await once(this.child, 'message');
    return result;
  }

  /** @returns {Promise<number>} connections that the addon has handed to Node */
  async fallbacks() {
    return (await this.run('state')).fallbacks;
  }

  /** @returns {Promise<net.Socket>} connected; collects its bytes in `text` */
  async connect() {
    const socket = net.connect({ port: this.port, host: '127.0.0.1', noDelay: true });
    const client = Object.assign(socket, { text: '' });
    client.on('error', () => {});
    client.on('data', (data) => {
      client.text += data.latin1Slice();
    });
    await once(client, 'connect');
    return client;
  }

  /** Sends bytes and the end, in parts. @param {string} bytes @param {number[]} [cuts] @returns {Promise<string>} all bytes of the server */
  async ask(bytes, cuts = []) {
    const client = await this.connect();
    let from = 0;
    for (const cut of cuts) {
      client.write(bytes.slice(from, cut), 'latin1');
      from = cut;
      await new Promise(setImmediate);
    }
    client.end(bytes.slice(from), 'latin1');
    await closed(client);
    return normalize(client.text);
  }
}

/** A reset is an end, too. @param {net.Socket} client */
const closed = (client) => new Promise((resolve) => client.once('close', resolve));

/** Dates are checked and removed: two servers may answer in different seconds. @param {string} text */
function normalize(text) {
  return text.replace(/Date: (.*)\r\n/g, (_line, date) => {
    const age = Date.now() - Date.parse(date);
    assert.ok(age >= 0 && age < 10_000, date);
    assert.equal(new Date(date).toUTCString(), date);
    return 'Date\r\n';
  });
}

/** Reads until a condition holds. @param {any} client @param {(text: string) => boolean} done */
async function until(client, done) {
  while (!done(client.text)) await once(client, 'data');
}

/** Sends requests that the addon learns from. @param {Subject} subject */
async function warmUp(subject) {
  await subject.ask(LAST);
  await subject.ask(PLAIN);
  await subject.run('reset');
}

/** @param {test.TestContext} t @param {Record<string, number>} [settings] @returns {Promise<Subject[]>} ws and ferrows */
async function startBoth(t, settings) {
  const both = [
    await Subject.start(t, 'ws', settings),
    await Subject.start(t, 'ferrows', settings)
  ];
  for (const subject of both) await warmUp(subject);
  return both;
}

test('the responses are those of ws, in one part or in many', async (t) => {
  const [oracle, subject] = await startBoth(t);
  for (const [bytes, isNative] of CATALOG) {
    const what = JSON.stringify(bytes.slice(0, 200));
    const expected = await oracle.ask(bytes);
    await subject.run('reset');
    assert.equal(await subject.ask(bytes), expected, what);
    assert.equal((await subject.fallbacks()) === 0, isNative, what);
    // If Node answers several requests, its responses depend on what it has read at once.
    if (!isNative && bytes.startsWith(PLAIN)) continue;
    for (const cut of [1, Math.floor(bytes.length / 2), bytes.length - 1, bytes.length]) {
      assert.equal(
        await subject.ask(bytes, [cut]),
        await oracle.ask(bytes, [cut]),
        `${what}, cut at ${cut}`
      );
    }
  }
});

test('the responses to mutated requests are those of ws', async (t) => {
  const [oracle, subject] = await startBoth(t);
  const random = new Random(18);
  // Node reads a body in other ticks from a socket that was handed to it.
  const known = CATALOG.map(([bytes]) => bytes).filter(
    (bytes) => bytes.length < 2000 && !/Content-Length|Transfer-Encoding/.test(bytes)
  );
  const words = [
    '\r\n',
    '\n',
    ': ',
    ' ',
    '\t',
    'Host: a\r\n',
    'Connection: close\r\n',
    PLAIN,
    LAST,
    HEAD
  ];
  for (let round = 0; round < ROUNDS; round++) {
    let bytes = random.pick(known);
    for (let changes = random.below(3); changes > 0; changes--) {
      bytes = mutateText(bytes, random, words, random.pick(known));
    }
    // The responses to several requests may depend on what Node has read at once.
    const isSingle = !/\r\n\r\n[^]/.test(bytes);
    const cuts = isSingle && random.below(2) === 0 ? [random.below(bytes.length + 1)] : [];
    const [expected, actual] = await Promise.all([
      oracle.ask(bytes, cuts),
      subject.ask(bytes, cuts)
    ]);
    assert.equal(actual, expected, `${JSON.stringify(bytes)}, cut at ${cuts}`);
  }
  const [{ fallbacks, seen }, other] = [await subject.run('state'), await oracle.run('state')];
  assert.deepEqual(new Set(seen.map(String)), new Set(other.seen.map(String)));
  // Enough to prove something.
  assert.ok(seen.length > 10 && fallbacks < (ROUNDS * 2) / 3, `${seen.length}, ${fallbacks}`);
});

test('each observer of the table has a test', () => {
  assert.deepEqual(
    OBSERVERS.map(({ name }) => name),
    Object.keys(OBSERVED)
  );
});

for (const { name, of } of OBSERVERS) {
  test(`Node answers while ${name}`, async (t) => {
    const subject = await Subject.start(t, 'ferrows');
    await warmUp(subject);
    /** Requests whose responses the observer observes: all, or those of a kind. */
    const requests = { refusal: 'NONE\r\n\r\n', response: LAST, upgrade: REFUSED };
    /** @type {Record<string, string>} */
    const expected = {};
    for (const [kind, bytes] of Object.entries(requests)) expected[kind] = await subject.ask(bytes);
    assert.equal(await subject.fallbacks(), 0);
    await subject.run('observe', name);
    for (const [kind, bytes] of Object.entries(requests)) {
      await subject.run('reset');
      assert.equal(await subject.ask(bytes), expected[kind], kind);
      const { fallbacks, refusals } = await subject.run('state');
      const isObserved = of === 'refusal' || of === kind;
      // With an observer of 'upgrade' the event is emitted, and either may write the refusal.
      const count = of === 'upgrade' ? fallbacks + refusals : fallbacks;
      assert.equal(count, isObserved ? 1 : 0, kind);
    }
    await subject.run('unobserve');
    await subject.run('reset');
    for (const [kind, bytes] of Object.entries(requests)) {
      assert.equal(await subject.ask(bytes), expected[kind], kind);
    }
    const { fallbacks, refusals } = await subject.run('state');
    assert.equal(fallbacks + refusals, 0);
  });
}

test('a plain request may be followed by others, and by an upgrade', async (t) => {
  const outcomes = [];
  for (const subject of await startBoth(t)) {
    const client = await subject.connect();
    for (let count = 1; count <= 3; count++) {
      client.write(PLAIN);
      await until(client, (text) => text.split('\r\n\r\nUpgrade Required').length === count + 1);
    }
    assert.equal(await subject.fallbacks(), 0);
    client.write(`GET /last HTTP/1.1\r\n${UPGRADE}\r\n`);
    await until(client, (text) => text.includes(' 101 '));
    assert.equal(await subject.fallbacks(), subject.library === 'ferrows' ? 1 : 0);
    outcomes.push([normalize(client.text), (await subject.run('state')).seen]);
    client.destroy();
  }
  assert.deepEqual(outcomes[1], outcomes[0]);
});

/** Ends of a connection that was answered: each closes it. @type {Record<string, (subject: Subject, client: any) => unknown>} */
const ENDS = {
  'after a silence': () => {},
  'when the server closes idle connections': (subject) => subject.run('closeIdleConnections'),
  'when the server closes all connections': (subject) => subject.run('closeAllConnections'),
  'when the server closes': (subject) => subject.run('close'),
  'after a silence, though the listener is closed': (subject) => subject.run('closeListener'),
  'when the program destroys the sockets that keep it alive': (subject) =>
    subject.run('destroyActive'),
  'when the client ends': (_subject, client) => client.end()
};

for (const [name, act] of Object.entries(ENDS)) {
  test(`a connection that was answered is closed ${name}`, async (t) => {
    const outcomes = [];
    // Some versions of Node add a second.
    const settings = { keepAliveTimeout: name.startsWith('after a silence') ? 1 : 60_000 };
    for (const subject of await startBoth(t, settings)) {
      const client = await subject.connect();
      client.write(PLAIN);
      await until(client, (text) => text.endsWith('Upgrade Required'));
      const count = await subject.run('count');
      assert.equal(await subject.fallbacks(), 0);
      await Promise.all([closed(client), act(subject, client)]);
      outcomes.push([normalize(client.text), count, await subject.run('count')]);
    }
    assert.deepEqual(outcomes[1], outcomes[0]);
  });
}

for (const bytes of ['', 'GET / HT', 'GET / HTTP/1.1\r\nHost: a\r\n']) {
  test(`a late request is answered by the addon: ${JSON.stringify(bytes)}`, async (t) => {
    const outcomes = [];
    const settings = { headersTimeout: 50, connectionsCheckingInterval: 30 };
    for (const library of /** @type {const} */ (['ws', 'ferrows'])) {
      const subject = await Subject.start(t, library, settings);
      const client = await subject.connect();
      if (bytes !== '') client.write(bytes);
      await closed(client);
      assert.equal(await subject.fallbacks(), 0);
      outcomes.push(client.text);
    }
    assert.match(outcomes[0], /^HTTP\/1.1 408 /);
    assert.equal(outcomes[1], outcomes[0]);
  });
}
