'use strict';

// Whether who asks for ws gets the package that npm has put in its place.

console.log(JSON.stringify(require('ws') === require('ferrows')));
