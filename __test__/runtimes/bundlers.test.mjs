/**
 * esbuild and webpack: a server is bundled, in the two ways that doc/runtimes.md has, and the bundle run; a bundle for browsers
 * gets browser.js. What is bundled are the programs of project/ that are named here.
 */

import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, join } from 'node:path';
import { before, describe, test } from 'node:test';
import { root } from '../project.mjs';
import { addon, folder, node, result, run, TIME_LIMIT } from './programs.mjs';

/** As the project has it. @type {(name: string) => any} */
const load = createRequire(join(folder, 'package.json'));
const esbuild = load('esbuild');
const webpack = load('webpack');

const BUNDLES = join(folder, 'bundles');

/** What the addon is looked for as: files beside binding.js, and packages for one platform each. */
const ADDONS = { esbuild: ['./ferrows.*', 'ferrows-*'], webpack: [/^\.\/ferrows\./, /^ferrows-/] };

/** webpack would put whole folders into the bundle for what is only known at run time. */
const LOADER = {
  test: /binding\.js$/,
  parser: {
    exprContextCritical: false,
    exprContextRecursive: false,
    exprContextRegExp: /^$/,
    wrappedContextRecursive: false,
    wrappedContextRegExp: /^$/
  }
};

/**
 * The two ways: the package as a whole stays outside, or only its addon does.
 *
 * @type {Record<string, Record<string, { esbuild: object, webpack: object }>>}
 */
const SERVERS = {
  'the package outside': {
    'server-ferrows.mjs': {
      esbuild: { external: ['ferrows'] },
      webpack: { externals: ['ferrows'] }
    },
    'server-ws.mjs': { esbuild: { external: ['ws'] }, webpack: { externals: ['ws'] } }
  },
  'the addon outside': Object.fromEntries(
    ['server-ferrows.mjs', 'server-ws.mjs'].map((name) => [
      name,
      {
        esbuild: { external: ADDONS.esbuild },
        webpack: { externals: ADDONS.webpack, module: { rules: [LOADER] } }
      }
    ])
  )
};

/** @type {Record<string, (entry: string, outfile: string, options: object) => Promise<void>>} */
const BUNDLERS = {
  async esbuild(entry, outfile, options) {
    const { warnings } = await esbuild.build({
      bundle: true,
      format: 'cjs',
      logLevel: 'silent',
      entryPoints: [join(folder, entry)],
      outfile,
      ...options
    });
    assert.deepEqual(warnings, []);
  },

  async webpack(entry, outfile, options) {
    const stats = await new Promise((resolve, reject) => {
      const output = { path: join(outfile, '..'), filename: basename(outfile) };
      webpack(
        { mode: 'production', context: folder, entry: `./${entry}`, output, ...options },
        (/** @type {Error | null} */ error, /** @type {unknown} */ value) =>
          error ? reject(error) : resolve(value)
      );
    });
    const { errors, warnings } = stats.toJson({ all: false, errors: true, warnings: true });
    assert.deepEqual([errors, warnings], [[], []]);
  }
};

/** What a server needs in any case. */
const FOR_NODE = {
  esbuild: { platform: 'node' },
  webpack: { target: 'node', externalsType: 'commonjs' }
};
const FOR_BROWSERS = { esbuild: { platform: 'browser' }, webpack: { target: 'web' } };

/**
 * Bundles, and gives the path of what comes out.
 *
 * @param {string} bundler
 * @param {string} way
 * @param {string} entry
 * @param {object} options
 */
async function bundle(bundler, way, entry, options) {
  const outfile = join(BUNDLES, `${bundler}-${way.replaceAll(' ', '-')}`, entry, 'bundle.cjs');
  await BUNDLERS[bundler]?.(entry, outfile, options);
  return outfile;
}

before(() => rmSync(BUNDLES, { recursive: true, force: true }));

for (const bundler of /** @type {const} */ (['esbuild', 'webpack'])) {
  describe(bundler, () => {
    for (const [way, entries] of Object.entries(SERVERS)) {
      for (const [entry, options] of Object.entries(entries)) {
        test(`${entry}, ${way}`, TIME_LIMIT, async () => {
          const path = await bundle(bundler, way, entry, {
            ...FOR_NODE[bundler],
            ...options[bundler]
          });
          const isOutside = /require\("(ferrows|ws)"\)/.test(readFileSync(path, 'utf8'));
          assert.equal(isOutside, way === 'the package outside');
          if (isOutside) {
            assert.equal(await result(node, [path]), 'bundled');
            return;
          }
          await assertNeedsAddon(path);
        });
      }
    }

    test('a bundle for browsers', TIME_LIMIT, async () => {
      const path = await bundle(bundler, 'browser', 'browser.mjs', FOR_BROWSERS[bundler]);
      assert.doesNotMatch(readFileSync(path, 'utf8'), /\brequire\("|\.node\b/);
      assert.match(await result(node, [path]), /^ws does not work in the browser\./);
    });
  });
}

/**
 * A bundle without the addon finds it beside itself or as the package of the platform, and nowhere else.
 *
 * @param {string} path
 */
async function assertNeedsAddon(path) {
  assert.notEqual((await run(node, [path])).code, 0);

  const file = basename(addon());
  const beside = join(path, '..', file);
  copyFileSync(addon(), beside);
  assert.equal(await result(node, [path]), 'bundled');
  rmSync(beside);

  const name = packageOf(file);
  const installed = join(path, '..', 'node_modules', name);
  mkdirSync(installed, { recursive: true });
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  writeFileSync(join(installed, 'package.json'), JSON.stringify({ name, version, main: file }));
  copyFileSync(addon(), join(installed, file));
  assert.equal(await result(node, [path]), 'bundled');
}

/**
 * The package that binding.js looks for when there is no such file.
 *
 * @param {string} file
 */
function packageOf(file) {
  const loader = readFileSync(join(root, 'binding.js'), 'utf8');
  const place = loader.indexOf(`require('./${file}')`);
  const found = /const binding = require\('(.+)'\)/.exec(loader.slice(place));
  assert.ok(place !== -1 && found, `binding.js does not look for ${file}`);
  return /** @type {string} */ (found[1]);
}
