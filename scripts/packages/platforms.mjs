/**
 * The packages to publish: the root package, and one package for each folder of npm/. Read by the other files of this folder.
 */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../ready.mjs';

/**
 * @typedef {Object} Manifest
 * @property {string} name
 * @property {string} version
 * @property {string} [main]
 * @property {string[]} [os]
 * @property {string[]} [cpu]
 * @property {string[]} [libc]
 * @property {string[]} [files]
 * @property {Record<string, string>} [dependencies]
 * @property {Record<string, string>} [optionalDependencies]
 * @property {Record<string, string>} [scripts]
 * @property {{ binaryName: string, packageName: string, targets: string[] }} [napi]
 */

/**
 * The committed package of a platform.
 *
 * @typedef {Object} Platform
 * @property {string} folder its name: `linux-x64-gnu`
 * @property {Manifest} manifest
 * @property {string} addon name of its file
 */

/** @param {string} folder @returns {Manifest} */
export const readManifest = (folder) =>
  JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));

/** The manifest of the root package. */
export const manifest = readManifest(root);

/** The packages of the platforms, in the order of their names. @type {Platform[]} */
export const platforms = readdirSync(join(root, 'npm'), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name: folder }) => {
    const platform = readManifest(join(root, 'npm', folder));
    return { folder, manifest: platform, addon: /** @type {string} */ (platform.main) };
  });
