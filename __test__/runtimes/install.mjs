/**
 * Installs the runtimes and bundlers that ferrows is tried with, and links it in under its own name and as `ws`. The tests
 * call `prepare()`; `node __test__/runtimes/install.mjs --update` writes the lock file anew after a change of
 * project/package.json. How that is done is in ../project.mjs.
 *
 * Bun and Deno are npm packages with one binary each, for one platform: npm chooses. Those of Bun for x64 are the ones that
 * ask for no newer instructions than the platform has.
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

/** Where the packages are, once `prepare()` has returned. */
export const { folder } = project;

/** Installs what is missing. @throws {Error} npm failed */
export const prepare = () => project.prepare();

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (process.argv[2] === '--update') project.update();
  else prepare();
}
