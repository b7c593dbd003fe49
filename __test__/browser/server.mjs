// The live example as a child process, for the tests beside this file: starting it, its URL, and both ways to end it.
import { Program } from '../program.mjs';

/** A running live server. */
export class LiveServer {
  #program;

  /** The page's address. */
  url;

  /**
   * Starts a server and waits until it listens.
   *
   * @param {number} [port] 0 takes a free one
   */
  static async start(port = 0) {
    const server = new LiveServer();
    server.#program = new Program('examples/live/server.mjs', [], {
      HOST: '127.0.0.1',
      PORT: String(port)
    });
    [server.url] = await server.#program.line(/http:\S+/);
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
    return this.#program.end(signal);
  }
}
