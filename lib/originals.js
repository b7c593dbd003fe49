'use strict';

/*
 * The members of this package as it defined them. Tracers, mocks and subclasses replace members of Sender, Receiver and
 * PerMessageDeflate, some of them before the rest of the package is loaded: each of these files notes its own here as soon as
 * it has defined them. Rule: a member that ws calls through an object is looked up on that object when it is called, and the
 * addon acts in its place only while it is the original.
 */

/**
 * A class and the methods of it that count.
 *
 * @typedef {Object} Noted
 * @property {any} Class
 * @property {any} prototype a plain object with the original methods
 */

/** @type {Noted} */
const sender = { Class: undefined, prototype: {} };
/** @type {Noted} */
const receiver = { Class: undefined, prototype: {} };
/** @type {Noted} */
const deflate = { Class: undefined, prototype: {} };

/** The static method `Sender.frame`. @type {any} */
let frame;

/** The method `WebSocket.prototype.pong`. @type {any} */
let pong;

/**
 * @param {Noted} noted
 * @param {any} Class
 */
function note(noted, Class) {
  noted.Class = Class;
  for (const name of Object.getOwnPropertyNames(Class.prototype)) {
    if (name === 'constructor') continue;
    noted.prototype[name] = Class.prototype[name];
  }
}

/** @param {any} Class Sender, just defined */
function noteSender(Class) {
  note(sender, Class);
  ({ frame } = Class);
}

/** @param {any} Class Receiver, just defined */
function noteReceiver(Class) {
  note(receiver, Class);
  const { addListener, emit, on } = Class.prototype;
  Object.assign(receiver.prototype, { addListener, emit, on });
}

/** @param {any} Class WebSocket, just defined */
function noteWebSocket(Class) {
  ({ pong } = Class.prototype);
}

/** Whether a WebSocket answers pings by the method of this package. @param {any} websocket */
function pongsAsDefined(websocket) {
  return websocket.pong === pong;
}

/** @param {any} Class PerMessageDeflate, just defined */
function noteDeflate(Class) {
  note(deflate, Class);
}

/**
 * Whether a message may be framed and compressed by the addon without asking a Sender. On the path of every message.
 *
 * @param {any} object a Sender; null: none has been made
 * @returns {boolean}
 */
function sendsAsDefined(object) {
  const { dispatch, send, sendFrame } = sender.prototype;
  const members = object ?? sender.Class.prototype;
  return (
    members.send === send &&
    members.dispatch === dispatch &&
    members.sendFrame === sendFrame &&
    sender.Class.frame === frame
  );
}

/**
 * Whether a control frame may be framed by the addon without asking a Sender.
 *
 * @param {any} object a Sender; null: none has been made
 * @param {'ping' | 'pong'} command
 * @returns {boolean}
 */
function controlsAsDefined(object, command) {
  const members = object ?? sender.Class.prototype;
  return (
    members[command] === sender.prototype[command] &&
    members.sendFrame === sender.prototype.sendFrame &&
    sender.Class.frame === frame
  );
}

/**
 * Whether a frame may be made and written by the addon in the place of Sender.frame() and sendFrame().
 *
 * @param {any} object a Sender
 * @returns {boolean}
 */
function framesAsDefined(object) {
  return object.sendFrame === sender.prototype.sendFrame && sender.Class.frame === frame;
}

/**
 * Whether the addon may compress in the place of a PerMessageDeflate.
 *
 * @param {any} object undefined: nothing is compressed
 * @returns {boolean}
 */
function compressesAsDefined(object) {
  return object === undefined || object.compress === deflate.prototype.compress;
}

/** The class that new connections take for their senders, unless a hook has replaced it. @param {any} Class */
function isSender(Class) {
  return Class === sender.Class;
}

/**
 * Whether the addon may parse in the place of a Receiver that is about to be made.
 *
 * @param {any} Class that the receiver would be of
 * @param {any} extension PerMessageDeflate of the connection; undefined: there is none
 * @returns {boolean}
 */
function parsesAsDefined(Class, extension) {
  if (Class !== receiver.Class) return false;
  if (extension !== undefined && extension.decompress !== deflate.prototype.decompress)
    return false;
  const { prototype } = Class;
  for (const name of Object.keys(receiver.prototype)) {
    if (prototype[name] !== receiver.prototype[name] && !LISTENED.has(name)) return false;
  }
  return true;
}

/** Members that are called once a message has been parsed, whatever has parsed it. */
const LISTENED = new Set(['addListener', 'emit', 'on']);

/** Whether every receiver must exist from the beginning, so that those who have patched these see their calls. */
function isReceiverHeard() {
  const { addListener, emit, on } = receiver.prototype;
  const { prototype } = receiver.Class;
  return prototype.on !== on || prototype.addListener !== addListener || prototype.emit !== emit;
}

/**
 * Whether a parsed message may be emitted without asking dataMessage() or controlMessage().
 *
 * @param {any} object a Receiver; null: none has been made
 * @param {'controlMessage' | 'dataMessage'} name
 * @returns {boolean}
 */
function handlesAsDefined(object, name) {
  return (object ?? receiver.Class.prototype)[name] === receiver.prototype[name];
}

module.exports = {
  compressesAsDefined,
  controlsAsDefined,
  framesAsDefined,
  handlesAsDefined,
  isReceiverHeard,
  isSender,
  noteDeflate,
  noteReceiver,
  noteSender,
  noteWebSocket,
  parsesAsDefined,
  pongsAsDefined,
  sendsAsDefined
};
