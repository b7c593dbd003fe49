/**
 * Runs the programs of project/, from the folder they are copied to, in any runtime. Called by the tests here, which check the
 * output.
 */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { root } from '../project.mjs';
import { folder, prepare } from './install.mjs';

export { folder };

prepare();

/** Options of a test, with its time limit in milliseconds. */
export const TIME_LIMIT = { timeout: 60_000 };

/** A key, and its certificate for the loopback address. */
const CERTIFICATES = fileURLToPath(new URL('../differential/fixtures', import.meta.url));

/** The command of a runtime: the executable and its arguments before the name of a program. @typedef {string[]} Runtime */

/** @type {Runtime} */
export const node = [process.execPath];

/**
 * Finds the binary that a package has for this machine.
 *
 * @param {string[]} paths in node_modules
 * @throws {Error} npm has installed none
 */
function binary(...paths) {
  const found = paths
    .map((path) => join(folder, 'node_modules', path))
    .find((path) => existsSync(path));
  if (!found) throw new Error(`npm has found none of ${paths.join(', ')} for this machine`);
  return found;
}

/** @returns {string} the path of the addon built for this machine */
export function addon() {
  const prefix = `ferrows.${process.platform}-${process.arch}`;
  const name = readdirSync(root).find((file) => file.startsWith(prefix) && file.endsWith('.node'));
  if (!name) throw new Error('there is no addon: run "npm run build"');
  return join(root, name);
}

/** @returns {Runtime} */
export const bun = () => [
  binary(
    '@oven/bun-linux-x64-baseline/bin/bun',
    '@oven/bun-linux-aarch64/bin/bun',
    '@oven/bun-darwin-x64-baseline/bin/bun',
    '@oven/bun-darwin-aarch64/bin/bun'
  )
];

/** @returns {Runtime} with the permissions that a program needs, and no more */
export const deno = () => [
  binary(
    '@deno/linux-x64-glibc/deno',
    '@deno/linux-arm64-glibc/deno',
    '@deno/darwin-x64/deno',
    '@deno/darwin-arm64/deno'
  ),
  'run',
  '--no-prompt',
  '--allow-net',
  '--allow-ffi',
  '--allow-env',
  '--allow-read'
];

/**
 * @param {Runtime} runtime
 * @param {string[]} args the program and its arguments
 * @param {Record<string, string>} [env]
 * @returns {Promise<{ code: number | null, signal: string | null, stdout: string, stderr: string }>}
 */
export async function run([program, ...before], args, env = {}) {
  const { FERROWS_TRANSPORT: _, ...inherited } = process.env;
  const child = spawn(/** @type {string} */ (program), [...before, ...args], {
    cwd: folder,
    env: { ...inherited, CERTIFICATES, NO_COLOR: '1', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: TIME_LIMIT.timeout / 2,
    killSignal: 'SIGKILL'
  });
  const [stdout, stderr, [code, signal]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close')
  ]);
  return { code, signal, stdout, stderr };
}

/**
 * Runs a program that exits by itself, without an error.
 *
 * @param {Runtime} runtime
 * @param {string[]} args
 * @param {Record<string, string>} [env]
 * @returns {Promise<any>} its output, as JSON
 */
export async function result(runtime, args, env) {
  const { code, signal, stdout, stderr } = await run(runtime, args, env);
  if (code !== 0) throw new Error(`${args[0]} ended with ${signal ?? code}:\n${stdout}${stderr}`);
  return JSON.parse(stdout);
}
