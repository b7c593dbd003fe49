'use strict';

// Serves on a listening server that the parent process sends, and reports when it does.

const http = require('node:http');

process.on('message', (_message, server) => {
  const mine = http.createServer((_req, res) => {
    res.setHeader('Connection', 'close');
    res.end('child');
  });
  mine.listen(server, () => process.send('listening'));
});
