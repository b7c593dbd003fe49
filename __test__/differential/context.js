'use strict';

// The context of one run of a scenario: the libraries under test, ways to open peers, and the trace. Everything opened through
// a context is closed by dispose(). Used by run.js and the scenarios; run.js decides which library has which role.

const { AsyncLocalStorage } = require('node:async_hooks');
const { spawn } = require('node:child_process');
const { once } = require('node:events');
const http = require('node:http');
const net = require('node:net');
const path = require('node:path');
const readline = require('node:readline');
const { frameText } = require('./frames');
const { RawPeer, upgradeRequest } = require('./raw-peer');

const LOOPBACK = '127.0.0.1';

/** The WebSocket events recorded in every trace. Listeners of 'redirect' and 'unexpected-response' would change behavior. */
const EVENTS = ['upgrade', 'open', 'message', 'ping', 'pong', 'error', 'close'];

class Context {
  #disposals = [];
  #lanes = new Map();
  #watched = new WeakMap();
  #accepted = new WeakMap();
  #ports = 0;

  /**
   * @param {{ kind: string, server?: object, client?: object, trace: import('./trace').Trace }} setting
   *   kind: see subjects.js; server and client: the subjects with these roles
   */
  constructor({ kind, server, client, trace }) {
    this.kind = kind;
    this.trace = trace;
    this.serverSubject = server;
    this.clientSubject = client;
    this.Server = server?.lib.WebSocketServer;
    this.WebSocket = client?.lib;
    /** The library under test, if there is only one. */
    this.lib = kind === 'pair' ? undefined : (server ?? client).lib;
  }

  /** Appends an event to a lane of the trace. */
  log(lane, event, ...args) {
    this.trace.event(lane, event, args);
  }

  /** Runs `dispose` when the scenario is over, in reverse order of registration. */
  defer(dispose) {
    this.#disposals.push(dispose);
  }

  async dispose() {
    for (const dispose of this.#disposals.reverse()) await dispose();
  }

  /** An AsyncLocalStorage that is disabled at the end: an enabled one slows down every promise of the process. */
  storage() {
    const storage = new AsyncLocalStorage();
    this.defer(() => storage.disable());
    return storage;
  }

  /** Calls `action` and records its result or exception. */
  attempt(lane, event, action) {
    let value;
    try {
      value = action();
    } catch (err) {
      this.log(lane, `${event} threw`, err);
      return undefined;
    }
    this.log(lane, `${event} returned`, value);
    return value;
  }

  /** 'client', then 'client2', ... */
  lane(role) {
    const count = (this.#lanes.get(role) ?? 0) + 1;
    this.#lanes.set(role, count);
    return count === 1 ? role : `${role}${count}`;
  }

  /** Records every later event of a WebSocket in a lane. */
  watch(lane, ws) {
    const events = { counts: new Map(), waiting: new Set() };
    this.#watched.set(ws, events);
    for (const event of EVENTS) {
      ws.on(event, (...args) => {
        this.trace.event(lane, event, args, ws);
        events.counts.set(event, (events.counts.get(event) ?? 0) + 1);
        for (const wake of [...events.waiting]) wake();
      });
    }
    this.defer(() => {
      // A socket that is torn down while connecting emits 'error'.
      ws.on('error', () => {});
      ws.terminate();
      // A mutant may have failed to do so.
      ws._socket?.destroy();
    });
    return ws;
  }

  /** Resolves when a watched WebSocket has emitted an event `times` times. */
  emitted(ws, event, times = 1) {
    const { counts, waiting } = this.#watched.get(ws);
    return new Promise((resolve) => {
      const check = () => {
        if ((counts.get(event) ?? 0) < times) return;
        waiting.delete(check);
        resolve(undefined);
      };
      waiting.add(check);
      check();
    });
  }

  /** Resolves when all of these watched WebSockets have emitted 'close'. */
  async closed(...sockets) {
    await Promise.all(sockets.map((ws) => this.emitted(ws, 'close')));
  }

  async opened(ws) {
    if (ws.readyState !== 1) await once(ws, 'open');
  }

  hidePort(port) {
    this.#ports += 1;
    this.trace.hide(`${LOOPBACK}:${port}`, `${LOOPBACK}:PORT${this.#ports}`);
  }

  /**
   * Opens a WebSocketServer and watches each connection in a lane of its own.
   *
   * @param {object} [options] port 0 on the loopback address unless server or noServer is given
   */
  async listen(options = {}) {
    const own = !options.server && !options.noServer;
    const where = own ? { host: LOOPBACK, port: 0 } : {};
    const wss = new this.Server({ perMessageDeflate: false, ...where, ...options });
    const queue = { ready: [], waiting: [] };
    this.#accepted.set(wss, queue);
    wss.on('connection', (ws, request) => {
      const lane = this.lane('server');
      this.watch(lane, ws);
      this.trace.event(lane, 'connection', [], ws);
      const accepted = { server: ws, request };
      if (queue.waiting.length) queue.waiting.shift()(accepted);
      else queue.ready.push(accepted);
    });
    this.defer(() => wss.close());
    if (own) {
      await once(wss, 'listening');
      this.hidePort(wss.address().port);
    }
    return wss;
  }

  /** @returns {Promise<{ server: any, request: http.IncomingMessage }>} the next connection of a server */
  accepted(wss) {
    const queue = this.#accepted.get(wss);
    if (queue.ready.length) return Promise.resolve(queue.ready.shift());
    return new Promise((resolve) => queue.waiting.push(resolve));
  }

  /** The address of anything that listens (a WebSocketServer, an http.Server, a net.Server). */
  url(listening, scheme = 'ws') {
    return `${scheme}://${LOOPBACK}:${listening.address().port}`;
  }

  /** Opens a watched client. */
  openClient(url, protocols, options) {
    const ws = new this.WebSocket(url, protocols, { perMessageDeflate: false, ...options });
    return this.watch(this.lane('client'), ws);
  }

  /**
   * Opens a server and a client and waits until both are open.
   *
   * @param {{ server?: object, client?: object, protocols?: string | string[] }} [options]
   */
  async pair({ server: serverOptions, client: clientOptions, protocols } = {}) {
    const wss = await this.listen(serverOptions);
    const client = this.openClient(this.url(wss), protocols, clientOptions);
    const { server, request } = await this.accepted(wss);
    await this.opened(client);
    return { wss, server, client, request };
  }

  /** An http.Server on the loopback address; its sockets are destroyed at the end. */
  async http(handler, { createServer = http.createServer, options = {} } = {}) {
    const server = createServer(options, handler);
    await this.#open(server);
    return server;
  }

  async #open(server, where = { port: 0, host: LOOPBACK }) {
    const sockets = new Set();
    server.on('connection', (socket) => {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => sockets.delete(socket));
    });
    this.defer(() => {
      server.close();
      for (const socket of sockets) socket.destroy();
    });
    server.listen(where);
    await once(server, 'listening');
    if (where.port !== undefined) this.hidePort(server.address().port);
  }

  /**
   * A plain TCP server in the role of the WebSocket server.
   *
   * @param {{ port?: number, host?: string, path?: string }} [where]
   * @returns {Promise<{ url: string, next: () => Promise<RawPeer> }>}
   */
  async rawServer(where) {
    const server = net.createServer({ allowHalfOpen: true, noDelay: true });
    const ready = [];
    const waiting = [];
    server.on('connection', (socket) => {
      const peer = new RawPeer(socket, true);
      if (waiting.length) waiting.shift()(peer);
      else ready.push(peer);
    });
    await this.#open(server, where);
    const next = () =>
      ready.length
        ? Promise.resolve(ready.shift())
        : new Promise((resolve) => waiting.push(resolve));
    return { url: where?.path ? `ws+unix:${where.path}` : this.url(server), next };
  }

  /** A plain TCP connection to a server, before anything is sent. */
  async rawClient(listening) {
    const { port } = listening.address();
    const socket = net.connect({ port, host: LOOPBACK, allowHalfOpen: true, noDelay: true });
    const peer = new RawPeer(socket, false);
    this.defer(() => socket.destroy());
    await once(socket, 'connect');
    return peer;
  }

  /**
   * Sends an opening handshake over a plain connection without waiting for the response.
   *
   * @param {{ address: () => any }} listening
   * @param {string | Parameters<typeof upgradeRequest>[0]} [change] all bytes, or the changes to a valid request
   */
  async sendRequest(listening, change) {
    const raw = await this.rawClient(listening);
    raw.write(typeof change === 'string' ? change : upgradeRequest(change));
    return raw;
  }

  /**
   * Sends a request over a plain connection and records the response in lane `wire`.
   *
   * @returns {Promise<{ raw: RawPeer, head: string }>}
   */
  async request(listening, change) {
    const raw = await this.sendRequest(listening, change);
    const head = await raw.head();
    this.logHead(head);
    return { raw, head };
  }

  /** Records an HTTP head line by line, without the parts that differ between runs. */
  logHead(head) {
    for (const line of head.trimEnd().split('\r\n')) {
      const shown = line
        .replace(/^(Date): .*/, '$1: ...')
        .replace(/^(Sec-WebSocket-Key): [+/0-9A-Za-z]{22}==$/, '$1: 16 random bytes');
      this.trace.line('wire', shown);
    }
  }

  /**
   * Opens a connection between the library under test, in the role of the scenario's kind, and a plain socket.
   *
   * @param {object} [options] of the library under test
   * @param {{ after?: Uint8Array }} [early] bytes sent in the segment that completes the handshake
   * @returns {Promise<{ raw: RawPeer, ws: any, lane: string }>}
   */
  async withRawPeer(options, { after = Buffer.alloc(0) } = {}) {
    if (this.kind === 'server') {
      const wss = await this.listen(options);
      const raw = await this.rawClient(wss);
      raw.write(Buffer.concat([Buffer.from(upgradeRequest()), after]));
      const { server } = await this.accepted(wss);
      await raw.head();
      return { raw, ws: server, lane: 'server' };
    }
    const listening = await this.rawServer();
    const ws = this.openClient(listening.url, undefined, options);
    const raw = await listening.next();
    const opened = this.opened(ws);
    raw.accept(await raw.head(), { after });
    await opened;
    return { raw, ws, lane: 'client' };
  }

  /**
   * Records frames received by the raw peer.
   *
   * @param {...NonNullable<ReturnType<typeof import('./frames').decode>>} frames
   */
  logFrames(...frames) {
    for (const one of frames) this.trace.line('wire', frameText(one));
  }

  /**
   * A Node process that runs children/<script> with the library of `subject`.
   *
   * @param {string} script
   * @param {object} subject
   * @param {Record<string, string>} [env]
   * @param {{ quiet?: boolean }} [options] quiet: discards standard error
   * @returns {{ process: import('node:child_process').ChildProcess, line: () => Promise<string>,
   *   finished: Promise<{ code: number | null, signal: string | null, output: string[] }> }}
   */
  child(script, subject, env = {}, { quiet = false } = {}) {
    const child = spawn(process.execPath, [path.join(__dirname, 'children', script)], {
      env: { ...process.env, ...subject.env, ...env, DIFFERENTIAL_MODULE: subject.path },
      stdio: ['pipe', 'pipe', quiet ? 'ignore' : 'inherit']
    });
    this.defer(() => child.kill('SIGKILL'));
    const output = [];
    const waiting = [];
    let taken = 0;
    readline.createInterface({ input: child.stdout }).on('line', (text) => {
      output.push(text);
      if (waiting.length) waiting.shift()(output[taken++]);
    });
    const finished = once(child, 'close').then(([code, signal]) => ({ code, signal, output }));
    const line = () =>
      taken < output.length
        ? Promise.resolve(output[taken++])
        : new Promise((resolve) => waiting.push(resolve));
    return { process: child, line, finished };
  }
}

module.exports = { Context, LOOPBACK };
