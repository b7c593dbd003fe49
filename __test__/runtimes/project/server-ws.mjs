// A bundled server that imports ws, and gets the package that npm put in its place.

import { WebSocket, WebSocketServer } from 'ws';
import { echo } from './echo.mjs';

echo({ WebSocket, WebSocketServer });
