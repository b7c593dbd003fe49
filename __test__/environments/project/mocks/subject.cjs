'use strict';

// A module of a program that uses ws. Other programs test its exports with a replaced ws.

const WebSocket = require('ws');

exports.send = (url, data) => {
  const ws = new WebSocket(url);
  ws.on('error', () => {});
  return ws.send(data);
};
exports.WebSocket = WebSocket;
