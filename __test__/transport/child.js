'use strict';

// Starts a program of children/ in a process of its own, with a given transport, and reads its output: one JSON value a line.

const { spawn } = require('node:child_process');
const { once } = require('node:events');
const path = require('node:path');
const readline = require('node:readline');

/** Milliseconds, enough for everything here on a busy machine. */
const TIMEOUT = 120_000;

/** The variables that choose a transport; those of this process are not inherited. */
const CHOOSING = ['FERROWS_TRANSPORT', 'FERROWS_LIBUV'];

class Child {
  /**
   * @param {import('node:test').TestContext} t kills the process with the test
   * @param {string} program in children/
   * @param {Record<string, string>} [env]
   */
  constructor(t, program, env = {}) {
    const inherited = Object.entries(process.env).filter(([name]) => !CHOOSING.includes(name));
    this.program = program;
    this.process = spawn(process.execPath, [path.join(__dirname, 'children', program)], {
      env: { ...Object.fromEntries(inherited), ...env },
      stdio: ['pipe', 'pipe', 'inherit'],
      timeout: TIMEOUT,
      killSignal: 'SIGKILL'
    });
    /** Lines that were not read yet. */
    this.lines = [];
    this.isOver = false;
    const reader = readline.createInterface({ input: this.process.stdout });
    reader.on('line', (line) => {
      this.lines.push(JSON.parse(line));
      this.process.emit('news');
    });
    // An exited child reads no commands.
    this.process.stdin.on('error', () => {});
    /** @type {Promise<{ code: number | null, signal: string | null }>} */
    this.ended = once(this.process, 'close').then(([code, signal]) => {
      this.isOver = true;
      this.process.emit('news');
      return { code, signal };
    });
    t.after(() => this.process.kill('SIGKILL'));
  }

  /** Waits for the next value. */
  async next() {
    while (this.lines.length === 0) {
      if (this.isOver) throw new Error(`${this.program} has ended: ${this.process.signalCode}`);
      await once(this.process, 'news');
    }
    return this.lines.shift();
  }

  /** @param {string} command a line for its standard input */
  send(command) {
    this.process.stdin.write(`${command}\n`);
  }

  /** Waits for its exit, and returns its remaining output. */
  async finished() {
    this.process.stdin.end();
    const { code, signal } = await this.ended;
    return { code, signal, lines: this.lines };
  }
}

module.exports = { Child };
