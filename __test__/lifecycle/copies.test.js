'use strict';

// Many copies of the package in one thread, as a Jest worker loads them: each in a realm of its own, or one after the other
// from files that were required before. State per thread exists once, copies do not disturb each other, and nothing of a copy
// remains after its connections have closed.

const assert = require('node:assert/strict');
const { once } = require('node:events');
const { readdirSync, readFileSync } = require('node:fs');
const Module = require('node:module');
const path = require('node:path');
const test = require('node:test');
const vm = require('node:vm');
const { setFlagsFromString } = require('node:v8');

const root = path.join(__dirname, '../..');
setFlagsFromString('--expose-gc');
const collectGarbage = vm.runInNewContext('gc');

/** Globals of a sandbox, as in Jest; `process` is an object of the sandbox. */
function createContext() {
  const box = Object.create(process);
  return vm.createContext({
    ArrayBuffer,
    Blob,
    Buffer,
    URL,
    Uint8Array,
    clearTimeout,
    process: box,
    setTimeout
  });
}

/**
 * Loads a copy whose files run in a realm of their own.
 *
 * @returns {{ library: typeof import('ferrows'), sandbox: any }}
 */
function loadInRealm() {
  const sandbox = createContext();
  /** @type {Map<string, { exports: any }>} */
  const modules = new Map();
  const load = (/** @type {string} */ file) => {
    const known = modules.get(file);
    if (known) return known.exports;
    const module = { exports: /** @type {any} */ ({}) };
    modules.set(file, module);
    const real = Module.createRequire(file);
    if (!file.endsWith('.js')) return (module.exports = real(file));
    const requireHere = Object.assign(
      (/** @type {string} */ id) => {
        const found = real.resolve(id);
        return path.isAbsolute(found) ? load(found) : real(id);
      },
      { resolve: real.resolve }
    );
    const wrapper = Module.wrap(readFileSync(file, 'utf8'));
    const run = vm.runInContext(wrapper, sandbox, { filename: file });
    run.call(module.exports, module.exports, requireHere, module, file, path.dirname(file));
    return module.exports;
  };
  return { library: load(path.join(root, 'index.js')), sandbox };
}

/** Loads a copy from files that are required anew. @returns {typeof import('ferrows')} */
function loadAnew() {
  for (const file of Object.keys(require.cache)) {
    if (file.startsWith(path.join(root, 'lib')) || file.startsWith(path.join(root, 'index.js'))) {
      delete require.cache[file];
    }
  }
  return require(root);
}

/** Loads a copy, and its addon with it. @returns {typeof import('ferrows')} */
function loadAddonAnew() {
  for (const file of Object.keys(require.cache)) {
    if (/\.node$|binding\.js$/.test(file)) delete require.cache[file];
  }
  return loadAnew();
}

const WAYS = {
  realm: () => loadInRealm().library,
  'required anew': loadAnew,
  'addon anew': loadAddonAnew
};

/** Resources of a process that every copy could duplicate. */
const inventory = () => ({
  descriptors: readdirSync('/proc/self/fd').length,
  exitListeners: process.listenerCount('exit')
});

/**
 * A server and a client of a copy, both open.
 *
 * @param {typeof import('ferrows')} library
 * @param {object} [options]
 */
async function open({ WebSocket, WebSocketServer }, options) {
  const wss = new WebSocketServer({ host: '127.0.0.1', port: 0, ...options });
  await once(wss, 'listening');
  const address = /** @type {import('node:net').AddressInfo} */ (wss.address());
  const client = new WebSocket(`ws://127.0.0.1:${address.port}`);
  const [[server]] = await Promise.all([once(wss, 'connection'), once(client, 'open')]);
  return { wss, client, server };
}

/** @param {Awaited<ReturnType<typeof open>>} pair */
async function close({ wss, client, server }) {
  const closed = Promise.all([once(client, 'close'), once(server, 'close'), once(wss, 'close')]);
  client.close();
  wss.close();
  await closed;
}

for (const [way, load] of Object.entries(WAYS)) {
  test(`copies leave nothing behind: ${way}`, async (t) => {
    /** @type {Error[]} */
    const warnings = [];
    const warn = (/** @type {Error} */ warning) => warnings.push(warning);
    process.on('warning', warn);
    t.after(() => process.off('warning', warn));

    await close(await open(load()));
    const before = inventory();
    for (let copy = 0; copy < 20; copy++) await close(await open(load()));
    let after = inventory();
    // An I/O thread ends, and closes its descriptors, some iterations after its last socket. Node may close one of its own,
    // too.
    for (let turn = 0; turn < 1000 && after.descriptors > before.descriptors; turn++) {
      await new Promise((resolve) => setImmediate(resolve));
      after = inventory();
    }
    assert.equal(after.exitListeners, before.exitListeners);
    assert.ok(after.descriptors <= before.descriptors, `${after.descriptors} descriptors`);
    assert.deepEqual(warnings, []);
  });

  test(`copies work beside each other: ${way}`, async () => {
    const pairs = [];
    for (let copy = 0; copy < 4; copy++) {
      pairs.push(
        await open(load(), { maxPayload: 1000 * (copy + 1), perMessageDeflate: copy % 2 === 1 })
      );
    }
    // The same text from one copy after the other, with another one between: the addon caches the last as UTF-8.
    for (const text of ['a', 'b', 'a', 'a', 'ü'.repeat(300), 'a']) {
      const received = pairs.map(({ server }) => once(server, 'message'));
      for (const { client } of pairs) client.send(text);
      for (const [data] of await Promise.all(received)) assert.equal(String(data), text);
    }
    // Options of one copy do not apply to another.
    for (const [copy, { client, server }] of pairs.entries()) {
      const limit = 1000 * (copy + 1);
      const whole = once(server, 'message');
      client.send(Buffer.alloc(limit));
      assert.equal((await whole)[0].length, limit);
      const failed = once(server, 'error');
      client.on('error', () => {});
      client.send(Buffer.alloc(limit + 1));
      assert.equal((await failed)[0].code, 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH');
    }
    await Promise.all(
      pairs.map(async ({ wss, client, server }) => {
        for (const socket of [client, server]) {
          if (socket.readyState !== 3) await once(socket, 'close');
        }
        const closed = once(wss, 'close');
        wss.close();
        await closed;
      })
    );
  });
}

test('the realm of a copy is collected when its connections have closed', async () => {
  const ended = async () => {
    const { library, sandbox } = loadInRealm();
    await close(await open(library));
    return new WeakRef(sandbox);
  };
  await close(await open(loadInRealm().library));
  const realms = [];
  for (let copy = 0; copy < 5; copy++) realms.push(await ended());
  // The target of deref() stays alive until the end of the tick: it is called in ticks without a collection.
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  let left = realms.length;
  for (let attempt = 0; attempt < 100 && left > 0; attempt++) {
    await turn();
    collectGarbage();
    await turn();
    left = realms.filter((realm) => realm.deref() !== undefined).length;
  }
  assert.equal(left, 0);
});

test('a sandbox that fakes ticks and immediates affects its own code only', async () => {
  const { library, sandbox } = loadInRealm();
  const pair = await open(library, { perMessageDeflate: { threshold: 0 } });
  sandbox.process.nextTick = () => {};
  sandbox.setImmediate = () => {};
  sandbox.queueMicrotask = () => {};
  /** @type {string[]} */
  const seen = [];
  pair.server.on('message', (data) => {
    seen.push(String(data));
    if (seen.length === 3) pair.server.send('enough');
  });
  const answered = once(pair.client, 'message');
  for (const text of ['one', 'two', 'three']) pair.client.send(text);
  await answered;
  assert.deepEqual(seen, ['one', 'two', 'three']);
  await close(pair);
});
