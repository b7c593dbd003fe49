// The same, as ESM.

import WebSocket from 'ws';
import record from '../record.cjs';
import app from './app.cjs';

record('the program', await app(WebSocket));
