'use strict';

// The error of a program that cannot load the addon: it names the files that were tried and the remedies, and has a cause. Each
// case is a copy of the package in a folder of its own, damaged in one way. Forbidden addons are in runtimes/.

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync
} = require('node:fs');
const { tmpdir } = require('node:os');
const path = require('node:path');
const test = require('node:test');

const root = path.dirname(__dirname);
const manifest = require('../package.json');
/** The addon of this machine, under its name in a release. */
const addon = readdirSync(root).find((name) =>
  name.startsWith(`ferrows.${process.platform}-${process.arch}`)
);

/**
 * Loads a copy of the package, which has no addon at first.
 *
 * @param {test.TestContext} context
 * @param {{ damage?: (folder: string) => void, before?: string }} how `before`: a statement that runs first
 * @returns {{ message: string, code: string, causes: string[] } | null} the error; null if it loaded
 */
function load(context, { damage, before = '' }) {
  const folder = mkdtempSync(path.join(tmpdir(), 'ferrows-load-'));
  context.after(() => rmSync(folder, { recursive: true }));
  for (const name of ['package.json', 'index.js', 'binding.js', 'lib']) {
    cpSync(path.join(root, name), path.join(folder, name), { recursive: true });
  }
  damage?.(folder);
  const program = `${before}
    const report = { message: '', code: '', causes: [] };
    try {
      require('./index.js');
      console.log('null');
    } catch (error) {
      report.message = error.message;
      report.code = error.code;
      for (let cause = error.cause; cause; cause = cause.cause) report.causes.push(cause.message);
      console.log(JSON.stringify(report));
    }`;
  const env = { ...process.env };
  delete env.NAPI_RS_NATIVE_LIBRARY_PATH;
  const child = spawnSync(process.execPath, ['-e', program], {
    cwd: folder,
    encoding: 'utf8',
    env
  });
  assert.equal(child.status, 0, child.stderr);
  return JSON.parse(child.stdout);
}

/** The numbered lines of the message. @param {string} message */
const remedies = (message) => message.split('\n').filter((line) => /^ {2}\d\. /.test(line));

/**
 * Checks the parts that all of these errors have.
 *
 * @param {ReturnType<typeof load>} error
 * @returns {asserts error is NonNullable<ReturnType<typeof load>>}
 */
function assertLoadError(error) {
  assert.ok(error, 'it has loaded');
  assert.equal(error.code, 'ERR_FERROWS_LOAD');
  assert.ok(error.message.includes(`ferrows ${manifest.version}`));
  assert.ok(error.message.includes(`${process.platform} `), 'names the platform');
  assert.ok(error.message.includes(process.version));
  assert.equal(remedies(error.message).length, 3, error.message);
}

test('a whole copy loads', (context) => {
  const damage = (folder) => cpSync(path.join(root, addon), path.join(folder, addon));
  assert.equal(load(context, { damage }), null);
});

test('without an addon the error names the file and the package', (context) => {
  const error = load(context, {});
  assertLoadError(error);
  assert.ok(error.message.includes(`./${addon}: not found`), error.message);
  const platform = addon.split('.')[1];
  assert.ok(error.message.includes(`@ferrows/binding-${platform}: not found`), error.message);
  assert.match(remedies(error.message)[0], /--include=optional/);
  assert.ok(error.causes.length >= 3, 'the cause is kept');
});

test('a file that is no addon', (context) => {
  const error = load(context, {
    damage: (folder) => writeFileSync(path.join(folder, addon), 'no library')
  });
  assertLoadError(error);
  assert.match(error.message, /file too short|invalid ELF header|not a mach-o/i);
  assert.match(remedies(error.message)[0], /install again/);
});

test('an addon of another version', (context) => {
  const error = load(context, {
    damage(folder) {
      const text = readFileSync(path.join(folder, 'package.json'), 'utf8');
      const other = text.replace(`"version": "${manifest.version}"`, '"version": "8.0.0"');
      writeFileSync(path.join(folder, 'package.json'), other);
      const home = path.join(folder, 'node_modules/@ferrows', `binding-${addon.split('.')[1]}`);
      mkdirSync(home, { recursive: true });
      cpSync(path.join(root, addon), path.join(home, addon));
      writeFileSync(path.join(home, 'package.json'), JSON.stringify({ main: addon }));
    }
  });
  assert.equal(error?.code, 'ERR_FERROWS_LOAD');
  assert.ok(
    error.message.includes(
      `the addon has version ${manifest.version}, the package has version 8.0.0`
    )
  );
  assert.equal(remedies(error.message).length, 3);
});

test('a require() that finds the modules of Node only, as in a single executable', (context) => {
  const error = load(context, {
    before: `const { Module } = require('node:module');
      const load = Module._load;
      Module._load = function (request, ...rest) {
        if (/^\\.\\/ferrows\\.|^@ferrows\\//.test(request)) throw new Error('No such built-in module: ' + request);
        return load.call(this, request, ...rest);
      };`
  });
  assertLoadError(error);
  assert.match(remedies(error.message)[0], /beside the executable/);
  assert.match(remedies(error.message)[1], /createRequire\(process\.execPath\)/);
});

test('a platform without an addon', (context) => {
  const error = load(context, {
    before: "Object.defineProperty(process, 'arch', { value: 's390x' });",
    damage(folder) {
      // As in the published package.
      const published = {
        ...manifest,
        optionalDependencies: { '@ferrows/binding-linux-x64-gnu': '1' }
      };
      writeFileSync(path.join(folder, 'package.json'), JSON.stringify(published));
    }
  });
  assertLoadError(error);
  assert.ok(error.message.includes('s390x'));
  assert.match(remedies(error.message)[1], /platform with a prebuilt addon/);
});

test('a processor without an addon', (context) => {
  const error = load(context, {
    before: "Object.defineProperty(process, 'arch', { value: 'pdp11' });"
  });
  assertLoadError(error);
  assert.match(error.message, /Unsupported architecture on \w+: pdp11/);
  assert.match(remedies(error.message)[1], /platform with a prebuilt addon/);
});
