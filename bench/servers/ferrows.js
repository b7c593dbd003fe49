// The echo server on ferrows. FERROWS_TRANSPORT, which ferrows itself reads, pins the transport.
'use strict';

const { version } = require('../../package.json');
const { WebSocketServer } = require('../../index.js');
const { serve } = require('./echo.js');

serve({ WebSocketServer, version: `ferrows ${version}` });
