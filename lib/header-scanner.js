'use strict';

/*
 * A scanner of header fields (RFC 9110, section 5.6) for extension.js and subprotocol.js: reads tokens, quoted values and
 * separators in one pass. Errors are those of ws.
 */

const { createError } = require('./errors');
const { tokenChars } = require('./validation');

const SPACE = 0x20;
const TAB = 0x09;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

class HeaderScanner {
  /** @param {string} text value of the field */
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
   * Reads the token that begins an element. White space is allowed before it, except before the first one.
   *
   * @returns {string}
   * @throws {SyntaxError} if there is none
   */
  element() {
    if (this.index > 0) this.skipBlanks();
    return this.token();
  }

  /** @returns {string} the next token @throws {SyntaxError} if there is none */
  token() {
    const start = this.index;
    while (tokenChars[this.peek()] === 1) this.index++;
    if (this.index === start) this.fail();
    return this.text.slice(start, this.index);
  }

  /** @returns {string} the next token, between quotes, without escapes @throws {SyntaxError} if it is not a token */
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

  /** @returns {string} the next token, quoted or not @throws {SyntaxError} if there is none */
  value() {
    return this.peek() === QUOTE ? this.quoted() : this.token();
  }

  /**
   * Reads a separator, or the end of the field.
   *
   * @param {string} separators accepted characters
   * @returns {string} '' at the end of the field
   * @throws {SyntaxError} on another character, and on white space at the end
   */
  separator(separators) {
    const hasBlanks = this.skipBlanks();
    const isAtEnd = this.index >= this.text.length;
    if (isAtEnd ? hasBlanks : !separators.includes(this.text[this.index])) this.fail();
    return this.text.charAt(this.index++);
  }

  /** @returns {never} */
  fail() {
    if (this.index >= this.text.length) throw createError('UNEXPECTED_END');
    throw createError('UNEXPECTED_CHARACTER', this.index);
  }
}

module.exports = { HeaderScanner };
