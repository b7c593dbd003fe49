// The echo server on ws. WS_NO_BUFFER_UTIL, which ws itself reads, tells whether bufferutil may help.
'use strict';

const { version } = require('ws/package.json');
const { WebSocketServer } = require('ws');
const { serve } = require('./echo.js');

// ws falls back to JavaScript in silence; a row that says bufferutil must not.
const bufferutil = process.env.WS_NO_BUFFER_UTIL
  ? ''
  : ` with bufferutil ${require('bufferutil') && require('bufferutil/package.json').version}`;

serve({ WebSocketServer, version: `ws ${version}${bufferutil}` });
