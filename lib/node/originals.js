'use strict';

/*
 * Whether members of this package are those that it defined. Tracers, mocks and subclasses replace members of Sender,
 * Receiver, PerMessageDeflate and WebSocket, some of them before the rest of the package is loaded: so the files that define
 * them say here, as they are loaded, how that is asked. Rule: a member that ws calls through an object is looked up on that
 * object when it is called, and the addon acts in its place only while it is the original.
 *
 * Most of it is asked for each message. The originals are constants beside their class: V8 then folds the comparisons.
 */

/**
 * @typedef {Object} SenderOriginals a `sender` of null has not been made yet
 * @property {(Class: any) => boolean} isOriginalClass whether it is the class Sender: a hook may have replaced it
 * @property {(sender: any) => boolean} hasOriginalSend whether a message may be framed and compressed by the addon without
 *   asking a Sender
 * @property {(sender: any, command: 'ping' | 'pong') => boolean} hasOriginalControl the same for a ping or a pong
 * @property {(sender: any) => boolean} hasOriginalFraming whether the addon may frame and write in the place of Sender.frame() and
 *   sendFrame()
 *
 * @typedef {Object} ReceiverOriginals a `receiver` of null has not been made yet
 * @property {(Class: any) => boolean} hasOriginalParsing whether the addon may parse in the place of an object of this class
 * @property {() => boolean} hasOriginalEvents false: a program wants to see what is called on every receiver
 * @property {(receiver: any) => boolean} hasOriginalDataMessage whether dataMessage() need not be asked
 * @property {(receiver: any) => boolean} hasOriginalControlMessage whether controlMessage() need not be asked
 *
 * @typedef {Object} DeflateOriginals `deflate` is the PerMessageDeflate of a connection, or undefined
 * @property {(deflate: any) => boolean} hasOriginalCompress
 * @property {(deflate: any) => boolean} hasOriginalDecompress
 *
 * @typedef {Object} WebSocketOriginals
 * @property {(websocket: any) => boolean} hasOriginalPong
 */

/**
 * @typedef {Object} Originals
 * @property {SenderOriginals} sender
 * @property {ReceiverOriginals} receiver
 * @property {DeflateOriginals} deflate
 * @property {WebSocketOriginals} websocket
 * @property {(...classes: any[]) => Originals} definedBy returns this; the
 *   arguments make the files that set the properties load first
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
