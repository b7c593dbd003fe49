'use strict';

/*
 * The responses that Node and ws give whatever the program does, sent by the addon: 400, 408 and 431 for requests that Node's
 * parser refuses, 426 for plain requests, and 400 for requests to upgrade that ws refuses for their fields. The bytes
 * are those that the running Node writes to a connection in memory (probe.js), or that ws writes (abort-handshake.js); Node's
 * parser judges each request (node-parser.js). fallback.js has the conditions. Only upgrade.js calls this file.
 */

const http = require('http');

const { NodeParser, hasField } = require('./node-parser');
const { checkRequest, selectHeaders } = require('./check-request');
const { connectProbe } = require('./probe');
const { MAX_HEADER_PAIRS } = require('./incoming-message');
const { findObserver } = require('./fallback');
const { formatResponse } = require('./abort-handshake');
const { createError } = require('../errors');
const { setImmediate, setTimeout } = require('../node/schedule');

/** @typedef {InstanceType<typeof import('./listen-handle').ListenHandle>} ListenHandle */
/** @typedef {import('./http-server').AnyServer} AnyServer */
/** @typedef {import('./node-parser').ParsedRequest} ParsedRequest */

/** Reasons of the addon to report a connection; see Listener.listen(). */
const Reason = { OTHER: 1, ENDED: 2, LATE: 3, CLOSED: 4, KEPT: 5 };

/** Bytes of responses on one connection at a time; Node stops reading requests at its high-water mark. */
const MAX_RESPONSES = 16 * 1024;

/** Milliseconds of the longest timer. */
const MAX_TIMER = 0x7fffffff;

/** Requests with the responses that are sent for all like them, by method and persistence. */
const EXAMPLES = {
  GET: 'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
  'GET, close': 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
  HEAD: 'HEAD / HTTP/1.1\r\nHost: a\r\n\r\n',
  'HEAD, close': 'HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'
};

/** @typedef {keyof typeof EXAMPLES} Example */

/**
 * The outcome of answer(): `done`: the connection is answered. `upgrade`: the first `length` bytes are a request to upgrade, to be
 * emitted. `unsent`: Node gets the connection and sends the rest of the response; `keep` is false if that is the end. `node`: Node
 * gets the connection with its bytes.
 *
 * @typedef {{ kind: 'done' | 'node' } | { kind: 'upgrade', request: ParsedRequest, length: number } |
 *   { kind: 'unsent', rest: Buffer, keep: boolean }} Outcome
 */

/** @type {Outcome} */
const DONE = { kind: 'done' };
/** @type {Outcome} */
const FALL_BACK = { kind: 'node' };

/** The responses of one server. */
class NodeResponses {
  /**
   * @param {import('./node-parser').ParserOptions} options
   * @param {{ bad: Buffer, late: Buffer, tooLarge: Buffer }} refusals
   */
  constructor(options, refusals) {
    this.parser = new NodeParser(options);
    this.refusals = refusals;
    this.methods = new Map([
      [this.methodOf(EXAMPLES.GET), 'GET'],
      [this.methodOf(EXAMPLES.HEAD), 'HEAD']
    ]);
    /** Responses to plain requests. @type {Map<Example, Buffer>} */
    this.responses = new Map();
    /** The settings of the server that they depend on. */
    this.settings = '';
    /** Milliseconds after which Node closes a silent connection that it has answered; 0: not known yet. */
    this.silence = 0;
  }

  /** @param {string} request */
  methodOf(request) {
    const verdict = this.parser.parse(Buffer.from(request, 'latin1'), false);
    return verdict?.kind === 'plain' ? verdict.requests[0].method : undefined;
  }

  /** @param {string} code Node's error code */
  refusalOf(code) {
    return code === 'HPE_HEADER_OVERFLOW' ? this.refusals.tooLarge : this.refusals.bad;
  }

  /**
   * Returns the responses to plain requests, one after the other.
   *
   * @param {AnyServer} server
   * @param {ParsedRequest[]} requests
   * @returns {{ bytes: Buffer, keep: boolean } | null} null: Node answers them
   */
  respond(server, requests) {
    const { keepAliveTimeout, keepAliveTimeoutBuffer, requireHostHeader } = server;
    if (Number(server.maxRequestsPerSocket) > 0) return null;
    const settings = `${keepAliveTimeout} ${keepAliveTimeoutBuffer} ${requireHostHeader}`;
    if (this.settings !== settings) {
      this.settings = settings;
      this.silence = 0;
      this.responses.clear();
    }
    let length = 0;
    const parts = [];
    for (const [index, request] of requests.entries()) {
      const method = this.methods.get(request.method);
      const isLast = index === requests.length - 1;
      const { fields, major, minor } = request;
      const isUsual =
        major === 1 && minor === 1 && fields.length <= MAX_HEADER_PAIRS && hasField(fields, 'host');
      if (method === undefined || !isUsual || !(request.keepsAlive || isLast)) return null;
      const response = this.responseTo(
        server,
        /** @type {Example} */ (request.keepsAlive ? method : `${method}, close`)
      );
      if (response === null) return null;
      length += response.length;
      if (length > MAX_RESPONSES) return null;
      parts.push(response);
    }
    const keep = requests[requests.length - 1].keepsAlive;
    if (keep && !(this.silence > 0 && this.silence <= MAX_TIMER)) return null;
    return { bytes: parts.length === 1 ? parts[0] : Buffer.concat(parts, length), keep };
  }

  /** @param {AnyServer} server @param {Example} example @returns {Buffer | null} */
  responseTo(server, example) {
    const known = this.responses.get(example);
    if (known !== undefined) return known;
    const probe = connectProbe(server);
    probe.emit('data', Buffer.from(EXAMPLES[example], 'latin1'));
    const { output } = probe;
    const head = output.toString('latin1');
    const expected = example.endsWith('close') ? 'close' : 'keep-alive';
    // The time limit is set when the response has finished, a few ticks later.
    setImmediate(() => {
      if (probe.silence > 0) this.silence = probe.silence;
      probe.destroy();
    });
    if (!head.startsWith('HTTP/1.1 426 ') || !head.includes(`\r\nConnection: ${expected}\r\n`))
      return null;
    if (this.responses.size === 0) this.clearWithDate(head);
    this.responses.set(example, output);
    return output;
  }

  /** Forgets the responses when the second of their Date is over, which Node caches, too. @param {string} head */
  clearWithDate(head) {
    const date = Date.parse(/\r\nDate: (.*)\r\n/.exec(head)?.[1] ?? '');
    const left = Math.min(Math.max(date + 1000 - Date.now() || 0, 1), 1000);
    setTimeout(() => this.responses.clear(), left).unref();
  }
}

/**
 * Finds out the parser and the refusals of the running Node.
 *
 * @param {AnyServer} server
 * @returns {NodeResponses | null} null: this Node works in another way
 */
function learn(server) {
  const first = connectProbe(server);
  const { parser } = first;
  first.destroy();
  const HTTPParser = parser?.constructor;
  if (typeof HTTPParser?.prototype?.initialize !== 'function') return null;
  const { maxHeaderPairs } = parser;

  /** @type {unknown[]} */
  let settings = [];
  const { initialize } = HTTPParser.prototype;
  /** @this {unknown} @param {unknown} type @param {unknown} resource @param {unknown[]} others */
  HTTPParser.prototype.initialize = function (type, resource, ...others) {
    // Without the list of connections, which is the last.
    settings = others.slice(0, 2);
    return Reflect.apply(initialize, this, [type, resource, ...others]);
  };
  let bad;
  try {
    bad = connectProbe(server);
  } finally {
    HTTPParser.prototype.initialize = initialize;
  }
  bad.emit('data', Buffer.from('\0'));
  const tooLarge = connectProbe(server);
  const size = (server.maxHeaderSize || http.maxHeaderSize) + 1;
  tooLarge.emit('data', Buffer.from(`GET /${'a'.repeat(size)}`));
  const late = connectProbe(server);
  late.emit('error', createError('REQUEST_TIMEOUT'));

  const isKnown =
    settings.length === 2 &&
    maxHeaderPairs === MAX_HEADER_PAIRS &&
    Object.entries({ 400: bad, 408: late, 431: tooLarge }).every(
      ([status, probe]) =>
        probe.destroyed && probe.output.toString('latin1').startsWith(`HTTP/1.1 ${status} `)
    );
  if (!isKnown) return null;
  return new NodeResponses(
    { HTTPParser, maxHeaderPairs, settings },
    { bad: bad.output, late: late.output, tooLarge: tooLarge.output }
  );
}

/**
 * Answers a connection that has sent no plain request to upgrade, unless Node must.
 *
 * @param {ListenHandle} handle
 * @param {number} number of the connection
 * @param {Buffer | undefined} bytes all bytes of its current request
 * @param {number} reason
 * @returns {Outcome}
 */
function answer(handle, number, bytes, reason) {
  const { server, snapshot } = handle;
  const { isClosed } = handle;
  if (isClosed || findObserver(server, snapshot, 'refusal') !== null) return FALL_BACK;
  const responses = (handle.responses ??= learn(server));
  if (responses === null) return FALL_BACK;
  if (reason === Reason.LATE) return send(handle, number, responses.refusals.late, false);
  if (bytes === undefined) return FALL_BACK;

  const verdict = responses.parser.parse(bytes, reason === Reason.ENDED);
  if (verdict === null) return FALL_BACK;
  // Node answers what follows an answered request: it may depend on that.
  if (verdict.kind !== 'plain' && reason === Reason.KEPT) return FALL_BACK;
  if (verdict.kind === 'error')
    return send(handle, number, responses.refusalOf(verdict.code), false);
  if (verdict.kind === 'upgrade') {
    const { fields, major, method } = verdict.request;
    if (responses.methods.get(method) !== 'GET' || major !== 1) return FALL_BACK;
    const refusal = findRefusal(handle, fields);
    return refusal === null ? verdict : send(handle, number, refusal, false);
  }
  if (findObserver(server, snapshot, 'response') !== null) return FALL_BACK;
  const response = responses.respond(server, verdict.requests);
  if (response === null) return FALL_BACK;
  if (response.keep && !handle.canKeep(responses.silence)) return FALL_BACK;
  const outcome = send(handle, number, response.bytes, response.keep);
  if (response.keep && outcome === DONE) {
    const isFirst = reason !== Reason.KEPT;
    handle.keep(number, isFirst, bytes.length, response.bytes.length, responses.silence);
  }
  return outcome;
}

/**
 * Finds the refusal that ws gives to a request to upgrade, whatever the program does.
 *
 * @param {ListenHandle} handle
 * @param {string[]} fields names and values, alternating
 * @returns {Buffer | null} null: none, or the program may observe it
 */
function findRefusal({ server, snapshot }, fields) {
  const headers = selectHeaders(fields, MAX_HEADER_PAIRS);
  const refusal = headers && checkRequest('GET', headers);
  if (refusal === null || findObserver(server, snapshot, 'upgrade') !== null) return null;
  return Buffer.from(formatResponse(refusal.status, refusal.message, refusal.fields));
}

/**
 * @param {ListenHandle} handle
 * @param {number} number
 * @param {Buffer} bytes
 * @param {boolean} keep
 * @returns {Outcome}
 */
function send({ listener }, number, bytes, keep) {
  const written = listener.answer(number, bytes, keep);
  if (written === bytes.length) return DONE;
  return written !== null && written > 0
    ? { kind: 'unsent', rest: bytes.subarray(written), keep }
    : FALL_BACK;
}

module.exports = { Reason, answer };
