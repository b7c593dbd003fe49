'use strict';

// The recorded trace of one run of a scenario, and the comparison of two traces. A trace has lanes. The order within a lane is
// compared; the order between lanes is not, because the two ends of a connection are not synchronized. When all ends share an
// event loop, the order between lanes is significant, too: such a trace is interleaved, one sequence of all lanes. Used by
// context.js and run.js.

const http = require('node:http');
const { bytesText } = require('./frames');

const STATES = ['CONNECTING', 'OPEN', 'CLOSING', 'CLOSED'];

/**
 * An error as text: class, name, code and message.
 *
 * @param {any} err
 * @returns {string}
 */
function errorText(err) {
  const name = err?.constructor?.name;
  const own = err?.name === name ? '' : `/${err?.name}`;
  const code = err?.code === undefined ? '' : ` [${err.code}]`;
  // OpenSSL prefixes its text with a thread id.
  const message = String(err?.message).replace(/ EPROTO [0-9A-F]+:/, ' EPROTO ');
  return `${name}${own}${code} ${JSON.stringify(message)}`;
}

/**
 * A value in a comparable form: type and content, never identity, time or address.
 *
 * @param {any} value
 * @returns {string}
 */
function valueText(value) {
  if (value === null || value === undefined) return String(value);
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'function') return `[function ${value.name}]`;
  if (typeof value === 'symbol' || typeof value === 'bigint')
    return `${typeof value} ${String(value)}`;
  if (typeof value !== 'object') return String(value);
  if (value instanceof Error) return errorText(value);
  if (Buffer.isBuffer(value)) return `Buffer ${bytesText(value)}`;
  if (ArrayBuffer.isView(value)) {
    return `${value.constructor.name} ${bytesText(new Uint8Array(value.buffer, value.byteOffset, value.byteLength))}`;
  }
  if (value instanceof ArrayBuffer) return `ArrayBuffer ${bytesText(new Uint8Array(value))}`;
  if (value instanceof Blob) return `Blob size=${value.size} type=${JSON.stringify(value.type)}`;
  if (Array.isArray(value)) return `[${value.map(valueText).join(', ')}]`;
  if (value instanceof Set) return `Set {${[...value].map(valueText).join(', ')}}`;
  if (value instanceof http.IncomingMessage) {
    return value.statusCode
      ? `[response ${value.statusCode}]`
      : `[request ${value.method} ${value.url}]`;
  }
  if (value instanceof http.ClientRequest) return `[client request ${value.path}]`;
  const proto = Object.getPrototypeOf(value);
  if (proto !== Object.prototype && proto !== null) return `[${value.constructor?.name}]`;
  return `{${Object.keys(value)
    .map((key) => `${key}: ${valueText(value[key])}`)
    .join(', ')}}`;
}

/** The recorded lines of one run of a scenario. */
class Trace {
  #lanes = new Map();
  #hidden = new Map();
  #frozen = false;
  #isInterleaved;

  /** @param {boolean} [isInterleaved] true if the order between lanes is significant */
  constructor(isInterleaved = false) {
    this.#isInterleaved = isInterleaved;
  }

  get isInterleaved() {
    return this.#isInterleaved;
  }

  /**
   * Appends one line to a lane.
   *
   * @param {string} lane
   * @param {string} line
   */
  line(lane, line) {
    if (this.#frozen) return;
    if (this.#isInterleaved) {
      line = `${lane}: ${line}`;
      lane = 'all';
    }
    if (!this.#lanes.has(lane)) this.#lanes.set(lane, []);
    this.#lanes.get(lane).push(line);
  }

  /**
   * Appends an event with its arguments and the state of its WebSocket.
   *
   * @param {string} lane
   * @param {string} event
   * @param {any[]} args
   * @param {{ readyState: number }} [ws]
   */
  event(lane, event, args, ws) {
    const state = ws ? ` ${STATES[ws.readyState] ?? ws.readyState}` : '';
    this.line(lane, `${event}(${args.map(valueText).join(', ')})${state}`);
  }

  /**
   * Replaces a text that differs between runs (a port, a path) by a label.
   *
   * @param {string | number} text
   * @param {string} label
   */
  hide(text, label) {
    this.#hidden.set(String(text), label);
  }

  /** Drops later lines: tearing down the peers is not part of the scenario. */
  freeze() {
    this.#frozen = true;
  }

  /**
   * @returns {string[]} all lines, lanes in alphabetical order
   */
  lines() {
    // Longest first, because a port may be part of a longer text.
    const hidden = [...this.#hidden].sort((a, b) => b[0].length - a[0].length);
    const show = (line) => hidden.reduce((text, [from, to]) => text.replaceAll(from, to), line);
    return [...this.#lanes.keys()]
      .sort()
      .flatMap((lane) => [`[${lane}]`, ...this.#lanes.get(lane).map((line) => `  ${show(line)}`)]);
  }
}

/**
 * A line diff by longest common subsequence.
 *
 * @param {string[]} expected
 * @param {string[]} actual
 * @returns {string | null} lines marked `-` (expected only), `+` (actual only) and ` `; null if equal
 */
function difference(expected, actual) {
  if (expected.join('\n') === actual.join('\n')) return null;
  const common = Array.from({ length: expected.length + 1 }, () =>
    new Array(actual.length + 1).fill(0)
  );
  for (let i = expected.length - 1; i >= 0; i--) {
    for (let j = actual.length - 1; j >= 0; j--) {
      common[i][j] =
        expected[i] === actual[j]
          ? common[i + 1][j + 1] + 1
          : Math.max(common[i + 1][j], common[i][j + 1]);
    }
  }
  const out = [];
  let i = 0;
  let j = 0;
  while (i < expected.length || j < actual.length) {
    if (i < expected.length && j < actual.length && expected[i] === actual[j]) {
      out.push(`  ${expected[i++]}`);
      j++;
    } else if (
      i < expected.length &&
      (j === actual.length || common[i + 1][j] >= common[i][j + 1])
    ) {
      out.push(`- ${expected[i++]}`);
    } else {
      out.push(`+ ${actual[j++]}`);
    }
  }
  return out.join('\n');
}

module.exports = { Trace, difference, valueText, errorText };
