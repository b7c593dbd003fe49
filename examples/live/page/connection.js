// The connection of the page: opens the WebSocket, detects when it is dead, and reconnects with exponential backoff. page.js
// listens to its events and handles the messages.

const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 10_000;
/** The connection is dead after this time without a message: the server sends one per second. */
const SILENCE_MS = 5_000;

/**
 * Events: 'state' when `state` or `retryAt` changes, 'text' and 'binary' with the message as `detail`.
 * States: 'connecting', 'open', 'waiting' (for the next attempt, due at `retryAt`).
 */
export class Connection extends EventTarget {
  state = 'waiting';
  /** Time of the next attempt, by performance.now(); only while waiting. */
  retryAt = 0;

  #url;
  #socket;
  #attempts = 0;
  #receivedAt = 0;
  #timer;

  /** @param {string} url a ws: or wss: URL */
  constructor(url) {
    super();
    this.#url = url;
    setInterval(() => this.#watch(), 1000);
    addEventListener('online', () => this.retry());
  }

  /** Reconnects immediately, if the connection is closed. */
  retry() {
    if (this.state !== 'waiting') return;
    clearTimeout(this.#timer);
    this.#receivedAt = performance.now();
    const socket = new WebSocket(this.#url);
    socket.binaryType = 'arraybuffer';
    socket.onopen = () => {
      this.#attempts = 0;
      this.#receivedAt = performance.now();
      this.#enter('open');
    };
    socket.onmessage = ({ data }) => {
      this.#receivedAt = performance.now();
      const type = typeof data === 'string' ? 'text' : 'binary';
      this.dispatchEvent(new CustomEvent(type, { detail: data }));
    };
    socket.onclose = () => this.#lost();
    this.#socket = socket;
    this.#enter('connecting');
  }

  /**
   * Sends a message, if the connection is open.
   *
   * @param {string | BufferSource} data
   * @returns {boolean} false: not sent
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
    if (this.state === 'waiting' || performance.now() - this.#receivedAt < SILENCE_MS) return;
    // A dead peer does not answer the close frame, so this does not wait for 'close'.
    this.#socket.onopen = this.#socket.onmessage = this.#socket.onclose = null;
    this.#socket.close();
    this.#lost();
  }

  #lost() {
    const pause = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** this.#attempts);
    // Jitter, so that clients of a restarted server do not reconnect all at once.
    const spread = pause * (0.5 + Math.random() / 2);
    this.#attempts += 1;
    this.retryAt = performance.now() + spread;
    this.#timer = setTimeout(() => this.retry(), spread);
    this.#enter('waiting');
  }
}
