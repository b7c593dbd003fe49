// The page's connection: opens the WebSocket, notices when it is dead, and opens it again with growing pauses.
// page.js listens to its events; what the messages say is not known here.

const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 10_000;
/** The server says something each second; silence this long means that nobody is there. */
const SILENCE_MS = 5_000;

/**
 * Events: 'state' whenever `state` or `retryAt` changes, 'text' and 'binary' with the message as `detail`.
 * States: 'connecting', 'open', 'waiting' (for the next attempt, due at `retryAt`).
 */
export class Connection extends EventTarget {
  state = 'waiting';
  /** When the next attempt is due, on performance.now()'s clock; only while waiting. */
  retryAt = 0;

  #url;
  #socket;
  #attempts = 0;
  #heardAt = 0;
  #timer;

  /** @param {string} url a ws: or wss: URL */
  constructor(url) {
    super();
    this.#url = url;
    setInterval(() => this.#watch(), 1000);
    addEventListener('online', () => this.retry());
  }

  /** Opens the connection now if it is closed, without waiting for the next attempt. */
  retry() {
    if (this.state !== 'waiting') return;
    clearTimeout(this.#timer);
    this.#heardAt = performance.now();
    const socket = new WebSocket(this.#url);
    socket.binaryType = 'arraybuffer';
    socket.onopen = () => {
      this.#attempts = 0;
      this.#heardAt = performance.now();
      this.#enter('open');
    };
    socket.onmessage = ({ data }) => {
      this.#heardAt = performance.now();
      const type = typeof data === 'string' ? 'text' : 'binary';
      this.dispatchEvent(new CustomEvent(type, { detail: data }));
    };
    socket.onclose = () => this.#lost();
    this.#socket = socket;
    this.#enter('connecting');
  }

  /**
   * Sends a message; gives false, and drops it, when the connection is not open.
   *
   * @param {string | BufferSource} data
   */
  send(data) {
    if (this.state !== 'open') return false;
    this.#socket.send(data);
    return true;
  }

  #enter(state) {
    this.state = state;
    this.dispatchEvent(new Event('state'));
  }

  #watch() {
    if (this.state === 'waiting' || performance.now() - this.#heardAt < SILENCE_MS) return;
    // A dead peer never answers the close frame: do not wait for it.
    this.#socket.onopen = this.#socket.onmessage = this.#socket.onclose = null;
    this.#socket.close();
    this.#lost();
  }

  #lost() {
    const pause = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** this.#attempts);
    // Spread, so that a restarted server does not meet everybody in the same instant.
    const spread = pause * (0.5 + Math.random() / 2);
    this.#attempts += 1;
    this.retryAt = performance.now() + spread;
    this.#timer = setTimeout(() => this.retry(), spread);
    this.#enter('waiting');
  }
}
