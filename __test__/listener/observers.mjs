// Puts each observer of the table in lib/server/fallback.js in place, by its name there. Used by responses.test.mjs and its child.

import { createHook } from 'node:async_hooks';
import diagnosticsChannel from 'node:diagnostics_channel';
import http from 'node:http';
import net from 'node:net';
import { PerformanceObserver } from 'node:perf_hooks';
import { createTracing } from 'node:trace_events';

/** The response of ws to a request without a key. */
const REFUSAL =
  'HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Type: text/html\r\nContent-Length: 43\r\n\r\n' +
  'Missing or invalid Sec-WebSocket-Key header';

/** @type {Record<string, (server: any, wss: any) => () => void>} each returns a function that removes the observer */
export const OBSERVED = {
  'async_hooks are enabled': () => {
    const hook = createHook({ init() {} }).enable();
    return () => hook.disable();
  },
  'methods of http or net were replaced': () => {
    const { write } = net.Socket.prototype;
    net.Socket.prototype.write = function (...args) {
      return Reflect.apply(write, this, args);
    };
    return () => {
      net.Socket.prototype.write = write;
    };
  },
  "the 'request' listeners are not only that of ws": (server) => {
    const listener = () => {};
    server.on('request', listener);
    return () => server.removeListener('request', listener);
  },
  "there is a 'timeout' listener": (server) => {
    const listener = (socket) => socket.destroy();
    server.on('timeout', listener);
    return () => server.removeListener('timeout', listener);
  },
  'diagnostics channels of responses have subscribers': () => {
    const listener = () => {};
    diagnosticsChannel.subscribe('http.server.response.finish', listener);
    return () => diagnosticsChannel.unsubscribe('http.server.response.finish', listener);
  },
  'trace events of node.http are recorded': () => {
    const tracing = createTracing({ categories: ['node.http'] });
    tracing.enable();
    return () => tracing.disable();
  },
  'a PerformanceObserver observes HTTP': () => {
    const observer = new PerformanceObserver(() => {});
    observer.observe({ entryTypes: ['http'] });
    return () => observer.disconnect();
  },
  "the 'upgrade' listeners are not only that of ws": (server) => {
    const listener = () => {};
    server.on('upgrade', listener);
    return () => server.removeListener('upgrade', listener);
  },
  'handleUpgrade() was replaced': (_server, wss) => {
    wss.handleUpgrade = (...args) => Object.getPrototypeOf(wss).handleUpgrade.apply(wss, args);
    return () => delete wss.handleUpgrade;
  },
  "there is a 'wsClientError' listener": (_server, wss) => {
    const listener = (_error, socket) => socket.end(REFUSAL);
    wss.on('wsClientError', listener);
    return () => wss.removeListener('wsClientError', listener);
  },
  "the class of requests is not Node's": (server) => {
    const key = Object.getOwnPropertySymbols(server).find(
      ({ description }) => description === 'snapshot'
    );
    const snapshot = server[key];
    snapshot.IncomingMessage = class extends http.IncomingMessage {};
    return () => {
      snapshot.IncomingMessage = http.IncomingMessage;
    };
  }
};
