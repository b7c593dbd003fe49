/**
 * What every test of a dependent needs: its packages, the proof that their `ws` is the subject, servers on loopback,
 * and the watch over the end of the process. Called by the tests here; what one dependent does is in its own file.
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

/** The tests of a file may take this long with all that is around them, in milliseconds. */
const FILE_LIMIT = 80_000;
/** A process whose tests have ended gets this long to end too, in milliseconds. */
const GRACE = 10_000;

/** For a test: how long it may take, in milliseconds. */
export const TIME_LIMIT = { timeout: 20_000 };

/** `require` as the project has it. */
export const require = createRequire(join(folder, 'package.json'));

/**
 * `import` as the project has it.
 *
 * @type {{ load: (name: string) => Promise<any> }}
 */
export const { load } = await import(pathToFileURL(join(folder, 'load.mjs')).href);

/**
 * The subject as the dependents get it.
 *
 * @type {typeof import('ferrows')}
 */
export const WebSocket = require('ws');

/**
 * Proves that packages get the subject when they ask for ws, and reports where it was found.
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
 * Closes an HTTP server, once its connections have ended.
 *
 * @param {import('node:http').Server} server
 */
export async function close(server) {
  const closed = once(server, 'close');
  server.close();
  await closed;
}

/**
 * Collects what arrives, for who asks later: `next()` gives what has not been asked for yet, in order.
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
 * Fails this process, if it is still there then; does not keep it.
 *
 * @param {number} delay in milliseconds
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
  // No dependent has brought a ws of its own along.
  const others = Object.keys(require.cache).filter((path) =>
    /[\\/]node_modules[\\/]ws[\\/]/.test(path)
  );
  if (subject !== 'ws') assert.deepEqual(others, []);
});
