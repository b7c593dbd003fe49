// The other side of an example: a client or a server made of ws, which nobody of us wrote. What it expects is in the
// tests beside this file.
import { once, on } from 'node:events';
import { readFileSync } from 'node:fs';
import { test as testOfNode } from 'node:test';

import { WebSocket, WebSocketServer } from 'ws';

import { Program } from '../program.mjs';

/** What a test waits for has come by then, in milliseconds. */
const LIMIT = 60_000;

/**
 * A test that ends, and with it its programs, also when what it waits for never comes.
 *
 * @param {string} name
 * @param {(t: import('node:test').TestContext) => Promise<void>} body
 */
export const test = (name, body) => testOfNode(name, { timeout: LIMIT }, body);

const fixture = (name) => new URL(`../differential/fixtures/${name}`, import.meta.url);

/** A certificate for localhost and 127.0.0.1, and its key: paths. */
export const certificate = {
  cert: fixture('localhost.cert.pem').pathname,
  key: fixture('localhost.key.pem').pathname
};

/** Options of a client that trusts the certificate. */
export const trusting = { ca: readFileSync(certificate.cert) };

/**
 * A client whose messages can be waited for.
 */
export class Client {
  #messages;

  /** `[code, reason]`, when it has closed. @type {Promise<[number, Buffer]>} */
  closed;

  /**
   * @param {string} url
   * @param {import('ws').ClientOptions} [options]
   * @param {typeof WebSocket} [Class] for a client that is not of ws
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

  /** The next message: text as a string, binary as a Buffer. */
  async next() {
    const { value, done } = await this.#messages.next();
    if (done) throw new Error('the connection closed while a message was waited for');
    const [data, isBinary] = value;
    return isBinary ? data : data.toString();
  }

  /** Closes, and waits until that is done. */
  async close() {
    this.socket.close();
    await this.closed;
  }
}

/**
 * A server of ws that echoes.
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
 * An example that is a server, on a free port.
 *
 * @param {import('node:test').TestContext} t ends it
 * @param {string} file its path below examples/
 * @param {{ args?: string[], env?: Record<string, string> }} [how]
 * @returns {Promise<{ program: Program, url: string }>} when it listens
 */
export async function startServer(t, file, { args, env } = {}) {
  const program = new Program(`examples/${file}`, args, { HOST: '127.0.0.1', PORT: '0', ...env });
  t.after(() => program.end());
  const [url] = await program.line(/wss?:\S+/);
  return { program, url };
}
