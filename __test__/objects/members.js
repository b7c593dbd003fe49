'use strict';

// The members that ws calls or reads through an object, from a reading of its lib/. replaced.test.js replaces each of them in
// each way and compares the effects with ws. Add members here when ws calls new ones.

/** Members of the parts: read through `ws._sender` and `ws._receiver`, or an extension of theirs. */
const PARTS = {
  Sender: [
    'send',
    'ping',
    'pong',
    'close',
    'dispatch',
    'enqueue',
    'dequeue',
    'getBlobData',
    'sendFrame'
  ],
  Receiver: [
    '_write',
    'write',
    'end',
    'consume',
    'startLoop',
    'getInfo',
    'getPayloadLength16',
    'getPayloadLength64',
    'haveLength',
    'getMask',
    'getData',
    'decompress',
    'dataMessage',
    'controlMessage',
    'emit',
    'on'
  ],
  PerMessageDeflate: ['compress', 'decompress', 'cleanup', 'accept', 'offer']
};

/** Members of a WebSocket that ws calls itself. */
const METHODS = [
  'send',
  'ping',
  'pong',
  'close',
  'terminate',
  'emit',
  'emitClose',
  'setSocket',
  'on',
  'once',
  'removeListener',
  'listeners',
  'addEventListener'
];

/** Members of a WebSocket that ws reads, and values for them. */
const VALUES = {
  readyState: [1, 2, 3],
  isPaused: [true],
  _readyState: [1, 2, 3],
  _autoPong: [false, 0],
  _isServer: [true, false],
  _paused: [true],
  _closeFrameSent: [true],
  _errorEmitted: [true],
  _maxPendingAutoPongs: [-1],
  _pendingAutoPongs: [1000],
  _protocol: ['x'],
  _extensions: [{}],
  _bufferedAmount: [7],
  _binaryType: ['arraybuffer'],
  _closeCode: [4000],
  _closeTimeout: [5]
};

/** Members of a WebSocketServer that ws calls. */
const SERVER = [
  'handleUpgrade',
  'completeUpgrade',
  'shouldHandle',
  'emit',
  'on',
  'once',
  'address'
];

/** The number of calls depends on segment boundaries: only their existence is compared. */
const PIECEWISE = new Set([
  '_write',
  'write',
  'consume',
  'startLoop',
  'getInfo',
  'getMask',
  'getData',
  'haveLength'
]);

/** Without effect when replaced after `open`, if the addon parses. */
const BEFORE_OPEN = new Set([
  ...PARTS.Receiver.filter((name) => !['controlMessage', 'dataMessage', 'emit'].includes(name)),
  'PerMessageDeflate.decompress'
]);

/**
 * @param {string} name of a case
 * @returns {boolean} true if it replaces a member that an open connection does not call
 */
function isTooLate(name) {
  const member = /^(?:Receiver\.)?([\w.]+) spied.* after$/.exec(name)?.[1];
  return member !== undefined && BEFORE_OPEN.has(member);
}

module.exports = { METHODS, PARTS, PIECEWISE, SERVER, VALUES, isTooLate };
