'use strict';

/*
 * The Sec-WebSocket-Extensions header field (RFC 6455, section 9.1), public as `WebSocket.extension`. The meaning of parameters
 * belongs to their extension.
 */

const { createError } = require('./errors');
const { tokenChars } = require('./validation');

const SPACE = 0x20;
const TAB = 0x09;
const QUOTE = 0x22;
const COMMA = 0x2c;
const SEMICOLON = 0x3b;
const EQUALS = 0x3d;
const BACKSLASH = 0x5c;

/** @typedef {Record<string, (string | true)[]>} Params */

/** Reads tokens, quoted values and separators of the header field in one pass. */
class Scanner {
  /** @param {string} text */
  constructor(text) {
    this.text = text;
    this.index = 0;
  }

  /** @returns {number} the next character code; NaN at the end */
  peek() {
    return this.text.charCodeAt(this.index);
  }

  /** Skips white space. @returns {boolean} true if there was any */
  skipBlanks() {
    const start = this.index;
    while (this.peek() === SPACE || this.peek() === TAB) this.index++;
    return this.index !== start;
  }

  /**
   * Reads a token.
   *
   * @returns {string}
   * @throws {SyntaxError} if there is none
   */
  token() {
    const start = this.index;
    while (tokenChars[this.peek()] === 1) this.index++;
    if (this.index === start) this.fail();
    return this.text.slice(start, this.index);
  }

  /**
   * Reads a token between quotes.
   *
   * @returns {string} with its escapes resolved
   * @throws {SyntaxError} if the content is not a token
   */
  quoted() {
    let value = '';
    for (this.index++; ; this.index++) {
      if (this.peek() === QUOTE && value !== '') break;
      if (this.peek() === BACKSLASH) this.index++;
      if (tokenChars[this.peek()] !== 1) this.fail();
      value += this.text[this.index];
    }
    this.index++;
    return value;
  }

  /**
   * Reads a separator, or the end of the field.
   *
   * @param {string} separators accepted characters
   * @returns {number} its code; NaN at the end of the field
   * @throws {SyntaxError} on another character
   */
  separator(separators) {
    const blank = this.skipBlanks();
    const code = this.peek();
    if (Number.isNaN(code) ? blank : !separators.includes(this.text[this.index])) this.fail();
    this.index++;
    return code;
  }

  /** @returns {never} */
  fail() {
    if (this.index >= this.text.length) throw createError('UNEXPECTED_END');
    throw createError('UNEXPECTED_CHARACTER', this.index);
  }
}

/**
 * Parses the field.
 *
 * @param {string} header value of the field
 * @returns {Record<string, Params[]>} by extension, the parameters of each offer in order; the objects have no prototype,
 *   so that any token is a valid key
 * @throws {SyntaxError}
 */
function parse(header) {
  const scanner = new Scanner(header);
  /** @type {Record<string, Params[]>} */
  const offers = Object.create(null);

  for (let end = false; !end;) {
    // White space is allowed before an element, except the first (as in ws).
    if (scanner.index > 0) scanner.skipBlanks();
    const name = scanner.token();
    const params = Object.create(null);
    let code = scanner.separator(';,');

    while (code === SEMICOLON) {
      scanner.skipBlanks();
      const key = scanner.token();
      /** @type {string | true} */
      let value = true;
      if (scanner.peek() === EQUALS) {
        scanner.index++;
        value = scanner.peek() === QUOTE ? scanner.quoted() : scanner.token();
      }
      (params[key] ??= []).push(value);
      code = scanner.separator(';,');
    }

    (offers[name] ??= []).push(params);
    end = code !== COMMA;
  }

  return offers;
}

/**
 * Formats the field.
 *
 * @param {Record<string, Record<string, any> | Record<string, any>[]>} extensions by extension, its parameters or a list of
 *   alternatives; `true` is a parameter without a value
 * @returns {string}
 */
function format(extensions) {
  return Object.entries(extensions)
    .flatMap(([name, alternatives]) =>
      [alternatives].flat().map((params) => [name, ...formatParams(params)].join('; '))
    )
    .join(', ');
}

/**
 * @param {Record<string, any>} params
 * @returns {string[]}
 */
function formatParams(params) {
  return Object.entries(params).flatMap(([key, values]) =>
    [values].flat().map((value) => (value === true ? key : `${key}=${value}`))
  );
}

module.exports = { format, parse };
