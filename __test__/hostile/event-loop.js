'use strict';

// Waits for the next iteration of the event loop, so that written bytes are read before the next ones. Not a way to wait for an
// event. Used by verdict.js and the catalog.

module.exports = { nextIteration: () => new Promise((resolve) => setImmediate(resolve)) };
