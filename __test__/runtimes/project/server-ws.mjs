// What is bundled: a server that asks for ws, and gets what npm has put in its place.

import { WebSocket, WebSocketServer } from 'ws';
import { echo } from './echo.mjs';

echo({ WebSocket, WebSocketServer });
