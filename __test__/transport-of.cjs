'use strict';

// Looks inside a WebSocket of ferrows, for tests of its transports.

/**
 * @param {any} ws
 * @returns {any} what moves the bytes of a WebSocket; undefined with ws
 */
module.exports = (ws) =>
  ws[Object.getOwnPropertySymbols(ws).find(({ description }) => description === 'transport') ?? ''];
