'use strict';

// The visible state of a request and of the socket under a connection, as lines of a trace: every public property, and the
// listeners. Nothing is changed.

const http = require('node:http');
const net = require('node:net');
const { Readable, Writable, Duplex } = require('node:stream');
const { types } = require('node:util');
const { valueText } = require('./trace');

/** Public properties of a net.Socket, without those about reading: ferrows does not read through it. */
const OF_SOCKETS = [
  ...['allowHalfOpen', 'bytesRead', 'bytesWritten', 'bufferSize', 'connecting', 'pending'],
  ...['readyState', 'timeout', 'destroyed', 'closed', 'errored', 'remoteAddress', 'remoteFamily'],
  ...['localAddress', 'localFamily', 'encrypted', 'authorized', 'parser', '_httpMessage'],
  ...['readable', 'readableAborted', 'readableEncoding', 'readableEnded', 'readableFlowing'],
  ...['readableHighWaterMark', 'readableLength', 'readableObjectMode'],
  ...['writable', 'writableAborted', 'writableCorked', 'writableEnded', 'writableFinished'],
  ...['writableHighWaterMark', 'writableLength', 'writableNeedDrain', 'writableObjectMode']
];

/** Public properties of an http.IncomingMessage. */
const OF_REQUESTS = [
  ...['method', 'url', 'httpVersion', 'httpVersionMajor', 'httpVersionMinor', 'statusCode'],
  ...['statusMessage', 'upgrade', 'complete', 'aborted', 'destroyed', 'closed', 'errored'],
  ...['headers', 'rawHeaders', 'headersDistinct', 'trailers', 'rawTrailers', 'trailersDistinct'],
  ...['joinDuplicateHeaders', 'readable', 'readableAborted', 'readableDidRead', 'readableEnded'],
  ...['readableFlowing', 'readableHighWaterMark', 'readableLength', 'readableEncoding', 'parser']
];

/** @param {any} value any value of a property; a missing prototype is shown */
function shown(value) {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return valueText(value);
  const proto = Object.getPrototypeOf(value);
  return proto === null ? `null prototype ${valueText(value)}` : valueText(value);
}

/**
 * The listeners of an emitter, without those of `data`: ferrows does not add one.
 *
 * @param {import('node:events').EventEmitter} emitter
 */
function listenersOf(emitter) {
  return emitter
    .eventNames()
    .map(String)
    .filter((name) => name !== 'data')
    .sort()
    .map((name) => `${name} ${emitter.listenerCount(name)}`);
}

/**
 * @param {any} socket
 * @param {any} [server] the server that should have accepted it
 * @returns {string[]}
 */
function socketLines(socket, server) {
  return [
    `class ${socket.constructor.name} ${socket instanceof net.Socket} ${socket instanceof Duplex}`,
    `kinds ${socket instanceof Readable} ${socket instanceof Writable} ${Object.isExtensible(socket)}`,
    `proxy ${types.isProxy(socket)} ${Object.prototype.toString.call(socket)}`,
    `server ${socket.server === server} ${socket._server === server}`,
    `ports ${typeof socket.remotePort} ${typeof socket.localPort}`,
    `address ${valueText(Object.entries(socket.address()).map(([name, value]) => (name === 'port' ? [name, typeof value] : [name, value])))}`,
    `listeners ${listenersOf(socket).join(', ')}`,
    ...OF_SOCKETS.map((name) => `${name} ${shown(socket[name])}`)
  ];
}

/**
 * @param {any} request
 * @param {any} [socket] the socket it should have come from
 * @returns {string[]}
 */
function requestLines(request, socket) {
  return [
    `class ${request.constructor.name} ${request instanceof http.IncomingMessage} ${request instanceof Readable}`,
    `proxy ${types.isProxy(request)} ${Object.prototype.toString.call(request)}`,
    `keys ${Object.keys(request).join(' ')}`,
    `names ${Object.getOwnPropertyNames(request).length - Object.keys(request).length}`,
    `socket ${request.socket === socket} ${request.connection === socket} ${request.client === socket}`,
    `listeners ${listenersOf(request).join(', ')}`,
    ...OF_REQUESTS.map((name) => `${name} ${shown(request[name])}`)
  ];
}

/**
 * Records lines in a lane, under a heading.
 *
 * @param {import('./context').Context} t
 * @param {string} lane
 * @param {string} heading
 * @param {string[]} lines
 */
function record(t, lane, heading, lines) {
  t.trace.line(lane, `${heading}:`);
  for (const line of lines) t.trace.line(lane, `  ${line}`);
}

/**
 * All bytes of a response, without the date.
 *
 * @param {Buffer} bytes
 */
const answerText = (bytes) => bytes.toString('latin1').replace(/Date: .*/g, 'Date: ...');

module.exports = { answerText, record, requestLines, socketLines };
