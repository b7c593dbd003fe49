'use strict';

// A conversation of a client with a server in one process, in small steps, each of which waits for its effects. It does not
// depend on segment boundaries. Events are logged per side.

const { randomFill } = require('node:crypto');
const { inspect } = require('node:util');

/**
 * A step is over after this many iterations of the event loop and rounds through the thread pool without events; sooner if as
 * much has been logged as in the model conversation.
 */
const ENOUGH = 10;
const PATIENCE = 60;
const PATIENCE_FOR_MODEL = 1000;
const probe = Buffer.alloc(1);

/** A comparable form of an argument. @param {any} value */
function summary(value) {
  if (typeof value === 'function') return 'function';
  if (Buffer.isBuffer(value)) return `Buffer(${value.length}) ${value.toString('latin1', 0, 12)}`;
  // A handshake key.
  if (typeof value === 'string' && /(?:^|: )[\w+/]+=+$/.test(value)) return 'key';
  if (Array.isArray(value)) return `[${value.map(summary).join(', ')}]`;
  if (value instanceof Error) return `${value.name} ${value.message}`;
  if (typeof value !== 'object' || value === null) return inspect(value).slice(0, 40);
  const { name } = value.constructor ?? { name: 'none' };
  if (name !== 'Object') return name;
  const symbols = Object.getOwnPropertySymbols(value).map(({ description }) => description);
  const entries = Object.entries(value).map(([key, item]) => `${key}: ${summary(item)}`);
  return `{${[...entries, ...symbols].join(', ')}}`;
}

class Conversation {
  /**
   * @param {any} lib ws or ferrows
   * @param {boolean} deflate
   * @param {number[] | undefined} model the number of logged events after each step of another conversation
   */
  constructor(lib, deflate, model) {
    this.deflate = deflate;
    this.model = model;
    /** @type {number[]} */
    this.steps = [];
    // A case may replace these.
    this.Client = lib.WebSocket;
    this.Server = lib.WebSocket;
    this.WebSocketServer = lib.WebSocketServer;
    /** @type {Record<string, string[]>} */
    this.lanes = {};
    this.logged = 0;
  }

  /** @param {string} lane @param {...any} what */
  log(lane, ...what) {
    this.logged++;
    (this.lanes[lane] ??= []).push(what.map(summary).join(' '));
  }

  /** Waits until no event has been logged for a while. */
  async settle() {
    const goal = this.model?.[this.steps.length];
    const patience = () => {
      if (goal === undefined) return PATIENCE;
      return this.logged >= goal ? ENOUGH : PATIENCE_FOR_MODEL;
    };
    for (let idle = 0, { logged } = this; idle < patience(); idle++) {
      await new Promise((resolve) => randomFill(probe, () => setImmediate(resolve)));
      if (logged !== this.logged) idle = 0;
      ({ logged } = this);
    }
    this.steps.push(this.logged);
  }

  /** @param {string} lane @param {any} ws */
  watch(lane, ws) {
    for (const event of ['open', 'message', 'ping', 'pong', 'close', 'error']) {
      ws.on(event, (...args) => this.log(lane, event, ...args));
    }
  }

  /** @param {(ws: any, side: string) => void} [adapt] called with the client as soon as it is constructed */
  async open(adapt) {
    this.wss = new this.WebSocketServer({
      host: '127.0.0.1',
      port: 0,
      perMessageDeflate: this.deflate,
      WebSocket: this.Server
    });
    await new Promise((resolve) => this.wss.once('listening', resolve));
    const accepted = new Promise((resolve) => {
      this.wss.once('connection', (ws) => {
        this.watch('server', ws);
        resolve(ws);
      });
    });
    this.client = new this.Client(`ws://127.0.0.1:${this.wss._server.address().port}`, {
      perMessageDeflate: this.deflate
    });
    this.watch('client', this.client);
    adapt?.(this.client, 'client');
    this.server = await Promise.race([accepted, this.settle()]);
    await this.settle();
  }

  /** @param {string} name @param {() => void} call */
  async step(name, call) {
    try {
      call();
    } catch (error) {
      this.log('steps', name, error);
    }
    await this.settle();
  }

  async talk() {
    const { client, server } = this;
    if (!server) return;
    for (const [side, ws] of [
      ['client', client],
      ['server', server]
    ]) {
      const called = (what) => (error) => this.log(`${side} callbacks`, what, error);
      await this.step('text', () => ws.send('text', called('text')));
      await this.step('bytes', () => ws.send(Buffer.alloc(200, 'b'), called('bytes')));
      await this.step('empty', () => ws.send(''));
      await this.step('options', () => ws.send('number', { binary: true, compress: false }));
      await this.step('first', () => ws.send('a', { fin: false }));
      await this.step('last', () => ws.send('b', { fin: true }, called('last')));
      await this.step('blob', () => {
        ws.send(new Blob(['blob']), called('blob'));
        ws.send('behind the blob');
      });
      await this.step('large', () => ws.send('l'.repeat(70000), called('large')));
      await this.step('ping', () => ws.ping('ping', undefined, called('ping')));
      await this.step('pong', () => ws.pong(Buffer.from('pong')));
      this.log(side, 'state', ws.readyState, ws._readyState, ws.isPaused, ws.bufferedAmount);
    }
    await this.step('pause', () => client.pause());
    await this.step('while paused', () => server.send('while paused'));
    await this.step('resume', () => client.resume());
    await this.step('close', () => client.close(4001, 'bye'));
  }

  async end() {
    for (const ws of [this.client, this.server]) ws?._socket?.destroy();
    await this.settle();
    for (const [side, ws] of Object.entries({ client: this.client, server: this.server })) {
      if (ws)
        this.log(side, 'at the end', ws._readyState, ws._closeFrameSent, ws._closeFrameReceived);
    }
    this.client?.removeAllListeners?.();
    this.wss.close();
    this.wss._server?.closeAllConnections();
    await this.settle();
  }
}

module.exports = { Conversation, summary };
