/**
 * Parts common to all tests of dependents: their packages, the proof that their `ws` is the subject, servers on loopback, and
 * the check that the process ends. The tests of one dependent are in its own file.
 */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { after } from 'node:test';
import { pathToFileURL } from 'node:url';
import { folder, prepare, subject } from './install.mjs';

prepare();

/** Milliseconds for all tests of a file. */
const FILE_LIMIT = 80_000;
/** Milliseconds that a process gets to end after its tests. */
const GRACE = 10_000;

/** Options of a test, with its time limit in milliseconds. */
export const TIME_LIMIT = { timeout: 20_000 };

/** `require` from the project. */
export const require = createRequire(join(folder, 'package.json'));

/**
 * `import` from the project.
 *
 * @type {{ load: (name: string) => Promise<any> }}
 */
export const { load } = await import(pathToFileURL(join(folder, 'load.mjs')).href);

/**
 * The subject as the dependents load it.
 *
 * @type {typeof import('ferrows')}
 */
export const WebSocket = require('ws');

/**
 * Proves that packages load the subject as ws, and reports its location.
 *
 * @param {{ diagnostic: (message: string) => void }} context of the test
 * @param {...string} dependents names of packages that depend on ws
 */
export function assertOverridden(context, ...dependents) {
  for (const dependent of dependents) {
    const manifest = join(folder, 'node_modules', dependent, 'package.json');
    const theirs = createRequire(manifest);
    assert.equal(theirs(manifest).name, dependent);
    const path = theirs.resolve('ws');
    const { name, version } = theirs('ws/package.json');
    context.diagnostic(`${dependent}: require.resolve('ws') is ${path}, ${name} ${version}`);
    assert.equal(name, subject);
    assert.equal(theirs('ws'), WebSocket);
  }
}

/**
 * Makes an HTTP server listen on loopback.
 *
 * @param {import('node:http').Server} [server]
 * @returns {Promise<{ server: import('node:http').Server, port: number }>}
 */
export async function listen(server = createServer()) {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, port: /** @type {import('node:net').AddressInfo} */ (server.address()).port };
}

/**
 * Closes an HTTP server, and waits for its connections to end.
 *
 * @param {import('node:http').Server} server
 */
export async function close(server) {
  const closed = once(server, 'close');
  server.close();
  await closed;
}

/**
 * Collects messages for later: `next()` returns the first unread one, in order.
 *
 * @template T
 */
export class Inbox {
  /** @type {T[]} */
  #items = [];
  /** @type {((item: T) => void)[]} */
  #waiting = [];

  /** @param {T} item */
  put = (item) => {
    const resolve = this.#waiting.shift();
    if (resolve) resolve(item);
    else this.#items.push(item);
  };

  /** @returns {Promise<T>} */
  next() {
    if (this.#items.length > 0) return Promise.resolve(/** @type {T} */ (this.#items.shift()));
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}

/**
 * Fails this process if it is still alive after a while; does not keep it alive.
 *
 * @param {number} delay milliseconds
 */
function failAfter(delay) {
  setTimeout(() => {
    console.error(
      `Not ended within ${delay / 1000} s; what is left:`,
      process.getActiveResourcesInfo()
    );
    process.exit(1);
  }, delay).unref();
}

failAfter(FILE_LIMIT);

after(() => {
  failAfter(GRACE);
  // No dependent has installed a ws of its own.
  const others = Object.keys(require.cache).filter((path) =>
    /[\\/]node_modules[\\/]ws[\\/]/.test(path)
  );
  if (subject !== 'ws') assert.deepEqual(others, []);
});
