'use strict';

// The conversation, with the package loaded by require(). Prints the results and exits.

const WebSocket = require('ferrows');
const converse = require('./conversation.cjs');

converse(WebSocket).then((result) => console.log(JSON.stringify(result)));
