/**
 * The environment of the installation tests: tarballs of this build (or those in FERROWS_TARBALLS, which a release sets), a registry that
 * serves them, empty projects, and package managers and programs that run in them.
 */

import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { npmCommand } from '../../scripts/npm.mjs';
import { pack } from '../../scripts/packages/pack.mjs';
import { platforms } from '../../scripts/packages/platforms.mjs';
import { stage } from '../../scripts/packages/stage.mjs';
import { root } from '../../scripts/ready.mjs';
import { Registry } from './registry.mjs';

/** Programs that use an installed ferrows; copied into each project. */
const PROGRAMS = fileURLToPath(new URL('programs', import.meta.url));

/** Time limit of a command, in milliseconds. */
const TIME_LIMIT = 3 * 60 * 1000;

export class Workbench {
  constructor() {
    this.folder = mkdtempSync(join(tmpdir(), 'ferrows-install-'));
    this.registry = new Registry();
  }

  /** Packs, unless FERROWS_TARBALLS is set, and starts the registry. */
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

  /** Gives the platforms without an addon here a package without one, because Yarn 1 downloads the packages of all platforms. */
  fillRegistry() {
    for (const platform of platforms) {
      const entry = this.registry.entries.get(platform.manifest.name);
      if (!entry || entry.tarball) continue;
      const folder = join(this.folder, 'empty', platform.folder);
      cpSync(join(root, 'npm', platform.folder), join(folder, 'package'), { recursive: true });
      const file = join(folder, 'package.tgz');
      execFileSync('tar', ['-czf', file, '-C', folder, 'package']);
      entry.tarball = readFileSync(file);
    }
  }

  /**
   * Creates an empty project.
   *
   * @param {string} name
   * @param {any} manifest
   * @param {Record<string, string>} [files] more files
   * @returns {string} the folder
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
   * Runs a command to its end. Throws with the output if it fails.
   *
   * @param {string} cwd
   * @param {string[]} command
   * @param {Record<string, string>} [env]
   * @returns {Promise<string>} the standard output
   */
  async run(cwd, [program, ...args], env = {}) {
    const child = spawn(String(program), args, {
      cwd,
      // No state of the machine is used or changed.
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
