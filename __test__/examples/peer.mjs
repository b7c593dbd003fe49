// The peer of an example: a client or a server of ws, an independent implementation. The expectations are in the tests beside
// this file.
import { once, on } from 'node:events';
import { readFileSync } from 'node:fs';
import { test as testOfNode } from 'node:test';

import { WebSocket, WebSocketServer } from 'ws';

import { Program } from '../program.mjs';

/** Milliseconds until a test fails that still waits. */
const LIMIT = 60_000;

/**
 * A test with a time limit, so that it ends its programs even if an event never comes.
 *
 * @param {string} name
 * @param {(t: import('node:test').TestContext) => Promise<void>} body
 */
export const test = (name, body) => testOfNode(name, { timeout: LIMIT }, body);

const fixture = (name) => new URL(`../differential/fixtures/${name}`, import.meta.url);

/** Paths of a certificate for localhost and 127.0.0.1, and of its key. */
export const certificate = {
  cert: fixture('localhost.cert.pem').pathname,
  key: fixture('localhost.key.pem').pathname
};

/** Options of a client that trusts the certificate. */
export const trusting = { ca: readFileSync(certificate.cert) };

/**
 * A client that collects its messages.
 */
export class Client {
  #messages;

  /** `[code, reason]` of the close event. @type {Promise<[number, Buffer]>} */
  closed;

  /**
   * @param {string} url
   * @param {import('ws').ClientOptions} [options]
   * @param {typeof WebSocket} [Class] the class of another library
   */
  constructor(url, options = {}, Class = WebSocket) {
    this.socket = new Class(url, options);
    this.#messages = on(this.socket, 'message', { close: ['close'] });
    this.closed = once(this.socket, 'close');
  }

  /** An open client. @param {ConstructorParameters<typeof Client>} args */
  static async open(...args) {
    const client = new Client(...args);
    await once(client.socket, 'open');
    return client;
  }

  /** Waits for the next message: text as a string, binary as a Buffer. */
  async next() {
    const { value, done } = await this.#messages.next();
    if (done) throw new Error('the connection closed while a message was waited for');
    const [data, isBinary] = value;
    return isBinary ? data : data.toString();
  }

  /** Closes, and waits for the close event. */
  async close() {
    this.socket.close();
    await this.closed;
  }
}

/**
 * Starts an echo server of ws.
 *
 * @param {import('node:test').TestContext} t closes it
 * @param {import('ws').ServerOptions} [options]
 */
export async function echoServer(t, options = {}) {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0, ...options });
  server.on('connection', (socket) => {
    socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
  });
  t.after(() => {
    for (const client of server.clients) client.terminate();
    server.close();
  });
  await once(server, 'listening');
  return { server, url: `ws://127.0.0.1:${server.address().port}` };
}

/**
 * Starts an example that is a server, on a free port.
 *
 * @param {import('node:test').TestContext} t ends it
 * @param {string} file its path below examples/
 * @param {{ args?: string[], env?: Record<string, string> }} [how]
 * @returns {Promise<{ program: Program, url: string }>} resolves when the server listens
 */
export async function startServer(t, file, { args, env } = {}) {
  const program = new Program(`examples/${file}`, args, { HOST: '127.0.0.1', PORT: '0', ...env });
  t.after(() => program.end());
  const [url] = await program.line(/wss?:\S+/);
  return { program, url };
}
