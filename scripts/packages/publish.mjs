/**
 * Publishes the packages of stage.mjs that passed check.mjs. npm publishes one package at a time, and users install the root
 * package: it is published last, once the registry shows every platform in the version of this release. A run that broke off can
 * be repeated: packages that are published already are skipped.
 */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { npmCommand } from '../npm.mjs';
import { manifest, platforms } from './platforms.mjs';

/** Requests to the registry until it shows a published package, and the milliseconds between them. */
const ASKING = { times: 30, wait: 10_000 };

/**
 * Runs npm.
 *
 * @param {string[]} args
 * @param {string} [cwd]
 * @returns {Promise<{ status: number | null, output: string }>}
 */
async function npm(args, cwd) {
  const [program, ...rest] = npmCommand(...args);
  const child = spawn(program, rest, { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => {
      output += text;
    });
  }
  const [status] = await once(child, 'close');
  return { status, output };
}

/** The registry that npm publishes to. */
async function registry() {
  const { output } = await npm(['config', 'get', 'registry']);
  return output.trim().replace(/\/$/, '');
}

/**
 * True if the registry has a package in the version of this release.
 *
 * @param {string} address of the registry
 * @param {string} name
 * @returns {Promise<boolean>}
 * @throws {Error} the registry failed
 */
async function isPublished(address, name) {
  const { version } = manifest;
  const response = await fetch(`${address}/${name.replace('/', '%2f')}/${version}`);
  if (response.status === 404) return false;
  if (!response.ok) throw new Error(`the registry answers ${response.status} for ${name}`);
  return /** @type {any} */ (await response.json()).version === version;
}

/**
 * @param {string} address of the registry
 * @param {{ name: string, folder: string }} one
 */
async function publishOne(address, { name, folder }) {
  if (await isPublished(address, name)) {
    console.log(`${name} is published already`);
    return;
  }
  // npm signs a statement of provenance with the identity of a workflow.
  const provenance = process.env.ACTIONS_ID_TOKEN_REQUEST_URL ? ['--provenance'] : [];
  const { status, output } = await npm(['publish', '--access', 'public', ...provenance], folder);
  if (status !== 0) throw new Error(`${name} could not be published: ${output}`);
  console.log(`${name} is published`);
}

/**
 * Waits until the registry shows all platforms.
 *
 * @param {string} address of the registry
 * @param {{ times: number, wait: number }} asking
 */
async function waitForPlatforms(address, { times, wait }) {
  let missing = platforms.map((platform) => platform.manifest.name);
  for (let left = times; ; left--) {
    const found = await Promise.all(missing.map((name) => isPublished(address, name)));
    missing = missing.filter((_, index) => !found[index]);
    if (missing.length === 0) return;
    if (left <= 1) throw new Error(`the registry does not show ${missing.join(', ')}`);
    await delay(wait);
  }
}

/**
 * @param {string} staged
 * @param {{ isDryRun?: boolean, asking?: { times: number, wait: number } }} [options] `isDryRun`: only prints the packages
 * @throws {Error} a package could not be published; the root package is not, unless all others are there
 */
export async function publish(staged, { isDryRun = false, asking = ASKING } = {}) {
  const folders = platforms.map((platform) => ({
    name: platform.manifest.name,
    folder: resolve(staged, 'npm', platform.folder)
  }));
  const home = { name: manifest.name, folder: resolve(join(staged, 'ferrows')) };
  const address = await registry();
  if (isDryRun) {
    for (const { name } of [...folders, home]) {
      const isThere = await isPublished(address, name);
      console.log(`${name}@${manifest.version}: ${isThere ? 'published' : 'to be published'}`);
    }
    return;
  }
  for (const one of folders) await publishOne(address, one);
  await waitForPlatforms(address, asking);
  await publishOne(address, home);
}
