// Child processes of the benchmark: start, lines of JSON, end. Called by session.mjs and
// measure.mjs.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/**
 * Time limits in milliseconds for an answer, beyond the duration of the load, and for the end of a
 * process.
 */
const ANSWER_LIMIT = 60_000;
const END_LIMIT = 2000;

/** A child process that answers with lines of JSON and ends when its standard input is closed. */
export class Child {
  #child;
  #lines;
  #name;
  #exit;

  /**
   * @param {string} name for errors
   * @param {string[]} command program and arguments; paths relative to this folder
   * @param {Record<string, string>} [env] in addition to this process's
   */
  constructor(name, [program, ...args], env = {}) {
    this.#name = name;
    this.#child = spawn(program, args, {
      cwd: fileURLToPath(new URL('.', import.meta.url)),
      env: { ...process.env, NODE_ENV: 'production', ...env },
      stdio: ['pipe', 'pipe', 'inherit']
    });
    this.#exit = once(this.#child, 'exit').then(
      ([code, signal]) => signal ?? `exit code ${code}`,
      (err) => err.message
    );
    // The process may have ended already.
    this.#child.stdin.on('error', () => {});
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  get pid() {
    return this.#child.pid;
  }

  /** Sends a line. */
  send(line) {
    this.#child.stdin.write(`${line}\n`);
  }

  /**
   * Reads the next line of the process as JSON.
   *
   * @param {number} [seconds] duration of its work before the answer
   * @throws {Error} if it ended or exceeded the limit
   */
  async read(seconds = 0) {
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), ANSWER_LIMIT + seconds * 1000);
    const { value, done } = await this.#lines.next();
    clearTimeout(timer);
    if (done) throw new Error(`${this.#name} ended early (${await this.#exit})`);
    return JSON.parse(value);
  }

  /** Ends the process, by force after a time limit. */
  async end() {
    this.#child.stdin.end();
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), END_LIMIT);
    await this.#exit;
    clearTimeout(timer);
  }
}
