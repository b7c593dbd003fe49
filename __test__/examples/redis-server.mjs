// A real redis-server for a test: on a Unix socket in a folder of its own, without a configuration file or a service.
// debian.mjs finds the program, and installs it on Debian.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

import { findProgram } from '../debian.mjs';

/** A Redis that can be ended and started again at the same address. */
export class RedisServer {
  #folder = mkdtempSync(join(tmpdir(), 'ferrows-redis-'));
  #path = join(this.#folder, 'redis.sock');
  #child;

  /** The address for its clients. */
  url = `unix://${this.#path}`;

  /** Starts it, and waits until it accepts connections. */
  async start() {
    const program = findProgram({
      name: 'redis-server',
      variable: 'REDIS_SERVER_PATH',
      // Debian's redis-tools has the program; redis-server adds a link to it and a service, which is unwanted here.
      places: ['/usr/bin/redis-server', '/usr/local/bin/redis-server', '/usr/bin/redis-check-rdb'],
      packages: ['redis-tools']
    });
    const options = { port: '0', unixsocket: this.#path, save: '', appendonly: 'no' };
    this.#child = spawn(
      program,
      Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]),
      // The program acts as a server if its name says so.
      { argv0: 'redis-server', cwd: this.#folder, stdio: ['ignore', 'pipe', 'inherit'] }
    );
    let said = '';
    for await (const line of createInterface({ input: this.#child.stdout })) {
      said += `${line}\n`;
      if (/ready to accept connections/i.test(line)) {
        this.#child.stdout.resume();
        return;
      }
    }
    throw new Error(`redis-server ended at once: ${said}`);
  }

  /** Kills it, as a crash would. */
  async kill() {
    if (this.#child?.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill('SIGKILL');
    await once(this.#child, 'exit');
  }

  /** Ends it, and removes its files. */
  async remove() {
    await this.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
