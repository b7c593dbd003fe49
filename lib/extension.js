'use strict';

/*
 * The Sec-WebSocket-Extensions header field (RFC 6455, section 9.1). Public as `WebSocket.extension`.
 * What the parameters of an extension mean is that extension's business.
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

/**
 * A cursor over the header field: reads tokens, quoted values and separators, each character once.
 */
class Scanner {
  /** @param {string} text */
  constructor(text) {
    this.text = text;
    this.index = 0;
  }

  /** @returns {number} the character code here, NaN at the end */
  peek() {
    return this.text.charCodeAt(this.index);
  }

  /** @returns {boolean} whether there was white space here; the cursor is behind it */
  skipBlanks() {
    const start = this.index;
    while (this.peek() === SPACE || this.peek() === TAB) this.index++;
    return this.index !== start;
  }

  /**
   * @returns {string} the token here
   * @throws {SyntaxError} if there is none
   */
  token() {
    const start = this.index;
    while (tokenChars[this.peek()] === 1) this.index++;
    if (this.index === start) this.fail();
    return this.text.slice(start, this.index);
  }

  /**
   * @returns {string} the token between quotes here, its escapes resolved
   * @throws {SyntaxError} if it is not one
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
   * The separator behind an element.
   *
   * @param {string} separators the characters that may stand here
   * @returns {number} its code, NaN at the end of the field
   * @throws {SyntaxError} if something else stands here
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
 * Parses the field, in one pass.
 *
 * @param {string} header value of the field
 * @returns {Record<string, Params[]>} for each extension its lists of parameters, in order; none of the
 *   objects has a prototype, so that any token is a plain key
 * @throws {SyntaxError}
 */
function parse(header) {
  const scanner = new Scanner(header);
  /** @type {Record<string, Params[]>} */
  const offers = Object.create(null);

  for (let end = false; !end;) {
    // Optional white space may precede an element, but not the whole field.
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
 * Writes the field.
 *
 * @param {Record<string, Record<string, any> | Record<string, any>[]>} extensions for each extension its
 *   parameters, or a list of alternatives; a value `true` is written as a bare name
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
