'use strict';

/*
 * Chooses the transport of a connection. WebSocket.setSocket() calls it. A plain socket is moved by the addon where that
 * is possible and nobody has said otherwise; everything else is a stream.
 */

const { StreamTransport } = require('./stream-transport');
const { PlainSocketTransport, canPark } = require('./native-transport');
const { chooseTransport } = require('./mode');
const { connectionOpened } = require('./open-connections');
const { hasOwnMethods, isNodeUnpatched } = require('../socket/replaced-members');
const { isUntouched, touched } = require('../socket/materialize');
const { TransportMode, takesSockets } = require('../native');
const { configure } = require('./config-cache');
const { setImmediate } = require('../node/schedule');

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
 * @param {any} [parser] a Receiver, if that is to parse
 * @returns {InstanceType<typeof StreamTransport> | InstanceType<typeof PlainSocketTransport>}
 */
function openTransport(websocket, socket, head, options, isSynchronous, resource, option, parser) {
  connectionOpened();
  const choice = parser === undefined ? chooseTransport(option) : 'stream';
  const isPinned = choice === 'io_threads';
  const configuration = configure(isPinned ? { ...options, autoPong: false } : options);
  // A program that has replaced a member expects it to be called.
  if (isUntouched(socket) && (hasOwnMethods(socket) || !isNodeUnpatched())) touched(socket);
  if (choice !== 'stream') {
    const mover = TransportMode[/** @type {keyof typeof TransportMode} */ (choice)];
    const isArrived = isUntouched(socket);
    if (isArrived || (takesSockets && canPark(socket))) {
      const transport = new PlainSocketTransport(
        websocket,
        socket,
        configuration,
        isSynchronous,
        resource
      );
      if (isArrived) transport.adopt(head, configuration, mover);
      if (isArrived || transport.attach(head, configuration, mover)) {
        // Listeners that are told of the connection may replace what answers its pings.
        if (isPinned) setImmediate(() => transport.allowPongs?.());
        return transport;
      }
    }
  }

  const transport = new StreamTransport(websocket, socket, configuration, isSynchronous, parser);
  transport.start(head);
  return transport;
}

module.exports = { openTransport };
