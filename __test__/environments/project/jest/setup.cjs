'use strict';

// Before the first test file: loads ws in the process of Jest, which initializes its state per process, and records open
// resources and all warnings. teardown.cjs compares.

const { readdirSync } = require('node:fs');
const specs = require('../specs.cjs');

const descriptors = () => (process.platform === 'linux' ? readdirSync('/proc/self/fd').length : 0);

const warnings = [];
process.on('warning', ({ name }) => warnings.push(name));

module.exports = async () => {
  await specs['an echo'](require('ws'));
  globalThis.atStart = {
    descriptors,
    warnings,
    open: descriptors(),
    listeners: process.listenerCount('exit')
  };
};
