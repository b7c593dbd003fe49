// Packs entry.cjs with the named tool, into a folder without node_modules above it, and runs it there. BLOCKS has the blocks of
// code of doc/runtimes.md, by their first lines.

import { execFileSync, spawnSync } from 'node:child_process';
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync
} from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const [tool] = process.argv.slice(2);
const here = dirname(fileURLToPath(import.meta.url));
const project = dirname(here);
const entry = join(here, 'entry.cjs');
const out = join(project, `../bundles/${process.env.SUBJECT}-${tool}`);
rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });

const require = createRequire(import.meta.url);

/**
 * The options in doc/runtimes.md.
 *
 * @param {string} heading the first line of a block of code
 */
function documented(heading) {
  const { [heading]: code } = JSON.parse(process.env.BLOCKS ?? '{}');
  return new Function(
    code.replace(/^await esbuild\.build\(/m, 'return (').replace(/^export default /m, 'return ')
  )();
}

const plugins = () => [
  require('@rollup/plugin-node-resolve').default({
    preferBuiltins: true,
    exportConditions: ['node']
  }),
  {
    name: 'json',
    transform: (/** @type {string} */ code, /** @type {string} */ id) =>
      id.endsWith('.json') ? `module.exports = ${code}` : null
  },
  require('@rollup/plugin-commonjs').default({
    extensions: ['.js', '.cjs', '.json'],
    ignoreDynamicRequires: true
  })
];

/** Copies the addon of this machine beside the bundle. */
function copyAddon() {
  const scope = join(project, 'node_modules/@ferrows');
  if (!existsSync(scope)) return;
  for (const name of readdirSync(scope)) {
    for (const file of readdirSync(join(scope, name))) {
      if (file.endsWith('.node')) copyFileSync(join(scope, name, file), join(out, file));
    }
  }
}

/** @type {Record<string, () => Promise<string[]>>} how each packs; gives the command that runs the result */
const TOOLS = {
  async ncc() {
    const { code, assets } = await require('@vercel/ncc')(entry, {
      minify: true,
      quiet: true,
      cache: false
    });
    writeFileSync(join(out, 'index.js'), code);
    for (const [name, { source }] of Object.entries(assets)) {
      mkdirSync(dirname(join(out, name)), { recursive: true });
      writeFileSync(join(out, name), source);
    }
    return [process.execPath, 'index.js'];
  },

  async nft() {
    const { nodeFileTrace } = await import('@vercel/nft');
    const { fileList } = await nodeFileTrace([entry], { base: project });
    for (const name of fileList) {
      cpSync(join(project, name), join(out, name), { dereference: true });
    }
    return [process.execPath, 'bundles/entry.cjs'];
  },

  async esbuild() {
    const esbuild = await import('esbuild');
    await esbuild.build({
      ...documented('esbuild, the addon copied'),
      entryPoints: [entry],
      outfile: join(out, 'server.cjs'),
      logLevel: 'error'
    });
    return [process.execPath, 'server.cjs'];
  },

  async rollup() {
    const { rollup } = await import('rollup');
    const bundle = await rollup({
      input: entry,
      external: documented('rolldown, the addon outside').external,
      plugins: plugins(),
      onwarn() {}
    });
    await bundle.write({ dir: out, format: 'cjs', entryFileNames: 'server.cjs' });
    copyAddon();
    return [process.execPath, 'server.cjs'];
  },

  async rolldown() {
    const { rolldown } = await import('rolldown');
    const { output, ...options } = documented('rolldown, the addon outside');
    const bundle = await rolldown({ ...options, input: entry, onLog() {} });
    await bundle.write({ ...output, file: join(out, 'server.cjs') });
    copyAddon();
    return [process.execPath, 'server.cjs'];
  },

  // The program is in the executable, the addon beside it.
  async sea() {
    const esbuild = await import('esbuild');
    const options = documented('esbuild, a single executable');
    if (process.env.UNPREPARED) delete options.banner;
    await esbuild.build({
      ...options,
      entryPoints: [entry],
      outfile: join(out, 'server.cjs'),
      logLevel: 'error'
    });
    writeFileSync(
      join(out, 'sea.json'),
      JSON.stringify({
        main: 'server.cjs',
        output: 'server.blob',
        disableExperimentalSEAWarning: true
      })
    );
    execFileSync(process.execPath, ['--experimental-sea-config', 'sea.json'], { cwd: out });
    const server = join(out, 'server');
    copyFileSync(process.execPath, server);
    const { inject } = require('postject');
    await inject(server, 'NODE_SEA_BLOB', readFileSync(join(out, 'server.blob')), {
      sentinelFuse: 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2'
    });
    // The executable contains the program.
    for (const name of ['server.cjs', 'sea.json', 'server.blob']) rmSync(join(out, name));
    return [server];
  }
};

const [program, ...args] = await TOOLS[tool]();
const { status, stdout, stderr } = spawnSync(program, args, { cwd: out, encoding: 'utf8' });
process.stdout.write(stdout);
process.stderr.write(stderr);
process.exitCode = status ?? 1;
