/**
 * Installs runtimes and bundlers, and links ferrows under its own name and as `ws`. The tests call `prepare()`; `node
 * __test__/runtimes/install.mjs --update` writes the lock file anew after a change of project/package.json. The installation
 * itself is in ../project.mjs.
 *
 * Bun and Deno are npm packages with a binary per platform, of which npm installs one. Those of Bun for x64 are the baseline
 * builds, which run on every processor.
 */

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Project, root } from '../project.mjs';

const source = fileURLToPath(new URL('project', import.meta.url));

const project = new Project({
  source,
  programs: readdirSync(source).filter((name) => !name.endsWith('.json')),
  folder: join(root, 'target/runtimes'),
  links: { ferrows: root, ws: root }
});

/** The folder of the packages, after `prepare()`. */
export const { folder } = project;

/** Installs missing packages. @throws {Error} npm failed */
export const prepare = () => project.prepare();

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (process.argv[2] === '--update') project.update();
  else prepare();
}
