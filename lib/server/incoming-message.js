'use strict';

/*
 * The http.IncomingMessage of a request to upgrade that was parsed without a socket of Node, filled in as Node does. Only upgrade.js
 * creates them.
 */

const { environment } = require('../native');

/** Memory in which the addon reports the header fields of a request head: four offsets each, from FIRST_WORD on. */
const words = new Uint32Array(environment.records());
const FIRST_WORD = 4;

/** Names and values of which Node makes headers, the default of its servers. `rawHeaders` may have a few more. */
const MAX_HEADER_PAIRS = 2000;

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
 * A request to upgrade with the method GET.
 *
 * @typedef {Object} UpgradeRequest
 * @property {number} major HTTP version
 * @property {number} minor
 * @property {string} url
 * @property {string[]} fields names and values, alternating
 */

/**
 * @param {import('./http-server').Snapshot} snapshot of the server
 * @param {any} socket
 * @param {UpgradeRequest} request
 * @returns {import('http').IncomingMessage} complete, without a body
 */
function createRequest({ IncomingMessage }, socket, { major, minor, url, fields }) {
  const req = new IncomingMessage(socket);
  req.httpVersionMajor = major;
  req.httpVersionMinor = minor;
  req.httpVersion = `${major}.${minor}`;
  req.joinDuplicateHeaders = socket.server.joinDuplicateHeaders || null;
  req.url = url;
  req.upgrade = true;
  req.method = 'GET';
  req._addHeaderLines(fields, Math.min(fields.length, MAX_HEADER_PAIRS));
  req.parser = null;
  req.complete = true;
  req.push(null);
  return req;
}

module.exports = { MAX_HEADER_PAIRS, createRequest, readFields };
