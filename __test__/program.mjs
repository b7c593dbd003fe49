// A program of this repository as a child process: what it prints, line by line, and its end. Used by the tests of
// examples/, also of the live one; what is expected of a program does not belong here.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/** A running program. */
export class Program {
  #child;
  #name;
  #lines;

  /** `[code, signal]`, when it is gone. @type {Promise<[number | null, NodeJS.Signals | null]>} */
  exit;

  /** What it has said on standard error so far. */
  errors = '';

  /**
   * Starts a program of Node's.
   *
   * @param {string} file its path below the root
   * @param {string[]} [args]
   * @param {Record<string, string>} [env] further variables
   */
  constructor(file, args = [], env = {}) {
    this.#name = file;
    this.#child = spawn(process.execPath, [file, ...args], {
      cwd: root,
      env: { ...process.env, ...env },
      stdio: 'pipe'
    });
    this.#child.stderr.setEncoding('utf8').on('data', (text) => {
      this.errors += text;
    });
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
    // 'close': when its output has come, too.
    this.exit = once(this.#child, 'close');
  }

  get pid() {
    return this.#child.pid;
  }

  /** Its standard input. */
  get input() {
    return this.#child.stdin;
  }

  /**
   * Waits for a line.
   *
   * @param {RegExp} [pattern] lines that do not match are passed over
   * @returns {Promise<RegExpExecArray>} the match
   * @throws {Error} it has ended before
   */
  async line(pattern = /.*/) {
    for (;;) {
      const { value, done } = await this.#lines.next();
      if (done) {
        const [code, signal] = await this.exit;
        throw new Error(
          `${this.#name} ended (${signal ?? code}) without a line like ${pattern}: ${this.errors}`
        );
      }
      const match = pattern.exec(value);
      if (match !== null) return match;
    }
  }

  /**
   * Waits for its end by itself.
   *
   * @returns {Promise<string[]>} the lines that nobody has waited for
   * @throws {Error} it failed, or said something on standard error
   */
  async finish() {
    const rest = [];
    for (let next = await this.#lines.next(); !next.done; next = await this.#lines.next()) {
      rest.push(next.value);
    }
    const [code, signal] = await this.exit;
    if (code !== 0 || this.errors !== '') {
      throw new Error(`${this.#name} ended (${signal ?? code}): ${this.errors}`);
    }
    return rest;
  }

  /**
   * Ends it by a signal.
   *
   * @param {NodeJS.Signals} [signal]
   */
  end(signal = 'SIGKILL') {
    this.#child.kill(signal);
    return this.exit;
  }
}
