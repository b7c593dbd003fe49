'use strict';

/*
 * The http.IncomingMessage of a request to upgrade that the addon has parsed: filled as Node's parser fills it.
 * Only arriving.js makes them.
 */

const { environment } = require('../native');

/** Where the addon says where in a head the fields are: four words each, from the fourth on. */
const words = new Uint32Array(environment.records());
const FIRST_WORD = 4;

/** Where the target begins: behind the method, which is GET. */
const TARGET = 4;

/**
 * Reads the fields out of a head. To be called before the addon has another one.
 *
 * @param {string} head
 * @param {number} count of its fields
 * @returns {string[]} names and values in turn
 */
function readHead(head, count) {
  const fields = new Array(2 * count);
  for (let i = 0, word = FIRST_WORD; i < fields.length; i++, word += 2) {
    fields[i] = head.slice(words[word], words[word + 1]);
  }
  return fields;
}

/**
 * @param {import('./http-server').Origin} origin of the server
 * @param {any} socket where it came
 * @param {string} head
 * @param {string[]} fields names and values in turn
 * @returns {import('http').IncomingMessage} complete, and without a body
 */
function createRequest({ IncomingMessage }, socket, head, fields) {
  const req = new IncomingMessage(socket);
  req.httpVersionMajor = 1;
  req.httpVersionMinor = 1;
  req.httpVersion = '1.1';
  req.joinDuplicateHeaders = socket.server.joinDuplicateHeaders || null;
  req.url = head.slice(TARGET, head.indexOf(' ', TARGET));
  req.upgrade = true;
  req.method = 'GET';
  req._addHeaderLines(fields, fields.length);
  req.parser = null;
  req.complete = true;
  req.push(null);
  return req;
}

module.exports = { createRequest, readHead };
