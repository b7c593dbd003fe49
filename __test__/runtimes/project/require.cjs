'use strict';

// The conversation, with the package as require() gives it. Prints what came out; ends by itself.

const WebSocket = require('ferrows');
const converse = require('./conversation.cjs');

converse(WebSocket).then((result) => console.log(JSON.stringify(result)));
