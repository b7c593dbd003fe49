'use strict';

// The library under test in the interop and Autobahn tests: ferrows, or ws with FERROWS_SUBJECT=ws, to see whether a test
// itself is wrong. ferrows takes its transport from FERROWS_TRANSPORT.

const name = process.env.FERROWS_SUBJECT === 'ws' ? 'ws' : 'ferrows';

/** @type {typeof import('ferrows')} */
module.exports = require(name);
