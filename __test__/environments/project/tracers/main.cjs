'use strict';

// The program alone, for tracers that are loaded before it.

const record = require('../record.cjs');
const app = require('./app.cjs');

app(require('ws')).then((seen) => record('the program', seen));
