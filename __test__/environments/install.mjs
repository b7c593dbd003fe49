/**
 * Installs the tools of this suite twice, with ws and with ferrows under the name `ws`. The tests call `prepare()`; `node
 * __test__/environments/install.mjs --update` writes the lock file anew after a change of project/package.json. npm is called
 * by ../project.mjs.
 *
 * Both subjects are copies below node_modules, as in an installed release: tools tell a dependency from a source of the program
 * by that folder in its real path, and tracers recognize a package by it. A link to the checkout would be a source.
 */

import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stage } from '../../scripts/packages/stage.mjs';
import { Project, root } from '../project.mjs';

/** The packages installed as `ws`; the first is the control. */
export const SUBJECTS = /** @type {const} */ (['ws', 'ferrows']);

/** @typedef {(typeof SUBJECTS)[number]} Subject */

const source = fileURLToPath(new URL('project', import.meta.url));
const target = join(root, 'target/environments');

/** Files of the package as npm would pack it, and the addon. */
const PACKED = ['package.json', 'binding.js', 'browser.js', 'index.js', 'index.mjs', 'lib'];

/** @param {Subject} subject */
export const folderOf = (subject) => join(target, subject);

/** All files below a folder. @param {string} folder */
const filesOf = (folder) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));

/** @param {string} subject */
const project = (subject) =>
  new Project({
    source,
    programs: filesOf(source).filter((name) => !/^package(-lock)?\.json$/.test(name)),
    folder: join(target, subject),
    links: { ws: subject === 'ws' ? join(root, 'node_modules/ws') : root }
  });

/** The names of the addons built here. */
const addons = () => readdirSync(root).filter((name) => /^ferrows\..+\.node$/.test(name));

/** A digest of all files of a release. */
function digest() {
  const hash = createHash('sha256');
  for (const name of [...PACKED, ...addons()]) {
    const path = join(root, name);
    const files = lstatSync(path).isDirectory()
      ? filesOf(path).map((file) => join(path, file))
      : [path];
    for (const file of files.sort()) hash.update(file).update(readFileSync(file));
  }
  return hash.digest('hex');
}

/**
 * Replaces a folder with another one.
 *
 * @param {string} from
 * @param {string} to
 */
function replace(from, to) {
  rmSync(to, { recursive: true, force: true });
  cpSync(from, to, { recursive: true, dereference: true });
}

/** Replaces the link made by npm with a copy of ferrows, in the packages of a release. */
function placeFerrows() {
  const modules = join(folderOf('ferrows'), 'node_modules');
  const placed = join(folderOf('ferrows'), 'placed.txt');
  const wanted = digest();
  const isLink = lstatSync(join(modules, 'ws')).isSymbolicLink();
  if (!isLink && existsSync(placed) && readFileSync(placed, 'utf8') === wanted) return;
  const staged = mkdtempSync(join(target, 'staged-'));
  try {
    stage(root, staged, true);
    replace(join(staged, 'ferrows'), join(modules, 'ws'));
    for (const platform of readdirSync(join(staged, 'npm'))) {
      const folder = join(staged, 'npm', platform);
      if (!readdirSync(folder).some((name) => name.endsWith('.node'))) continue;
      const { name } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
      replace(folder, join(modules, name));
    }
  } finally {
    rmSync(staged, { recursive: true });
  }
  writeFileSync(placed, wanted);
}

/** Replaces the link made by npm with a copy of ws. */
function placeWs() {
  const place = join(folderOf('ws'), 'node_modules/ws');
  if (lstatSync(place).isSymbolicLink()) replace(join(root, 'node_modules/ws'), place);
}

/** Installs missing packages, and the current ferrows. @throws {Error} npm failed */
export function prepare() {
  mkdirSync(target, { recursive: true });
  for (const subject of SUBJECTS) project(subject).prepare();
  placeWs();
  placeFerrows();
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (process.argv[2] === '--update') project('ws').update();
  prepare();
}
