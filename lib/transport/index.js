'use strict';

/*
 * Chooses the transport of a connection. WebSocket.setSocket() calls it. A plain socket is moved by the addon where that
 * is possible and nobody has said otherwise; everything else is a stream.
 */

const { flushOnExit } = require('./flushing');
const { StreamTransport } = require('./stream');
const { PlainSocketTransport, canPark } = require('./plain-socket');
const { restLater } = require('./resting');
const { createError } = require('../errors');
const { Choice, takesSockets } = require('../native');
const { configure } = require('./configurations');

/**
 * What the option `transport` and the variable FERROWS_TRANSPORT may say:
 *
 * - `auto`: on the event loop, or on the I/O threads in a rush;
 * - `event_loop`, `io_threads`: always there;
 * - `stream`: Node moves the bytes.
 */
const CHOICES = ['auto', 'event_loop', 'io_threads', 'stream'];

/** For tests: from the event loop to the threads and back, at random. Only the variable may say it. */
const SHUFFLE = 'shuffle';

/**
 * Checks the option `transport`.
 *
 * @param {unknown} transport undefined: nothing is said
 * @throws {TypeError} if it is none of the choices
 */
function checkTransport(transport) {
  if (transport === undefined || CHOICES.includes(/** @type {string} */ (transport))) return;
  throw createError('TRANSPORT', CHOICES);
}

/**
 * @param {string | undefined} option
 * @returns {string} one of the choices. The variable comes first, for tests and for whoever runs what others have
 *   written; a value that is none says nothing.
 */
function chooseTransport(option) {
  // Read each time on purpose.
  const pinned = process.env.FERROWS_TRANSPORT;
  if (pinned !== undefined && (pinned === SHUFFLE || CHOICES.includes(pinned))) return pinned;
  return option ?? 'auto';
}

/**
 * Connects a WebSocket with its socket. Nothing is emitted before the caller returns.
 *
 * @param {any} websocket
 * @param {any} socket a Duplex
 * @param {Buffer} head bytes that have already been read from it
 * @param {import('../native').ConnectionOptions} options `autoPong`: whether a transport may answer pings by itself
 * @param {boolean} isSynchronous
 * @param {import('async_hooks').AsyncResource} resource context that events are emitted in
 * @param {string} [option] what the user has chosen
 * @returns {InstanceType<typeof StreamTransport> | InstanceType<typeof PlainSocketTransport>}
 */
function openTransport(websocket, socket, head, options, isSynchronous, resource, option) {
  flushOnExit();
  if (options.deflate !== undefined) restLater();
  const configuration = configure(options);
  const choice = chooseTransport(option);
  if (takesSockets && choice !== 'stream' && canPark(socket)) {
    const transport = new PlainSocketTransport(
      websocket,
      socket,
      configuration,
      isSynchronous,
      resource
    );
    const mover = Choice[/** @type {keyof typeof Choice} */ (choice)];
    if (transport.attach(head, configuration, mover)) return transport;
  }

  const transport = new StreamTransport(websocket, socket, configuration, isSynchronous);
  transport.start(head);
  return transport;
}

module.exports = { checkTransport, openTransport };
