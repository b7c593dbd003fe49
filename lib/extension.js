'use strict';

/*
 * The Sec-WebSocket-Extensions header field (RFC 6455, section 9.1), public as `WebSocket.extension`. Called by
 * websocket-server.js and lib/client/. The meaning of parameters belongs to their extension.
 */

const { HeaderScanner } = require('./header-scanner');

const EQUALS = 0x3d;

/** @typedef {Record<string, (string | true)[]>} Params */

/**
 * Parses the field.
 *
 * @param {string} header value of the field
 * @returns {Record<string, Params[]>} by extension, the parameters of each offer in order; the objects have no prototype,
 *   so that any token is a valid key
 * @throws {SyntaxError}
 */
function parse(header) {
  const scanner = new HeaderScanner(header);
  /** @type {Record<string, Params[]>} */
  const offers = Object.create(null);

  for (let isLast = false; !isLast;) {
    const name = scanner.element();
    const params = Object.create(null);
    let separator = scanner.separator(';,');

    while (separator === ';') {
      const key = scanner.element();
      /** @type {string | true} */
      let value = true;
      if (scanner.peek() === EQUALS) {
        scanner.index++;
        value = scanner.value();
      }
      (params[key] ??= []).push(value);
      separator = scanner.separator(';,');
    }

    (offers[name] ??= []).push(params);
    isLast = separator === '';
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

/** @param {Record<string, any>} params @returns {string[]} */
function formatParams(params) {
  return Object.entries(params).flatMap(([key, values]) =>
    [values].flat().map((value) => (value === true ? key : `${key}=${value}`))
  );
}

module.exports = { format, parse };
