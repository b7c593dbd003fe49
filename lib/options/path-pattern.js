'use strict';

/*
 * Pathname patterns in the syntax of URLPattern (https://urlpattern.spec.whatwg.org), of which this is the pathname component with a
 * special scheme. Node has URLPattern since 23.8, and this file gives the same answers in all versions; its tests compare both. The
 * functions follow the algorithms of the specification by name. Only paths.js uses it.
 */

const IDENTIFIER_START = /[$_\p{ID_Start}]/u;
const IDENTIFIER_PART = /[$_\u200C\u200D\p{ID_Continue}]/u;

/** Matches a path segment, the default of a name. */
const SEGMENT = '[^\\/]+?';
/** Matches anything, the meaning of `*`. */
const ANYTHING = '.*';

/**
 * @typedef {'open' | 'close' | 'regexp' | 'name' | 'char' | 'escaped-char' | 'modifier' | 'asterisk' | 'end'} TokenType
 *
 * @typedef {{ type: TokenType, value: string }} Token
 *
 * @typedef {Object} Part
 * @property {string | null} regexp of a group; null: the part is text
 * @property {string} name of a group, given or a number
 * @property {string} prefix text; of a part that is text, all of it
 * @property {string} suffix
 * @property {string} modifier '', '?', '*' or '+'
 */

/** @param {string} reason @returns {never} */
function fail(reason) {
  throw new SyntaxError(reason);
}

/** Characters with a meaning of their own. @type {Record<string, TokenType>} */
const SYMBOLS = { '*': 'asterisk', '+': 'modifier', '?': 'modifier', '{': 'open', '}': 'close' };

/** @param {string} pattern @returns {Token[]} the last one of the type `end` */
function tokenize(pattern) {
  /** @type {Token[]} */
  const tokens = [];
  const chars = [...pattern];
  let index = 0;
  while (index < chars.length) {
    const char = chars[index];
    if (char === '\\') {
      if (index + 1 === chars.length) fail('it ends with "\\"');
      tokens.push({ type: 'escaped-char', value: chars[index + 1] });
      index += 2;
    } else if (char === ':') {
      let end = index + 1;
      while (end < chars.length && isNameChar(chars[end], end === index + 1)) end++;
      if (end === index + 1) fail('":" is not followed by a name');
      tokens.push({ type: 'name', value: chars.slice(index + 1, end).join('') });
      index = end;
    } else if (char === '(') {
      const end = findGroupEnd(chars, index);
      tokens.push({ type: 'regexp', value: chars.slice(index + 1, end).join('') });
      index = end + 1;
    } else {
      tokens.push({ type: SYMBOLS[char] ?? 'char', value: char });
      index++;
    }
  }
  tokens.push({ type: 'end', value: '' });
  return tokens;
}

/** @param {string} char @param {boolean} isFirst @returns {boolean} */
const isNameChar = (char, isFirst) => (isFirst ? IDENTIFIER_START : IDENTIFIER_PART).test(char);

/**
 * @param {string[]} chars
 * @param {number} start index of the `(`
 * @returns {number} index of the `)` that closes it
 */
function findGroupEnd(chars, start) {
  let depth = 1;
  for (let index = start + 1; index < chars.length; index++) {
    const char = chars[index];
    if (char > '\x7f') fail('a regular expression has a character other than ASCII');
    if (index === start + 1 && char === '?') fail('a regular expression begins with "?"');
    if (char === '\\') {
      index++;
      if (index === chars.length || chars[index] > '\x7f')
        fail('"\\" escapes no character of ASCII');
    } else if (char === ')') {
      depth--;
      if (depth === 0) {
        if (index === start + 1) fail('a regular expression is empty');
        return index;
      }
    } else if (char === '(') {
      depth++;
      if (chars[index + 1] !== '?') fail('a regular expression has a capturing group');
    }
  }
  return fail('a "(" is not closed');
}

class Parser {
  /** @param {string} pattern */
  constructor(pattern) {
    this.tokens = tokenize(pattern);
    this.index = 0;
    /** @type {Part[]} */
    this.parts = [];
    /** Text that no part has yet. */
    this.pending = '';
    this.nextNumber = 0;
  }

  /** @returns {Part[]} */
  parse() {
    while (this.tokens[this.index].type !== 'end') {
      const char = this.take('char');
      const name = this.take('name');
      const regexp = this.takeRegexp(name);
      if (name !== undefined || regexp !== undefined) {
        let prefix = char ?? '';
        if (prefix !== '/') {
          this.pending += prefix;
          prefix = '';
        }
        this.addPending();
        this.addGroup(prefix, name, regexp, '', this.takeModifier());
        continue;
      }
      const text = char ?? this.take('escaped-char');
      if (text !== undefined) {
        this.pending += text;
        continue;
      }
      if (this.take('open') === undefined) {
        fail(`"${this.tokens[this.index].value}" is at a place where it has no meaning`);
      }
      this.parseBraces();
    }
    this.addPending();
    return this.parts;
  }

  /** Parses the rest of `{...}`. */
  parseBraces() {
    const prefix = this.takeText();
    const name = this.take('name');
    const regexp = this.takeRegexp(name);
    const suffix = this.takeText();
    if (this.take('close') === undefined) fail('a "{" is not closed, or has two groups');
    const modifier = this.takeModifier();
    if (name === undefined && regexp === undefined && modifier === '') {
      this.pending += prefix;
      return;
    }
    this.addPending();
    if (name !== undefined || regexp !== undefined) {
      this.addGroup(prefix, name, regexp, suffix, modifier);
    } else if (prefix !== '') {
      this.addText(prefix, modifier);
    }
  }

  /** @param {TokenType} type @returns {string | undefined} the value of the next token; undefined: it is of another type */
  take(type) {
    const token = this.tokens[this.index];
    if (token.type !== type) return undefined;
    this.index++;
    return token.value;
  }

  /** @param {string | undefined} name before it, which `*` does not follow @returns {string | undefined} */
  takeRegexp(name) {
    const regexp = this.take('regexp');
    if (regexp !== undefined || name !== undefined) return regexp;
    return this.take('asterisk') === undefined ? undefined : ANYTHING;
  }

  /** @returns {string} '' if there is none */
  takeModifier() {
    return this.take('modifier') ?? this.take('asterisk') ?? '';
  }

  takeText() {
    let text = '';
    for (;;) {
      const char = this.take('char') ?? this.take('escaped-char');
      if (char === undefined) return text;
      text += char;
    }
  }

  addPending() {
    if (this.pending === '') return;
    this.addText(this.pending, '');
    this.pending = '';
  }

  /** @param {string} text @param {string} modifier */
  addText(text, modifier) {
    const prefix = canonicalizePathname(text);
    this.parts.push({ regexp: null, name: '', prefix, suffix: '', modifier });
  }

  /**
   * @param {string} prefix
   * @param {string | undefined} name
   * @param {string | undefined} regexp
   * @param {string} suffix
   * @param {string} modifier
   */
  addGroup(prefix, name = String(this.nextNumber++), regexp, suffix, modifier) {
    if (this.parts.some((part) => part.regexp !== null && part.name === name)) {
      fail(`two groups have the name "${name}"`);
    }
    this.parts.push({
      regexp: regexp ?? SEGMENT,
      name,
      prefix: canonicalizePathname(prefix),
      suffix: canonicalizePathname(suffix),
      modifier
    });
  }
}

/**
 * Encodes a pathname or a part of one as URLPattern does, by the URL parser: percent-encoding and dot segments. With a scheme that is
 * not special, because URLPattern in Node leaves backslashes as they are.
 *
 * @param {string} text
 * @returns {string}
 */
function canonicalizePathname(text) {
  if (text === '') return text;
  const url = new URL('path://localhost');
  const isWhole = text.startsWith('/');
  url.pathname = isWhole ? text : `/-${text}`;
  // Node before 24 does not encode `^`, and has an empty path for `/..`.
  const pathname = url.pathname.replaceAll('^', '%5E') || '/';
  if (isWhole) return pathname;
  if (pathname.length < 2) fail('it has dot segments that remove the text before them');
  return pathname.slice(2);
}

/** @param {string} text @returns {string} */
const escapeText = (text) => text.replace(/[.+*?^${}()[\]|/\\]/g, '\\$&');

/** @param {Part} part @returns {string} the source of a regular expression with at most one capturing group */
function toSource({ regexp, prefix, suffix, modifier }) {
  const before = escapeText(prefix);
  const after = escapeText(suffix);
  if (regexp === null) return modifier === '' ? before : `(?:${before})${modifier}`;
  const isRepeated = modifier === '*' || modifier === '+';
  if (before === '' && after === '') {
    return isRepeated ? `((?:${regexp})${modifier})` : `(${regexp})${modifier}`;
  }
  if (!isRepeated) return `(?:${before}(${regexp})${after})${modifier}`;
  const repeated = `(?:${before}((?:${regexp})(?:${after}${before}(?:${regexp}))*)${after})`;
  return modifier === '*' ? `${repeated}?` : repeated;
}

/** A compiled pattern. */
class PathPattern {
  /**
   * @param {string} pattern
   * @throws {SyntaxError} with the reason as a clause
   */
  constructor(pattern) {
    const parts = new Parser(pattern).parse();
    this.names = parts.filter((part) => part.regexp !== null).map((part) => part.name);
    this.regexp = new RegExp(`^${parts.map(toSource).join('')}$`, 'v');
  }

  /**
   * @param {string} pathname in the form of the URL parser
   * @returns {Record<string, string | undefined> | null} values of the groups by name, as they are in the pathname; undefined: the group is
   *   optional and absent. null: no match
   */
  exec(pathname) {
    const match = this.regexp.exec(pathname);
    if (match === null) return null;
    /** @type {Record<string, string | undefined>} */
    const groups = Object.create(null);
    for (let index = 0; index < this.names.length; index++) {
      groups[this.names[index]] = match[index + 1];
    }
    return groups;
  }
}

module.exports = { PathPattern, canonicalizePathname };
