/*
 * State that a JavaScript thread has once, however many copies of the package it loads (a Jest worker loads one per test
 * file, each in a realm of its own). The addon evaluates this script when the first copy is loaded (thread.rs), in the
 * realm of Node's own modules; its value is what `Environment.thread()` returns to lib/native.js of each copy.
 *
 * Nothing here refers to a copy once the connections of that copy have closed, so that its realm can be collected. The
 * functions of Node are the genuine ones at the first load: a test that fakes timers or ticks fakes those of its
 * own code only.
 */
(() => {
  const { process } = globalThis;

  /**
   * A function of Node, also while it is faked: @sinonjs/fake-timers (Sinon, Jest, Vitest) keeps the original on its clock.
   *
   * @param {any} owner
   * @param {string} name
   */
  const genuine = (owner, name) => owner[name].clock?.[`_${name}`] ?? owner[name];

  /** @type {typeof globalThis.setInterval} */
  const setInterval = genuine(globalThis, 'setInterval');
  /** @type {typeof globalThis.clearInterval} */
  const clearInterval = genuine(globalThis, 'clearInterval');

  /** Milliseconds between two sweeps of idle connections. Memory that was not used between two of them is given back. */
  const SWEEP_INTERVAL = 5000;

  /** Receivers of the events of attached connections, by the numbers of these. @type {any[]} */
  const owners = [];

  /** Sockets that were destroyed and have not emitted `close`, by number. @type {Map<number, { close(): void }>} */
  const closing = new Map();
  let lastClosing = 0;

  // The number 0 belongs to no connection. The addon delivers to it, in the closing phase of the event loop, the number of a
  // socket that was destroyed.
  owners[0] = {
    /**
     * @param {number} number
     * @returns {boolean}
     */
    deliver(number) {
      const socket = closing.get(number);
      closing.delete(number);
      socket?.close();
      return false;
    }
  };

  /** Functions that write queued output when the process exits: one per copy with open connections. @type {Set<() => void>} */
  const exitHooks = new Set();
  let isHooked = false;

  function flushAtExit() {
    for (const flush of exitHooks) flush();
  }

  /** Open connections of all copies. */
  let connections = 0;
  /** @type {NodeJS.Timeout | undefined} */
  let sweepTimer;

  /**
   * Called by the addon when `count` records of a connection can be read.
   *
   * @param {number} id
   * @param {number} count
   * @returns {boolean} whether to be called again when ticks and microtasks have run
   */
  function deliver(id, count) {
    const owner = owners[id];
    return owner !== undefined && owner.deliver(count);
  }
  // The async resource of its calls, too: one that keeps nothing alive (jest --detectOpenHandles asks).
  deliver.hasRef = () => false;

  return {
    nextTick: genuine(process, 'nextTick'),
    queueMicrotask: genuine(globalThis, 'queueMicrotask'),
    setImmediate: genuine(globalThis, 'setImmediate'),
    setInterval,
    setTimeout: genuine(globalThis, 'setTimeout'),
    clearInterval,
    clearTimeout: genuine(globalThis, 'clearTimeout'),

    owners,

    /** The string that was sent last, which the addon holds as UTF-8. @type {string | null} */
    lastText: null,

    deliver,

    /**
     * Has `close()` called in the closing phase of the event loop.
     *
     * @param {{ close(): void }} socket
     * @returns {number} what the addon is to deliver to the number 0 then
     */
    closeLater(socket) {
      lastClosing = (lastClosing + 1) >>> 0;
      closing.set(lastClosing, socket);
      return lastClosing;
    },

    /**
     * Calls a function when the process exits, until it is removed from `exitHooks`.
     *
     * @param {() => void} flush
     */
    flushAtExit(flush) {
      exitHooks.add(flush);
      if (isHooked) return;
      isHooked = true;
      process.once('exit', flushAtExit);
    },

    exitHooks,

    /**
     * Counts a connection. Idle ones are swept while there are any.
     *
     * @param {{ rest(): boolean }} environment
     */
    connectionOpened(environment) {
      connections++;
      sweepTimer ??= setInterval(() => {
        const hasMore = environment.rest();
        if (connections > 0 || hasMore) return;
        clearInterval(sweepTimer);
        sweepTimer = undefined;
      }, SWEEP_INTERVAL).unref();
    },

    connectionClosed() {
      connections--;
    }
  };
})();
