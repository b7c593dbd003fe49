// Programs of the subjects: the command of each, or the reason why it is not available. Builds and
// installs missing ones. Called by run.mjs.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { prepare as installPeers } from './peers/install.mjs';
import { nodeCommand } from './peers/newer-glibc.mjs';

const CRATE = fileURLToPath(new URL('load/', import.meta.url));
const PEERS = fileURLToPath(new URL('peers/node_modules/', import.meta.url));
/** The glibc version required by the binary of uWebSockets.js. */
const UWS_GLIBC = '2.38';

/** A program of the crate in load/. */
const built = (name) =>
  join(CRATE, 'target/release', process.platform === 'win32' ? `${name}.exe` : name);

/** The load generator. */
export const GENERATOR = built('load');

/** The hostile clients. */
export const HOSTILE = built('hostile');

/** Builds the load generator, the hostile clients and the raw echo server. Throws on failure. */
export function build() {
  // Explicit, because the environment may set another target directory.
  const args = ['build', '--release', '--locked', '-j1', '--target-dir', 'target'];
  const { status, error } = spawnSync('cargo', args, { cwd: CRATE, stdio: ['ignore', 2, 2] });
  if (error) throw new Error(`cargo cannot be run: ${error.message}`);
  if (status !== 0) throw new Error(`cargo ended with status ${status}`);
}

/** The binary installed by npm for this platform; the package's own script that links it is not run. */
function bun() {
  installPeers();
  const scope = join(PEERS, '@oven');
  const paths = existsSync(scope)
    ? readdirSync(scope).map((name) => join(scope, name, 'bin', 'bun'))
    : [];
  const path = paths.find((file) => spawnSync(file, ['--version']).status === 0);
  if (path === undefined) throw new Error('npm has no binary for this platform that runs here');
  return [path];
}

function uws() {
  installPeers();
  const command = nodeCommand(UWS_GLIBC);
  // A binary that does not load must not end the run.
  const [program, ...first] = command;
  const load = spawnSync(program, [...first, '-e', `require('@btc-vision/uwebsockets.js')`], {
    cwd: join(PEERS, '..'),
    encoding: 'utf8'
  });
  if (load.status !== 0) {
    const line = load.stderr?.split('\n').find((text) => /Error/.test(text));
    throw new Error(
      `its binary does not load: ${line ?? load.error?.message ?? 'no reason given'}`
    );
  }
  return command;
}

/** The command before the file of a subject, by name in catalog.mjs. */
const PROGRAMS = {
  node: () => [process.execPath],
  uws,
  bun,
  'epoll-echo': () => [built('epoll-echo')]
};

/**
 * Prepares programs.
 *
 * @param {Iterable<string>} names
 * @returns {Map<string, { command: string[] } | { missing: string }>} the command of each, or the
 *   reason why it is missing
 */
export function prepare(names) {
  return new Map(
    [...new Set(names)].map((name) => {
      try {
        return [name, { command: PROGRAMS[name]() }];
      } catch (err) {
        return [name, { missing: err.message }];
      }
    })
  );
}
