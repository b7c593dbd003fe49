'use strict';

/*
 * The refusals of ws that depend only on the method and three fields of a request to upgrade. websocket-server.js applies them, and
 * node-responses.js to requests that no program sees. Refusals that depend on options or hooks are in websocket-server.js.
 */

const KEY_PATTERN = /^[+/0-9A-Za-z]{22}==$/;

/** Names of the fields, in lower case. */
const FIELDS = ['upgrade', 'sec-websocket-key', 'sec-websocket-version'];
const FIELD_LENGTHS = FIELDS.map(({ length }) => length);

/**
 * @typedef {Object} Refusal
 * @property {number} status
 * @property {string} message
 * @property {Record<string, string>} [fields] added to the response
 */

/**
 * @param {string | undefined} method
 * @param {import('http').IncomingHttpHeaders} headers
 * @returns {Refusal | null} null: none of these
 */
function checkRequest(method, headers) {
  const key = headers['sec-websocket-key'];
  const version = Number(headers['sec-websocket-version']);
  if (method !== 'GET') return { status: 405, message: 'Invalid HTTP method' };
  if (headers.upgrade?.toLowerCase() !== 'websocket') {
    return { status: 400, message: 'Invalid Upgrade header' };
  }
  if (key === undefined || !KEY_PATTERN.test(key)) {
    return { status: 400, message: 'Missing or invalid Sec-WebSocket-Key header' };
  }
  if (version !== 13 && version !== 8) {
    const message = 'Missing or invalid Sec-WebSocket-Version header';
    return { status: 400, message, fields: { 'Sec-WebSocket-Version': '13, 8' } };
  }
  return null;
}

/**
 * Returns the headers that checkRequest() reads, as Node makes them of the fields of a request.
 *
 * @param {string[]} fields names and values, alternating
 * @param {number} end elements of it that Node makes headers of
 * @returns {Record<string, string> | null} null: one of them is repeated
 */
function selectHeaders(fields, end) {
  /** @type {Record<string, string>} */
  const headers = {};
  for (let i = 0; i < fields.length && i < end; i += 2) {
    if (!FIELD_LENGTHS.includes(fields[i].length)) continue;
    const name = fields[i].toLowerCase();
    if (!FIELDS.includes(name)) continue;
    if (name in headers) return null;
    headers[name] = fields[i + 1];
  }
  return headers;
}

module.exports = { checkRequest, selectHeaders };
