'use strict';

/*
 * The http.IncomingMessage of a request to upgrade that the addon has parsed, filled in as Node's parser does. Only upgrade.js
 * creates them.
 */

const { environment } = require('../native');

/** Memory in which the addon reports the header fields of a request head: four offsets each, from FIRST_WORD on. */
const words = new Uint32Array(environment.records());
const FIRST_WORD = 4;

/** Offset of the request target, behind `GET `. */
const TARGET = 4;

/**
 * Cuts the header fields out of a request head. Must be called before the addon parses another one.
 *
 * @param {string} head
 * @param {number} count number of its fields
 * @returns {string[]} names and values, alternating
 */
function readFields(head, count) {
  const fields = new Array(2 * count);
  for (let i = 0, word = FIRST_WORD; i < fields.length; i++, word += 2) {
    fields[i] = head.slice(words[word], words[word + 1]);
  }
  return fields;
}

/**
 * @param {import('./http-server').Snapshot} snapshot of the server
 * @param {any} socket
 * @param {string} head
 * @param {string[]} fields names and values, alternating
 * @returns {import('http').IncomingMessage} complete, without a body
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

module.exports = { createRequest, readFields };
