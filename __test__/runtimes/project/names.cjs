'use strict';

// Checks that `ws` resolves to the package that npm put in its place.

console.log(JSON.stringify(require('ws') === require('ferrows')));
