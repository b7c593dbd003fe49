// The live example as a child process, for the tests beside this file: its start, its URL and its end.
import { Program } from '../program.mjs';

/** A running live server. */
export class LiveServer {
  #program;

  /** The address of the page. */
  url;

  /**
   * Starts a server and waits until it listens.
   *
   * @param {number} [port] 0 takes a free port
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
   * Ends it with a signal.
   *
   * @param {'SIGTERM' | 'SIGINT' | 'SIGKILL'} signal
   * @returns {Promise<[number | null, string | null]>} exit code and signal
   */
  end(signal) {
    return this.#program.end(signal);
  }
}
