// The conversation, with the package as import gives it. Prints what came out; ends by itself.

import WebSocket, { WebSocketServer } from 'ferrows';
import converse from './conversation.cjs';

if (WebSocketServer !== WebSocket.WebSocketServer) throw new Error('two classes of one name');
console.log(JSON.stringify(await converse(WebSocket)));
