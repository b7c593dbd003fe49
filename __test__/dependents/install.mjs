/**
 * Installs the packages that depend on ws, with ferrows in the place of ws. `prepare()` is called by the tests and by
 * ../project-tests.mjs; `node __test__/dependents/install.mjs --update` writes the lock file anew after a change of
 * project/package.json. The installation itself is in ../project.mjs.
 *
 * An npm override maps ws to a path for all dependents. With FERROWS_SUBJECT=ws it is the original. `light-my-request` is
 * pinned to the last version that supports all our versions of Node.
 */

import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Project, root } from '../project.mjs';

/** The package in the place of ws. */
export const subject = process.env.FERROWS_SUBJECT === 'ws' ? 'ws' : 'ferrows';

const project = new Project({
  source: fileURLToPath(new URL('project', import.meta.url)),
  programs: ['load.mjs'],
  folder: join(root, 'target/dependents', subject),
  links: { ws: subject === 'ws' ? join(root, 'node_modules/ws') : root },
  npm: ['--omit=optional']
});

/** The folder of the packages, after `prepare()`. */
export const { folder } = project;

/** Installs missing packages. @throws {Error} npm failed */
export const prepare = () => project.prepare();

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (process.argv[2] === '--update') project.update();
  else prepare();
}
