/**
 * A folder of npm packages that a suite needs: installed into target/ once per manifest, with local packages linked under names
 * that the suite chooses. Called by install.mjs of dependents/, runtimes/ and environments/.
 *
 * The committed lock file (package-lock.json beside package.json) has no links, which are added here because their paths depend
 * on the subject, and no addresses of packages.
 */

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { npmCommand } from '../scripts/npm.mjs';

/** The folder of package.json. */
export const root = fileURLToPath(new URL('..', import.meta.url));

/** Milliseconds that npm may take. */
const TIME_LIMIT = 5 * 60 * 1000;

/** @param {string} file */
const parse = (file) => JSON.parse(readFileSync(file, 'utf8'));

/** @param {unknown} value */
const print = (value) => `${JSON.stringify(value, null, 2)}\n`;

/** Copies a file if it differs: another process may be reading it. @param {string} from @param {string} to */
function copy(from, to) {
  if (existsSync(to) && readFileSync(to).equals(readFileSync(from))) return;
  mkdirSync(dirname(to), { recursive: true });
  copyFileSync(from, to);
}

export class Project {
  /** The links as npm writes them: relative paths by name. @type {Record<string, string>} */
  #links;

  /**
   * @param {object} options
   * @param {string} options.source the folder with package.json and package-lock.json
   * @param {string[]} [options.programs] files of it that run among the packages: copied each time
   * @param {string} options.folder the folder to install into
   * @param {Record<string, string>} options.links folders of packages, by the name to link them as
   * @param {string[]} [options.npm] additional options of npm
   */
  constructor({ source, programs = [], folder, links, npm = [] }) {
    this.source = source;
    this.programs = programs;
    this.folder = folder;
    this.npmOptions = ['--ignore-scripts', '--no-audit', '--no-fund', ...npm];
    this.#links = Object.fromEntries(
      Object.entries(links).map(([name, path]) => [name, relative(folder, path)])
    );
  }

  /**
   * Runs npm in the installed project.
   *
   * @param {string[]} args
   * @throws {Error} it failed, or took too long
   */
  #npm(...args) {
    const [program, ...rest] = npmCommand(...args, ...this.npmOptions);
    const { status, error } = spawnSync(program, rest, {
      cwd: this.folder,
      timeout: TIME_LIMIT,
      killSignal: 'SIGKILL',
      // Standard output of a test is its report.
      stdio: ['ignore', process.stderr.fd, process.stderr.fd]
    });
    if (status !== 0) {
      throw new Error(
        `"npm ${args.join(' ')}" failed in ${relative(root, this.folder)}: ${error?.message ?? 'see above'}`
      );
    }
  }

  /** The manifest with the links. */
  #manifest() {
    const value = parse(join(this.source, 'package.json'));
    for (const [name, path] of Object.entries(this.#links)) {
      value.dependencies[name] = `file:${path}`;
    }
    return value;
  }

  /** The committed lock file with the links, as npm would have written it. */
  #lock() {
    const value = parse(join(this.source, 'package-lock.json'));
    for (const [link, path] of Object.entries(this.#links)) {
      const { name, version } = parse(join(this.folder, path, 'package.json'));
      value.packages[''].dependencies[link] = `file:${path}`;
      value.packages[path] = { name, version };
      value.packages[`node_modules/${link}`] = { resolved: path, link: true };
    }
    return value;
  }

  /** Writes the lock file to the sources, without links and addresses. */
  #keepLock() {
    const value = parse(join(this.folder, 'package-lock.json'));
    for (const [link, path] of Object.entries(this.#links)) {
      delete value.packages[''].dependencies[link];
      delete value.packages[path];
      delete value.packages[`node_modules/${link}`];
    }
    for (const entry of Object.values(value.packages)) delete entry.resolved;
    writeFileSync(join(this.source, 'package-lock.json'), print(value));
  }

  /** Installs missing packages. @throws {Error} npm failed */
  prepare() {
    const { folder, source } = this;
    mkdirSync(folder, { recursive: true });
    for (const name of this.programs) copy(join(source, name), join(folder, name));
    const files = {
      'package.json': print(this.#manifest()),
      'package-lock.json': print(this.#lock())
    };
    const wanted = createHash('sha256').update(Object.values(files).join('')).digest('hex');
    // Written last, so that an interrupted installation is repeated.
    const installed = join(folder, 'installed.txt');
    if (existsSync(installed) && readFileSync(installed, 'utf8') === wanted) return;
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    this.#npm('ci');
    writeFileSync(installed, wanted);
  }

  /** Locks the packages of package.json anew, and installs them. @throws {Error} npm failed */
  update() {
    mkdirSync(this.folder, { recursive: true });
    writeFileSync(join(this.folder, 'package.json'), print(this.#manifest()));
    this.#npm('install', '--package-lock-only');
    this.#keepLock();
    this.prepare();
  }
}
