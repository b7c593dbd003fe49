'use strict';

/*
 * Chooses the transport of a new connection. WebSocket.setSocket() calls in. The addon moves the bytes of a plain socket
 * unless the mode is `stream`; Node moves those of any other Duplex.
 */

const { StreamTransport } = require('./stream-transport');
const { NativeTransport } = require('./native-transport');
const { describeMode, resolveMode } = require('./mode');
const { connectionOpened } = require('./flush-scheduler');
const { debug, isDebugging } = require('./debug');
const { obstacleToDetaching } = require('../socket/detach');
const { hasOwnMethods, isNodeUnpatched } = require('../socket/replaced-members');
const { isLazy, materialize } = require('../socket/materialize');
const { isUpgradePending } = require('../socket/lazy-socket');
const { Driver, takesSockets } = require('../native');
const { configure } = require('./config-cache');
const { watchTimeLimits } = require('./time-limits');
const { setImmediate } = require('../node/schedule');

/**
 * Connects a WebSocket with its socket. Emits nothing before it returns.
 *
 * @param {any} websocket
 * @param {any} socket a Duplex
 * @param {Buffer} head bytes that have already been read from it
 * @param {import('../native').ConnectionOptions} options
 * @param {boolean} isSynchronous false: at most one `message`, `ping` or `pong` per macrotask
 * @param {import('async_hooks').AsyncResource} resource context that events are emitted in
 * @param {string} [option] the option `transport`
 * @param {any} [parser] a Receiver that parses in place of the addon
 * @param {boolean} [isDeferred] true: nothing is read before resumeReading()
 * @returns {InstanceType<typeof StreamTransport> | InstanceType<typeof NativeTransport>}
 */
function openTransport(
  websocket,
  socket,
  head,
  options,
  isSynchronous,
  resource,
  option,
  parser,
  isDeferred = false
) {
  connectionOpened();
  const mode = parser === undefined ? resolveMode(option) : 'stream';
  const isOnThread = mode === 'io_threads';
  const config = configure(options);
  // A program that has replaced a member expects it to be called. A refused socket has no connection to adopt.
  if (
    isLazy(socket) &&
    !(isUpgradePending(socket) && !hasOwnMethods(socket) && isNodeUnpatched())
  ) {
    materialize(socket);
  }

  let obstacle = obstacleToNative(mode, socket);
  if (obstacle === null) {
    const transport = new NativeTransport(websocket, socket, config, isSynchronous, resource);
    if (isDeferred) transport.isDeferred = true;
    const driver = isOnThread ? Driver.io_threads : Driver.event_loop;
    if (transport.open(head, config.id, driver)) {
      // Later, because 'open' and 'connection' listeners may replace a member that answers pings.
      if (isOnThread) setImmediate(() => transport.allowPongs?.());
      if (isDebugging) trace(transport, option);
      if (options.timeLimits !== undefined) watchTimeLimits(transport);
      return transport;
    }
    obstacle = 'the addon cannot poll the descriptor';
  }

  const transport = new StreamTransport(websocket, socket, config, isSynchronous, parser);
  if (isDeferred) transport.isDeferred = true;
  if (isDebugging) {
    trace(transport, option, parser === undefined ? obstacle : 'a method of Receiver is replaced');
  }
  transport.start(head);
  if (options.timeLimits !== undefined) watchTimeLimits(transport);
  return transport;
}

/**
 * @param {string} mode
 * @param {any} socket
 * @returns {string | null} the reason why the addon cannot move the bytes; null if it can
 */
function obstacleToNative(mode, socket) {
  if (mode === 'stream') return 'the mode is stream';
  if (isLazy(socket)) return null;
  if (!takesSockets) return 'the addon takes no sockets on this system';
  return obstacleToDetaching(socket);
}

/**
 * @param {{ id: number, kind: string }} transport
 * @param {string | undefined} option
 * @param {string} [obstacle] why it is a stream
 */
function trace({ id, kind }, option, obstacle) {
  const reason = obstacle === undefined ? '' : `; ${obstacle}`;
  debug('connection %d opens on %s: %s%s', id, kind, describeMode(option), reason);
}

module.exports = { openTransport };
