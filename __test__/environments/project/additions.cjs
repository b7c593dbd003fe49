'use strict';

// The exports of ferrows that ws does not have: doc/differences.md lists them. Programs that record all names leave them out.

module.exports = ['shutdown'];
