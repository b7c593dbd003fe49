/**
 * esbuild and webpack: a server is bundled with the configurations in doc/runtimes.md, and the bundle run; a bundle for
 * browsers gets browser.js. The bundled programs are in project/.
 */

import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, join } from 'node:path';
import { before, describe, test } from 'node:test';
import { runInThisContext } from 'node:vm';
import { root } from '../project.mjs';
import { addon, folder, node, result, run, TIME_LIMIT } from './programs.mjs';

/** As the project loads it. @type {(name: string) => any} */
const load = createRequire(join(folder, 'package.json'));
const esbuild = load('esbuild');
const webpack = load('webpack');

const BUNDLES = join(folder, 'bundles');

/** The documented configurations. */
const DOCUMENT = readFileSync(join(root, 'doc/runtimes.md'), 'utf8');

/** The package as a whole stays outside, or only its addon does. */
const WAYS = ['the package outside', 'the addon outside'];

/** The bundled servers, and the name under which each requires the package. */
const SERVERS = { 'server-ferrows.mjs': 'ferrows', 'server-ws.mjs': 'ws' };

/**
 * The options of doc/runtimes.md for a bundler and a way, for a program that requires `name`.
 *
 * @param {string} bundler
 * @param {string} way
 * @param {string} name
 */
function documented(bundler, way, name) {
  const start = DOCUMENT.indexOf(`// ${bundler}, ${way}\n`);
  assert.notEqual(start, -1, `doc/runtimes.md has nothing for ${bundler}, ${way}`);
  const code = DOCUMENT.slice(start, DOCUMENT.indexOf('```', start)).replace(/\bawait\b/, '');
  const module = { exports: {} };
  const builder = { build: (/** @type {object} */ options) => (module.exports = options) };
  // Not in a vm context: webpack does not recognize its RegExp.
  const evaluate = runInThisContext(
    `(module, esbuild) => {${code.replaceAll("'ferrows'", `'${name}'`)}}`
  );
  evaluate(module, builder);
  return module.exports;
}

/** @type {Record<string, (entry: string, outfile: string, options: object) => Promise<void>>} */
const BUNDLERS = {
  async esbuild(entry, outfile, options) {
    const { warnings } = await esbuild.build({
      bundle: true,
      format: 'cjs',
      logLevel: 'silent',
      ...options,
      entryPoints: [join(folder, entry)],
      outfile
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

const FOR_BROWSERS = { esbuild: { platform: 'browser' }, webpack: { target: 'web' } };

/**
 * Bundles, and returns the path of the result.
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
    for (const way of WAYS) {
      for (const [entry, name] of Object.entries(SERVERS)) {
        test(`${entry}, ${way}`, TIME_LIMIT, async () => {
          const path = await bundle(bundler, way, entry, documented(bundler, way, name));
          const isOutside = readFileSync(path, 'utf8').includes(`require("${name}")`);
          assert.equal(isOutside, way === 'the package outside');
          if (isOutside) assert.equal(await result(node, [path]), 'bundled');
          else await assertNeedsAddon(path);
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
 * A bundle without the addon tries its own folder and the package of the platform only.
 *
 * @param {string} path
 */
async function assertNeedsAddon(path) {
  const { code, stderr } = await run(node, [path]);
  assert.notEqual(code, 0);
  assert.match(stderr, /ERR_FERROWS_LOAD/);
  assert.match(stderr, /1\. keep ferrows out of the bundle/);

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
 * The package that binding.js requires if there is no such file.
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
