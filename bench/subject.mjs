// Processes of the benchmark: starting one, its lines of JSON, its end. Called by measure.mjs; what is measured does not
// belong here.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** How long a process may take to say what it is asked, beyond the load it makes, and to end; in milliseconds. */
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
   * @param {string[]} command program and arguments; paths below this folder
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
    // It may be gone when it is told to go on or to end.
    this.#child.stdin.on('error', () => {});
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  get pid() {
    return this.#child.pid;
  }

  /** Sends a line. */
  say(line) {
    this.#child.stdin.write(`${line}\n`);
  }

  /**
   * The next line that the process writes, read as JSON.
   *
   * @param {number} [seconds] that it works before it answers
   * @throws {Error} it ended or was too slow
   */
  async answer(seconds = 0) {
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), ANSWER_LIMIT + seconds * 1000);
    const { value, done } = await this.#lines.next();
    clearTimeout(timer);
    if (done) throw new Error(`${this.#name} ended early (${await this.#exit})`);
    return JSON.parse(value);
  }

  /** Ends the process, by force when it does not end by itself. */
  async end() {
    this.#child.stdin.end();
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), END_LIMIT);
    await this.#exit;
    clearTimeout(timer);
  }
}
