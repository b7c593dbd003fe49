// The live example as a child process, for the tests beside this file: starting it, its URL, and both ways to end it.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const FILE = fileURLToPath(new URL('../../examples/live/server.mjs', import.meta.url));

/** A running live server. */
export class LiveServer {
  #child;
  #exit;

  /** The page's address. */
  url;

  /**
   * Starts a server and waits until it listens.
   *
   * @param {number} [port] 0 takes a free one
   */
  static async start(port = 0) {
    const server = new LiveServer();
    const child = spawn(process.execPath, [FILE], {
      env: { ...process.env, HOST: '127.0.0.1', PORT: String(port) },
      stdio: ['ignore', 'pipe', 'inherit']
    });
    server.#child = child;
    server.#exit = once(child, 'exit');
    const line = await Promise.race([
      once(createInterface({ input: child.stdout }), 'line').then(([text]) => text),
      server.#exit.then(([code, signal]) => {
        throw new Error(`the live server ended at once (${signal ?? `exit code ${code}`})`);
      })
    ]);
    server.url = /http:\S+/.exec(line)[0];
    return server;
  }

  /** The port it listens on. */
  get port() {
    return Number(new URL(this.url).port);
  }

  /**
   * Ends it by a signal.
   *
   * @param {'SIGTERM' | 'SIGINT' | 'SIGKILL'} signal
   * @returns {Promise<[number | null, string | null]>} exit code and signal, when it is gone
   */
  end(signal) {
    this.#child.kill(signal);
    return this.#exit;
  }
}
