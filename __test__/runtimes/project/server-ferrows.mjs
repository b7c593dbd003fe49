// A bundled server that imports ferrows by its name.

import { WebSocket, WebSocketServer } from 'ferrows';
import { echo } from './echo.mjs';

echo({ WebSocket, WebSocketServer });
