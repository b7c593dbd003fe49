'use strict';

// The program under a tracer: HTTP and WebSocket on one server, messages both ways, all kinds of ends. Returns its
// observations.

const { once } = require('node:events');
const http = require('node:http');

/** @param {any} api the exports of ws */
module.exports = async (api) => {
  const seen = [];
  // Some tracers replace the exports of `require('ws')`, and not their property.
  const WebSocket = typeof api === 'function' ? api : api.WebSocket;
  const server = http.createServer((_, response) => response.end('page'));
  const wss = new api.WebSocketServer({ server, path: '/live' });
  wss.on('connection', (ws, request) => {
    seen.push(['connection', request.url]);
    ws.on('message', (data, isBinary) => {
      seen.push(['server message', String(data), isBinary]);
      ws.send(data, { binary: isBinary });
    });
    ws.on('close', (code) => seen.push(['server close', code]));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  const [response] = await once(http.get({ port, host: '127.0.0.1', agent: false }), 'response');
  for await (const chunk of response) seen.push(String(chunk));
  for (const options of [{}, { perMessageDeflate: false }]) {
    const client = new WebSocket(`ws://127.0.0.1:${port}/live`, options);
    const connected = once(wss, 'connection');
    await once(client, 'open');
    const [ws] = await connected;
    for (const data of ['one', Buffer.from('two'), 'three']) {
      client.send(data);
      const [echo, isBinary] = await once(client, 'message');
      seen.push(['client message', String(echo), isBinary]);
    }
    ws.send('from the server');
    seen.push(String((await once(client, 'message'))[0]));
    const closed = Promise.all([once(client, 'close'), once(ws, 'close')]);
    if (options.perMessageDeflate === undefined) client.close(1000, 'done');
    else ws.close(1001, 'away');
    seen.push((await closed).map(([code, reason]) => [code, String(reason)]));
  }
  const refused = new WebSocket(`ws://127.0.0.1:${port}/other`);
  seen.push(
    await new Promise((resolve) => refused.once('error', ({ message }) => resolve(message)))
  );
  server.close();
  await once(server, 'close');
  wss.close();
  return seen;
};
