/**
 * Lays out the packages to publish, outside of the clone: `ferrows/`, the root package as npm would pack it, and `npm/PLATFORM/`,
 * an addon beside its manifest. The commands of napi refuse an incomplete release; check.mjs checks the result.
 */

import { execFileSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync
} from 'node:fs';
import { join, resolve } from 'node:path';
import { npmCommand } from '../npm.mjs';
import { root } from '../ready.mjs';
import { manifest, platforms } from './platforms.mjs';

const NAPI = join(root, 'node_modules/@napi-rs/cli/dist/cli.js');

/**
 * The fields with the address of the sources, which npm compares with the one in a provenance statement. Known to the release
 * workflow only.
 */
function origin() {
  const { GITHUB_REPOSITORY: repository, GITHUB_SERVER_URL: server } = process.env;
  if (!repository || !server) return {};
  const home = `${server}/${repository}`;
  return {
    homepage: `${home}#readme`,
    bugs: `${home}/issues`,
    repository: { type: 'git', url: `git+${home}.git` }
  };
}

/** @param {string} folder @param {(value: any) => any} change */
function rewriteManifest(folder, change) {
  const file = join(folder, 'package.json');
  const value = change(JSON.parse(readFileSync(file, 'utf8')));
  writeFileSync(file, `${JSON.stringify(value, null, 2)}\n`);
}

/**
 * @param {string} artifacts folder that holds the addons, at any depth
 * @param {string} out deleted first
 * @param {boolean} isPartial true if addons may be missing, as on a machine that builds for its own platform only
 * @throws {Error} an addon is missing, or a command failed
 */
export function stage(artifacts, out, isPartial) {
  rmSync(out, { recursive: true, force: true });
  const home = join(out, 'ferrows');
  mkdirSync(home, { recursive: true });

  // Without `prepack`: the addons come from `artifacts`.
  const [program, ...args] = npmCommand(
    'pack',
    '--json',
    '--ignore-scripts',
    '--pack-destination',
    out
  );
  const packed = execFileSync(program, args, { cwd: root, encoding: 'utf8' });
  const tarball = join(out, JSON.parse(packed)[0].filename);
  execFileSync('tar', ['-xzf', tarball, '-C', home, '--strip-components=1']);
  rmSync(tarball);

  // napi writes only below the package that it is called for.
  const npm = join(home, 'npm');
  for (const { folder } of platforms) {
    const target = join(npm, folder);
    cpSync(join(root, 'npm', folder), target, { recursive: true });
    cpSync(join(root, 'LICENSE'), join(target, 'LICENSE'));
    rewriteManifest(target, (value) => ({ ...value, ...origin() }));
  }

  const found = isPartial
    ? platforms.filter(({ addon }) => existsSync(join(artifacts, addon)))
    : platforms;
  if (found.length === 0) throw new Error(`there is no addon in ${artifacts}`);
  if (isPartial) {
    for (const { addon, folder } of found) {
      cpSync(join(artifacts, addon), join(npm, folder, addon));
    }
  } else {
    for (const command of [
      ['artifacts', '--output-dir', resolve(artifacts), '--npm-dir', 'npm'],
      ['pre-publish', '--tag-style', 'npm', '--skip-optional-publish', '--npm-dir', 'npm']
    ]) {
      execFileSync(process.execPath, [NAPI, ...command], { cwd: home, stdio: 'inherit' });
    }
  }

  // `npm pack` of a clone includes the addon built there, and `napi artifacts` adds the others.
  const addons = readdirSync(home).filter((name) => name.endsWith('.node'));
  for (const addon of addons) rmSync(join(home, addon));
  renameSync(npm, join(out, 'npm'));

  const optionalDependencies = Object.fromEntries(
    platforms.map(({ manifest: { name } }) => [name, manifest.version])
  );
  rewriteManifest(home, (value) => {
    // Only for work on ferrows.
    delete value.scripts;
    delete value.devDependencies;
    const files = value.files.filter((/** @type {string} */ name) => name !== '*.node');
    return { ...value, files, ...origin(), optionalDependencies };
  });
}
