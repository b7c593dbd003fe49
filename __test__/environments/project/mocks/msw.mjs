// MSW is active: it has replaced http.ClientRequest and the WebSocket of Node, and passes unknown requests through.

import http from 'node:http';
import { once } from 'node:events';
import { http as mocked, HttpResponse } from 'msw';
import { setupServer } from 'msw/node';
import record from '../record.cjs';
import all from '../all.cjs';

const server = setupServer(mocked.get('http://example.test/', () => HttpResponse.text('mocked')));
server.listen({ onUnhandledRequest: 'bypass' });
await all();
const [response] = await once(http.get('http://example.test/'), 'response');
let body = '';
for await (const chunk of response) body += chunk;
record('a mocked response', [response.statusCode, body]);
server.close();
await all(undefined, 'closed: ');
