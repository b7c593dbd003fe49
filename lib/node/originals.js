'use strict';

/*
 * Checks for replaced members. Tracers, mocks and subclasses replace members of Sender, Receiver, PerMessageDeflate and
 * WebSocket, some before the rest of the package is loaded. The files that define these classes set their checks here while
 * they load. Rule: a member that ws calls on an object is looked up on that object at the time of the call, and the addon acts
 * in its place only while it is the original.
 *
 * Most checks run for each message. The originals are constants in the file of their class, so V8 folds the comparisons.
 */

/**
 * `sender` is the Sender of a connection, or null if it has not been created.
 *
 * @typedef {Object} SenderOriginals
 * @property {(Class: any) => boolean} isOriginalClass false: a require hook has replaced the class Sender
 * @property {(sender: any) => boolean} hasOriginalSend true if the addon may frame and compress messages without a Sender
 * @property {(sender: any, command: 'ping' | 'pong') => boolean} hasOriginalControl the same for pings or pongs
 * @property {() => boolean} hasOriginalClose true if the addon may send a close frame without a Sender
 * @property {(sender: any) => boolean} hasOriginalFraming true if the addon may act for Sender.frame() and sendFrame()
 *
 * `receiver` is the Receiver of a connection, or null if it has not been created.
 *
 * @typedef {Object} ReceiverOriginals
 * @property {(Class: any) => boolean} hasOriginalParsing true if the addon may parse for an object of this class
 * @property {() => boolean} hasOriginalEvents false: a program observes the calls of every receiver
 * @property {(receiver: any) => boolean} hasOriginalDataMessage true if the addon may act for dataMessage()
 * @property {(receiver: any) => boolean} hasOriginalControlMessage true if the addon may act for controlMessage()
 *
 * `deflate` is the PerMessageDeflate of a connection, or undefined.
 *
 * @typedef {Object} DeflateOriginals
 * @property {(deflate: any) => boolean} hasOriginalCompress
 * @property {(deflate: any) => boolean} hasOriginalDecompress
 *
 * @typedef {Object} WebSocketOriginals
 * @property {(websocket: any) => boolean} hasOriginalPong
 *
 * @typedef {Object} Originals
 * @property {SenderOriginals} sender
 * @property {ReceiverOriginals} receiver
 * @property {DeflateOriginals} deflate
 * @property {WebSocketOriginals} websocket
 * @property {(...classes: any[]) => Originals} definedBy returns this; its arguments load the files that set the checks
 */

/** @type {Originals} */
const originals = {
  // Set by sender.js, receiver.js, permessage-deflate.js and websocket.js
  sender: /** @type {any} */ (undefined),
  receiver: /** @type {any} */ (undefined),
  deflate: /** @type {any} */ (undefined),
  websocket: /** @type {any} */ (undefined),

  definedBy: (..._classes) => originals
};

module.exports = originals;
