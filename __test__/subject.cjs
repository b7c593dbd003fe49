'use strict';

// The library that the interop and Autobahn tests drive: ferrows, or with FERROWS_SUBJECT=ws the original, which
// shows whether a failure is the test's own. The transport is chosen by FERROWS_TRANSPORT, which ferrows reads.

const name = process.env.FERROWS_SUBJECT === 'ws' ? 'ws' : 'ferrows';

/** @type {typeof import('ferrows')} */
module.exports = require(name);
