'use strict';

// Reads private state of a WebSocket of ferrows, for tests of its transports.

/**
 * @param {any} ws
 * @returns {any} the transport of a WebSocket; undefined with ws
 */
module.exports = (ws) =>
  ws[Object.getOwnPropertySymbols(ws).find(({ description }) => description === 'transport') ?? ''];
