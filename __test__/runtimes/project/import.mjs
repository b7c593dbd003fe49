// The conversation, with the package loaded by import. Prints the results and exits.

import WebSocket, { WebSocketServer } from 'ferrows';
import converse from './conversation.cjs';

if (WebSocketServer !== WebSocket.WebSocketServer) throw new Error('two classes of one name');
console.log(JSON.stringify(await converse(WebSocket)));
