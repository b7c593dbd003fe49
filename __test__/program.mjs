// A program of this repository as a child process, with its lines of output. Used by the tests of examples/ and of the live
// example.
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

  /** `[code, signal]` of the end. @type {Promise<[number | null, NodeJS.Signals | null]>} */
  exit;

  /** Its standard error so far. */
  errors = '';

  /**
   * Starts a program in Node.
   *
   * @param {string} file its path below the root
   * @param {string[]} [args]
   * @param {Record<string, string>} [env] additional variables
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
    // 'close' comes after all output.
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
   * @param {RegExp} [pattern] lines that do not match are skipped
   * @returns {Promise<RegExpExecArray>} the match
   * @throws {Error} the program ended before
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
   * Waits for the program to end by itself.
   *
   * @returns {Promise<string[]>} the lines that were not waited for
   * @throws {Error} it failed, or wrote to standard error
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
   * Ends the program with a signal.
   *
   * @param {NodeJS.Signals} [signal]
   */
  end(signal = 'SIGKILL') {
    this.#child.kill(signal);
    return this.exit;
  }
}
