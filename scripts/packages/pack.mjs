/**
 * Packs the folders of stage.mjs into tarballs, with an index.json of their manifests and sizes. A package without its addon, as on
 * a machine that builds for its own platform only, is in the index without a tarball.
 */

import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { npmCommand } from '../npm.mjs';
import { platforms, readManifest } from './platforms.mjs';

/**
 * @typedef {Object} Packed
 * @property {import('./platforms.mjs').Manifest} manifest
 * @property {string | null} file name of the tarball
 * @property {number} size bytes of the tarball
 * @property {number} unpackedSize bytes of its files
 * @property {string} integrity
 * @property {string} shasum
 */

/**
 * @param {string} staged
 * @param {string} out deleted first
 * @returns {Packed[]} the platforms, then the root package
 */
export function pack(staged, out) {
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  const folders = platforms.map(({ addon, folder }) => {
    const path = join(staged, 'npm', folder);
    return { path, isWhole: existsSync(join(path, addon)) };
  });
  const index = [...folders, { path: join(staged, 'ferrows'), isWhole: true }].map(
    ({ path, isWhole }) => {
      const manifest = readManifest(path);
      if (!isWhole) {
        return { manifest, file: null, size: 0, unpackedSize: 0, integrity: '', shasum: '' };
      }
      const [program, ...args] = npmCommand(
        'pack',
        '--json',
        '--ignore-scripts',
        '--pack-destination',
        resolve(out)
      );
      const [packed] = JSON.parse(execFileSync(program, args, { cwd: path, encoding: 'utf8' }));
      const { filename: file, size, unpackedSize, integrity, shasum } = packed;
      return { manifest, file, size, unpackedSize, integrity, shasum };
    }
  );
  writeFileSync(join(out, 'index.json'), `${JSON.stringify(index, null, 2)}\n`);
  return index;
}
