/**
 * Installs the packages that depend on ws, with ferrows in the place of ws. `prepare()` is called by the tests and by
 * ../project-tests.mjs; `node __test__/dependents/install.mjs --update` writes the lock file anew after a change of
 * project/package.json. How that is done is in ../project.mjs; what the packages are used for does not belong here.
 *
 * The override is npm's: the project depends on ws by a path and says that everybody else does. With FERROWS_SUBJECT=ws it
 * is the original. `light-my-request` is held back to the last version that asks for no newer Node.js than we do.
 */

import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Project, root } from '../project.mjs';

/** Which package stands in the place of ws. */
export const subject = process.env.FERROWS_SUBJECT === 'ws' ? 'ws' : 'ferrows';

const project = new Project({
  source: fileURLToPath(new URL('project', import.meta.url)),
  programs: ['load.mjs'],
  folder: join(root, 'target/dependents', subject),
  links: { ws: subject === 'ws' ? join(root, 'node_modules/ws') : root },
  npm: ['--omit=optional']
});

/** Where the packages are, once `prepare()` has returned. */
export const { folder } = project;

/** Installs what is missing. @throws {Error} npm failed */
export const prepare = () => project.prepare();

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (process.argv[2] === '--update') project.update();
  else prepare();
}
