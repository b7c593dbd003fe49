'use strict';

/*
 * Node's HTTP parser on bytes in memory. It judges each request that the addon has not accepted as an upgrade. Its class is not
 * public: node-responses.js takes it from a connection of an http.Server, with the arguments of its initialization. No response is
 * chosen here.
 */

/** Bytes at the end of a request without a body. */
const HEAD_END = '\r\n\r\n';

/**
 * @typedef {Object} ParserOptions
 * @property {any} HTTPParser
 * @property {unknown[]} settings arguments of its initialize() behind the resource
 * @property {number} maxHeaderPairs names and values after which Node drops fields
 */

/**
 * @typedef {Object} ParsedRequest
 * @property {number} major version
 * @property {number} minor
 * @property {string[]} fields names and values, alternating
 * @property {number} method number of the parser
 * @property {string} url
 * @property {boolean} isUpgrade
 * @property {boolean} keepsAlive
 */

/**
 * The verdict on all bytes of a connection so far.
 *
 * `error`: Node's error code. `upgrade`: `length` bytes are a request to upgrade. `plain`: complete requests without a body.
 *
 * @typedef {{ kind: 'error', code: string } | { kind: 'upgrade', request: ParsedRequest, length: number } |
 *   { kind: 'plain', requests: ParsedRequest[] }} Verdict
 */

class NodeParser {
  /** @param {ParserOptions} options */
  constructor({ HTTPParser, maxHeaderPairs, settings }) {
    const parser = new HTTPParser();
    // Newer versions of Node refuse a request with more fields.
    parser.maxHeaderPairs = maxHeaderPairs;
    this.parser = parser;
    this.type = HTTPParser.REQUEST;
    this.settings = settings;
    /** Requests whose heads are complete. @type {ParsedRequest[]} */
    this.requests = [];
    this.begun = 0;
    this.completed = 0;
    /** Fields and target of the current request that Node reports in parts. @type {string[]} */
    this.fields = [];
    this.url = '';

    /** @param {string[]} fields @param {string} url */
    const addFields = (fields, url) => {
      // As Node does: a group of fields is dropped, or kept whole.
      if (this.fields.length < maxHeaderPairs) {
        for (const text of fields) this.fields.push(text);
      }
      this.url += url;
    };
    parser[HTTPParser.kOnMessageBegin] = () => {
      this.begun++;
    };
    parser[HTTPParser.kOnHeaders] = addFields;
    parser[HTTPParser.kOnHeadersComplete] = (
      /** @type {number} */ major,
      /** @type {number} */ minor,
      /** @type {string[] | undefined} */ fields,
      /** @type {number} */ method,
      /** @type {string | undefined} */ url,
      /** @type {unknown} */ _status,
      /** @type {unknown} */ _reason,
      /** @type {boolean} */ isUpgrade,
      /** @type {boolean} */ keepsAlive
    ) => {
      const all = fields ?? this.fields;
      const target = url ?? this.url;
      this.fields = [];
      this.url = '';
      this.requests.push({ major, minor, fields: all, method, url: target, isUpgrade, keepsAlive });
      // Ends the execution behind the head of an upgrade.
      return isUpgrade ? 2 : 0;
    };
    parser[HTTPParser.kOnMessageComplete] = () => {
      this.completed++;
    };
  }

  /**
   * Parses the first bytes of a connection.
   *
   * @param {Buffer} bytes
   * @param {boolean} hasEnded the peer has sent no more
   * @returns {Verdict | null} null: undecided, or a case for Node
   */
  parse(bytes, hasEnded) {
    const { parser } = this;
    this.requests = [];
    this.begun = this.completed = 0;
    this.fields = [];
    this.url = '';
    parser.initialize(this.type, {}, ...this.settings);
    const result = parser.execute(bytes);
    const { requests } = this;
    const isNumber = typeof result === 'number';
    if (requests.length === 0) {
      const error = isNumber && hasEnded ? parser.finish() : result;
      return error && typeof error.code === 'string' ? { kind: 'error', code: error.code } : null;
    }
    if (!isNumber || requests.some(hasBody)) return null;
    const [request] = requests;
    if (request.isUpgrade) {
      return requests.length === 1 ? { kind: 'upgrade', request, length: result } : null;
    }
    const isWhole =
      this.begun === requests.length &&
      this.completed === requests.length &&
      result === bytes.length &&
      bytes.toString('latin1', bytes.length - HEAD_END.length) === HEAD_END;
    return isWhole && !requests.some(({ isUpgrade }) => isUpgrade)
      ? { kind: 'plain', requests }
      : null;
  }
}

/** @param {ParsedRequest} request @returns {boolean} true if bytes behind the head belong to it, or Node treats it specially */
function hasBody({ fields }) {
  for (let i = 0; i < fields.length; i += 2) {
    const { length } = fields[i];
    // A request may have a thousand fields: their names are compared by length first.
    if (length !== 14 && length !== 17 && length !== 6) continue;
    const name = fields[i].toLowerCase();
    if (name === 'content-length' || name === 'transfer-encoding' || name === 'expect') return true;
  }
  return false;
}

/** @param {string[]} fields @param {string} name in lower case */
function hasField(fields, name) {
  for (let i = 0; i < fields.length; i += 2) {
    if (fields[i].length === name.length && fields[i].toLowerCase() === name) return true;
  }
  return false;
}

module.exports = { NodeParser, hasField };
