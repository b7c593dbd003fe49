'use strict';

/*
 * Chooses the transport of a connection. WebSocket.setSocket() calls it; the rule is: the I/O threads where
 * that is possible and nobody has said otherwise, else the stream.
 */

const { flushOnExit } = require('./flushing');
const { StreamTransport } = require('./stream');
const { ThreadTransport, canPark } = require('./io-threads');

/**
 * Connects a WebSocket with its socket. Nothing is emitted before the caller returns.
 *
 * @param {any} websocket
 * @param {any} socket a Duplex
 * @param {Buffer} head bytes that have already been read from it
 * @param {import('../native').ConnectionOptions} options `autoPong`: whether a transport may answer pings by itself
 * @param {boolean} isSynchronous
 * @param {import('async_hooks').AsyncResource} resource context that events are emitted in
 * @returns {InstanceType<typeof StreamTransport> | InstanceType<typeof ThreadTransport>}
 */
function openTransport(websocket, socket, head, options, isSynchronous, resource) {
  flushOnExit();
  // The variable pins the transport for tests and for the suspicious; it is read each time on purpose.
  if (process.env.FERROWS_TRANSPORT !== 'stream' && canPark(socket)) {
    const transport = new ThreadTransport(websocket, socket, options, isSynchronous);
    if (transport.attach(head, resource)) return transport;
  }

  const own = { ...options, autoPong: false };
  const transport = new StreamTransport(websocket, socket, own, isSynchronous);
  transport.start(head);
  return transport;
}

module.exports = { openTransport };
