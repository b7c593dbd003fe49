// What is bundled: a server that asks for ferrows by its name.

import { WebSocket, WebSocketServer } from 'ferrows';
import { echo } from './echo.mjs';

echo({ WebSocket, WebSocketServer });
