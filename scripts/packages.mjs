/**
 * Stages, checks, packs and publishes the packages of npm/:
 *
 *     node scripts/packages.mjs stage --artifacts DIR --out DIR [--partial]
 *     node scripts/packages.mjs check DIR
 *     node scripts/packages.mjs pack DIR --out DIR
 *     node scripts/packages.mjs publish DIR [--dry-run]
 *
 * `npm run pack` stages and packs the addon built in this clone, into target/packages. The release workflow runs the commands one
 * by one. The commands are in packages/.
 */

import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { check } from './packages/check.mjs';
import { pack } from './packages/pack.mjs';
import { publish } from './packages/publish.mjs';
import { stage } from './packages/stage.mjs';
import { root } from './ready.mjs';

const LOCAL = join(root, 'target/packages');

/** @param {import('./packages/pack.mjs').Packed[]} index */
function printSizes(index) {
  const kib = (/** @type {number} */ bytes) => `${(bytes / 1024).toFixed(0)} KiB`.padStart(9);
  for (const { manifest, file, size, unpackedSize } of index) {
    const sizes = file ? `${kib(size)} packed ${kib(unpackedSize)} unpacked` : 'no addon';
    console.log(`${`${manifest.name}@${manifest.version}`.padEnd(48)} ${sizes}`);
  }
}

/** @param {string} staged @throws {Error} with all findings */
function demandRelease(staged) {
  const findings = check(staged);
  if (findings.length > 0) throw new Error(`no release:\n  ${findings.join('\n  ')}`);
  console.log('All packages of the release are complete.');
}

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    artifacts: { type: 'string', default: root },
    out: { type: 'string' },
    partial: { type: 'boolean', default: false },
    'dry-run': { type: 'boolean', default: false }
  }
});
const [command, staged = join(LOCAL, 'staged')] = positionals;

switch (command) {
  case 'stage':
    stage(values.artifacts, values.out ?? join(LOCAL, 'staged'), values.partial);
    break;
  case 'check':
    demandRelease(staged);
    break;
  case 'pack':
    printSizes(pack(staged, values.out ?? join(LOCAL, 'tarballs')));
    break;
  case 'publish':
    demandRelease(staged);
    await publish(staged, { isDryRun: values['dry-run'] });
    break;
  default:
    console.error(
      'One of: stage, check, pack, publish. Their options are at the top of scripts/packages.mjs.'
    );
    process.exitCode = 1;
}
