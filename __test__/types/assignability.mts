/**
 * Our types and those of @types/ws in one program: what is made by ferrows goes where a library that was typed with
 * @types/ws wants it, and sockets and options the other way round too. Never run.
 */

import Ours, * as ours from 'ferrows';
import Theirs, * as theirs from 'ws';

declare const ourSocket: Ours;
declare const theirSocket: Theirs;
declare const ourServer: ours.WebSocketServer;

const sockets: [Theirs, Ours] = [ourSocket, theirSocket];
const servers: theirs.WebSocketServer[] = [ourServer];
const socketClass: typeof Theirs = Ours;
const options: [theirs.ServerOptions, theirs.ClientOptions] = [
  {} as ours.ServerOptions,
  {} as ours.ClientOptions
];
const received: [theirs.RawData, ours.RawData] = [{} as ours.RawData, {} as theirs.RawData];
const events: [theirs.MessageEvent, theirs.CloseEvent, theirs.ErrorEvent] = [
  {} as ours.MessageEvent,
  {} as ours.CloseEvent,
  {} as ours.ErrorEvent
];
new Ours('ws://127.0.0.1/', {} as theirs.ClientOptions);
new Theirs('ws://127.0.0.1/', {} as ours.ClientOptions);
theirs.createWebSocketStream(ourSocket);
ours.createWebSocketStream(theirSocket);
void [sockets, servers, socketClass, options, received, events];
