/**
 * Where the tests of installation work: tarballs of what was built here (or of FERROWS_TARBALLS, which a release gives), a
 * registry that serves them, empty projects, and package managers and programs that run in them. The tests are in the files
 * beside it.
 */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { npmCommand } from '../../scripts/npm.mjs';
import { pack } from '../../scripts/packages/pack.mjs';
import { stage } from '../../scripts/packages/stage.mjs';
import { root } from '../../scripts/ready.mjs';
import { Registry } from './registry.mjs';

/** Programs that use an installed ferrows. */
const PROGRAMS = fileURLToPath(new URL('programs', import.meta.url));

/** A command may take this long, in milliseconds. */
const TIME_LIMIT = 3 * 60 * 1000;

export class Workbench {
  constructor() {
    this.folder = mkdtempSync(join(tmpdir(), 'ferrows-install-'));
    this.registry = new Registry();
  }

  /** Packs, unless that was done, and serves. */
  async open() {
    let tarballs = process.env.FERROWS_TARBALLS;
    if (!tarballs) {
      tarballs = join(this.folder, 'tarballs');
      stage(root, join(this.folder, 'staged'), true);
      pack(join(this.folder, 'staged'), tarballs);
    }
    this.registry.seed(tarballs);
    await this.registry.open();
  }

  async close() {
    await this.registry.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /**
   * An empty project.
   *
   * @param {string} name
   * @param {any} manifest
   * @param {Record<string, string>} [files] more files
   * @returns {string} its folder
   */
  project(name, manifest, files = {}) {
    const folder = join(this.folder, name);
    mkdirSync(folder, { recursive: true });
    const own = {
      'package.json': JSON.stringify({ name, private: true, ...manifest }, null, 2),
      '.npmrc': `registry=${this.registry.url}/\n`,
      ...files
    };
    for (const [file, text] of Object.entries(own)) {
      mkdirSync(dirname(join(folder, file)), { recursive: true });
      writeFileSync(join(folder, file), text);
    }
    cpSync(PROGRAMS, folder, { recursive: true });
    return folder;
  }

  /**
   * Runs a command to its end and fails with what it printed.
   *
   * @param {string} cwd
   * @param {string[]} command
   * @param {Record<string, string>} [env]
   * @returns {Promise<string>} its standard output
   */
  async run(cwd, [program, ...args], env = {}) {
    const child = spawn(String(program), args, {
      cwd,
      // Nothing that is remembered from elsewhere, and nothing remembered.
      env: {
        ...process.env,
        NAPI_RS_NATIVE_LIBRARY_PATH: '',
        npm_config_cache: join(this.folder, 'cache'),
        npm_config_registry: `${this.registry.url}/`,
        ...env
      },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: TIME_LIMIT,
      killSignal: 'SIGKILL'
    });
    let [output, all] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text) => {
      output += text;
      all += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text) => {
      all += text;
    });
    const [status, signal] = await once(child, 'close');
    assert.equal(status, 0, `${program} ${args.join(' ')}: ${signal ?? status}\n${all}`);
    return output;
  }

  /** @param {string} cwd @param {...string} args */
  npm(cwd, ...args) {
    return this.run(cwd, npmCommand(...args, '--no-audit', '--no-fund'));
  }

  /** @param {string} cwd @param {...string} args */
  node(cwd, ...args) {
    return this.run(cwd, [process.execPath, ...args]);
  }
}
