'use strict';

// Socket.IO: server and clients in one process, by WebSocket alone and by an upgrade from polling.

const { once } = require('node:events');
const http = require('node:http');
const { Server } = require('socket.io');
const connect = require('socket.io-client');
const record = require('../record.cjs');

(async () => {
  for (const transports of [['websocket'], ['polling', 'websocket']]) {
    const seen = [];
    const server = http.createServer();
    const io = new Server(server, { transports, perMessageDeflate: { threshold: 0 } });
    io.on('connection', (socket) => {
      socket.emit('greeting', 'welcome', Buffer.from([1, 2]));
      socket.on('echo', (value, acknowledge) => acknowledge(value));
      socket.on('all', (value) => io.emit('all', value));
      socket.on('disconnect', (reason) => seen.push(['disconnect', reason]));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = `http://127.0.0.1:${server.address().port}`;
    const clients = [];
    for (let number = 0; number < 3; number += 1) {
      const client = connect(url, { transports, forceNew: true });
      const greeted = new Promise((resolve) =>
        client.once('greeting', (...values) => resolve(values))
      );
      seen.push(await greeted);
      const { engine } = client.io;
      if (engine.transport.name !== 'websocket')
        await new Promise((resolve) => engine.once('upgrade', resolve));
      seen.push(engine.transport.name);
      clients.push(client);
    }
    seen.push(
      await clients[0].emitWithAck('echo', { text: 'x'.repeat(2000), bytes: Buffer.from('bytes') })
    );
    const heard = clients.map((client) => new Promise((resolve) => client.once('all', resolve)));
    clients[1].emit('all', 'broadcast');
    seen.push(await Promise.all(heard));
    const gone = new Promise((resolve) => clients[2].once('disconnect', resolve));
    clients[0].disconnect();
    await io.close();
    seen.push(await gone);
    for (const client of clients) client.disconnect();
    record(transports.join(), seen.map((value) => JSON.stringify(value)).sort());
  }
})();
