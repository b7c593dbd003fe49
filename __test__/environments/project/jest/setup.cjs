'use strict';

// Before the first test file: notes what the process has open, and its warnings. teardown.cjs compares.

const { readdirSync } = require('node:fs');

const descriptors = () => (process.platform === 'linux' ? readdirSync('/proc/self/fd').length : 0);

const warnings = [];
process.on('warning', ({ name }) => warnings.push(name));

module.exports = async () => {
  globalThis.atStart = {
    descriptors,
    warnings,
    open: descriptors(),
    listeners: process.listenerCount('exit')
  };
};
