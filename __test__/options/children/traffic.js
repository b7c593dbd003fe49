'use strict';

// Clients of ws that send numbered messages to the server of traffic.mjs, each after an earlier one was acknowledged, until the server
// closes. Arguments: the URL, the number of clients, and the milliseconds between an answer and the next message. Tells the parent when all have had an answer, and in the end per client the
// number of answers in order and the close code.

const { WebSocket } = require('ws');

/** Messages of a client that are not acknowledged. */
const WINDOW = 4;
/** Clients that connect at a time. */
const CONNECTING = 100;

const [, , url, count, pause] = process.argv;
const total = Number(count);
/** @type {{ acknowledged: number, isOrdered: boolean, code: number }[]} */
const clients = [];
let answered = 0;
let closed = 0;

/** @param {number} index */
function start(index) {
  const socket = new WebSocket(`${url}/${index}`);
  const client = { acknowledged: 0, isOrdered: true, code: 0 };
  clients[index] = client;
  let next = 0;
  const sendNext = () => {
    if (socket.readyState === WebSocket.OPEN) socket.send(String(next++));
  };
  socket.on('open', () => {
    while (next < WINDOW) sendNext();
  });
  socket.on('message', (data) => {
    if (Number(data) !== client.acknowledged) client.isOrdered = false;
    client.acknowledged++;
    if (client.acknowledged === 1) {
      if (index + CONNECTING < total) start(index + CONNECTING);
      if (++answered === total) process.send?.('running');
    }
    if (pause === '0') sendNext();
    else setTimeout(sendNext, Number(pause));
  });
  socket.on('error', () => {});
  socket.on('close', (code) => {
    client.code = code;
    if (++closed === total) process.send?.(clients, () => process.disconnect());
  });
}

for (let index = 0; index < Math.min(CONNECTING, total); index++) start(index);
