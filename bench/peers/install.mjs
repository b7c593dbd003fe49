// Installs the npm packages of the peers if they are missing or the manifest has changed.
// `prepare()` is called by programs.mjs; `node bench/peers/install.mjs --update` writes the lock
// file again after a change of package.json.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const FOLDER = fileURLToPath(new URL('.', import.meta.url));
const LOCK = join(FOLDER, 'package-lock.json');
/** Written last, so that an interrupted installation is repeated. */
const STAMP = join(FOLDER, 'node_modules', '.installed');

/** Time limit of npm in milliseconds. */
const TIME_LIMIT = 5 * 60 * 1000;
const NPM_OPTIONS = ['--ignore-scripts', '--no-audit', '--no-fund'];

/** Runs npm: the one that runs this process, or the one in the path. Throws on failure. */
function npm(...args) {
  const cli = process.env.npm_execpath;
  const [program, ...before] = cli && /\.c?js$/.test(cli) ? [process.execPath, cli] : ['npm'];
  const { status, error } = spawnSync(program, [...before, ...args, ...NPM_OPTIONS], {
    cwd: FOLDER,
    timeout: TIME_LIMIT,
    killSignal: 'SIGKILL',
    stdio: ['ignore', 2, 2]
  });
  if (status !== 0) throw new Error(`npm ${args[0]} failed${error ? `: ${error.message}` : ''}`);
}

/** Installs missing packages. Throws if npm fails. */
export function prepare() {
  const hash = createHash('sha256');
  for (const name of ['package.json', 'package-lock.json']) {
    hash.update(readFileSync(join(FOLDER, name)));
  }
  const wanted = hash.digest('hex');
  if (existsSync(STAMP) && readFileSync(STAMP, 'utf8') === wanted) return;
  npm('ci');
  writeFileSync(STAMP, wanted);
}

/** Writes the lock file without the addresses of a registry. */
function update() {
  npm('install', '--package-lock-only', '--omit-lockfile-registry-resolved');
  const lock = JSON.parse(readFileSync(LOCK, 'utf8'));
  for (const entry of Object.values(lock.packages)) delete entry.resolved;
  writeFileSync(LOCK, `${JSON.stringify(lock, null, 2)}\n`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (process.argv[2] === '--update') update();
  prepare();
}
