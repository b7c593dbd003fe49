// Puts each observer of the table in lib/server/fallback.js in place, by its name there. Used by responses.test.mjs and its child.

import { createHook } from 'node:async_hooks';
import diagnosticsChannel from 'node:diagnostics_channel';
import net from 'node:net';
import { PerformanceObserver } from 'node:perf_hooks';
import { createTracing } from 'node:trace_events';

/** @type {Record<string, (server: any) => () => void>} each returns a function that removes the observer */
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
  }
};
