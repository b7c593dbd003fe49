/*
 * State of a JavaScript thread that all copies of the package share (a Jest worker loads one per test file, each in a realm of its
 * own). The addon evaluates this script when the first copy is loaded (context.rs), in the realm of Node's own modules.
 * `Environment.thread()` returns its value to lib/native.js of each copy.
 *
 * Nothing here refers to a copy once the connections of that copy have closed, so that its realm can be collected. Node's functions
 * are the original ones, taken at the first load: a test that fakes timers or ticks affects its own code only.
 */
(() => {
  const { process } = globalThis;

  /**
   * Returns the original of a function of Node, also while it is faked: @sinonjs/fake-timers (Sinon, Jest, Vitest) keeps it on its
   * clock.
   *
   * @param {any} owner
   * @param {string} name
   */
  const originalOf = (owner, name) => owner[name].clock?.[`_${name}`] ?? owner[name];

  /** @type {typeof globalThis.setInterval} */
  const setInterval = originalOf(globalThis, 'setInterval');
  /** @type {typeof globalThis.setTimeout} */
  const setTimeout = originalOf(globalThis, 'setTimeout');
  /** @type {typeof globalThis.clearInterval} */
  const clearInterval = originalOf(globalThis, 'clearInterval');
  /** @type {typeof globalThis.clearTimeout} */
  const clearTimeout = originalOf(globalThis, 'clearTimeout');
  /** @type {typeof globalThis.setImmediate} */
  const setImmediate = originalOf(globalThis, 'setImmediate');
  /** @type {typeof process.nextTick} */
  const nextTick = originalOf(process, 'nextTick');

  /** @typedef {{ checkTimers(): number[], timerDelay(isArmed: boolean): number }} TimedEnvironment */

  /** Milliseconds between two sweeps of idle connections. Memory that was not used in between is freed. */
  const SWEEP_INTERVAL = 5000;

  /** Receivers of the events of attached connections, by connection number. @type {any[]} */
  const owners = [];

  /** Destroyed sockets that have not emitted `close`, by number. @type {Map<number, { close(): void }>} */
  const closing = new Map();
  let lastClosing = 0;

  // No connection has the number 0. In the close phase of the event loop the addon delivers to it the number of a destroyed socket.
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

  /**
   * Connections over a stream that have time limits, by number.
   *
   * @type {Map<number, WeakRef<{ handleTimeLimit(action: number): void }>>}
   */
  const streams = new Map();
  /** The timer for the next time limits that may have passed. @type {NodeJS.Timeout | undefined} */
  let limitTimer;

  /** @param {TimedEnvironment} environment */
  function armTimer(environment) {
    const delay = environment.timerDelay(limitTimer !== undefined);
    if (delay < 0) return;
    clearTimeout(limitTimer);
    // Behind the poll phase: input that has arrived by now counts.
    limitTimer = setTimeout(() => setImmediate(checkTimers, environment), delay).unref();
  }

  /** @param {TimedEnvironment} environment */
  function checkTimers(environment) {
    limitTimer = undefined;
    const due = environment.checkTimers();
    // All first: a number may be used again when a connection closes.
    const targets = due.map((id, index) =>
      index % 2 === 0 ? (owners[id] ?? streams.get(id)?.deref()) : undefined
    );
    for (let index = 0; index < due.length; index += 2) {
      try {
        targets[index]?.handleTimeLimit(due[index + 1]);
      } catch (error) {
        nextTick(() => {
          throw error;
        });
      }
    }
    if (connections > 0) armTimer(environment);
  }

  /** Functions that write queued output when the process exits, one per copy with open connections. @type {Set<() => void>} */
  const exitHooks = new Set();
  let isHooked = false;

  function flushAtExit() {
    for (const flush of exitHooks) flush();
  }

  /** The number of open connections of all copies. */
  let connections = 0;
  /** @type {NodeJS.Timeout | undefined} */
  let sweepTimer;
  let isSweeping = false;

  /**
   * Sweeps for a millisecond, and again later until all connections have been looked at.
   *
   * @param {{ sweep(): number }} environment
   */
  function sweep(environment) {
    const wait = environment.sweep();
    isSweeping = wait > 0;
    if (isSweeping) setTimeout(sweep, wait, environment).unref();
    if (connections > 0 || wait !== 0) return;
    clearInterval(sweepTimer);
    sweepTimer = undefined;
  }

  /**
   * Called by the addon when a batch of `count` records of a connection can be read.
   *
   * @param {number} id
   * @param {number} count
   * @returns {boolean} true to be called again after ticks and microtasks
   */
  function deliver(id, count) {
    const owner = owners[id];
    return owner !== undefined && owner.deliver(count);
  }
  /**
   * As deliver(), called in the async context of the connection; see `keepContext` in binding.d.ts.
   *
   * @param {number} id
   * @param {number} count
   * @returns {boolean}
   */
  function deliverInContext(id, count) {
    const owner = owners[id];
    return owner !== undefined && owner.deliverInContext(count);
  }
  // The function is also the async resource of its calls. jest --detectOpenHandles calls `hasRef`: it keeps nothing alive.
  deliver.hasRef = () => false;

  return {
    nextTick,
    queueMicrotask: originalOf(globalThis, 'queueMicrotask'),
    setImmediate,
    setInterval,
    setTimeout,
    clearInterval,
    clearTimeout,

    owners,

    /** The last string that was sent, which the addon keeps as UTF-8. @type {string | null} */
    lastText: null,

    deliver,
    deliverInContext,

    /**
     * Calls `close()` in the close phase of the event loop.
     *
     * @param {{ close(): void }} socket
     * @returns {number} the number for `Environment.callWhenClosing`
     */
    closeLater(socket) {
      lastClosing = (lastClosing + 1) >>> 0;
      closing.set(lastClosing, socket);
      return lastClosing;
    },

    /**
     * Calls a function when the process exits, unless it is removed from `exitHooks`.
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
     * Counts a connection. While there are connections, idle ones are swept periodically.
     *
     * @param {{ sweep(): number }} environment
     */
    connectionOpened(environment) {
      connections++;
      sweepTimer ??= setInterval(() => {
        if (!isSweeping) sweep(environment);
      }, SWEEP_INTERVAL).unref();
    },

    connectionClosed() {
      if (--connections > 0) return;
      // It refers to a copy.
      clearTimeout(limitTimer);
      limitTimer = undefined;
    },

    streams,

    /**
     * Has time limits checked when the next one may have passed.
     *
     * @param {TimedEnvironment} environment
     */
    armTimer
  };
})();
