/** Checks of a release: the folders of npm/ against the targets, each finding of check.mjs, and publint and attw on the packages. */

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  writeFileSync
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { identify } from '../../scripts/packages/binary.mjs';
import { check } from '../../scripts/packages/check.mjs';
import { manifest, platforms, readManifest } from '../../scripts/packages/platforms.mjs';
import { stage } from '../../scripts/packages/stage.mjs';
import { root } from '../../scripts/ready.mjs';

const folder = mkdtempSync(join(tmpdir(), 'ferrows-release-'));
const clean = join(folder, 'clean');
const staged = join(folder, 'staged');

/** Headers of binaries, without content. @type {Record<string, (cpu: string) => Buffer>} */
const FRONTS = {
  darwin(cpu) {
    const bytes = Buffer.alloc(4096);
    bytes.writeUInt32LE(0xfeedfacf, 0);
    bytes.writeUInt32LE(cpu === 'x64' ? 0x01000007 : 0x0100000c, 4);
    return bytes;
  },
  win32(cpu) {
    const bytes = Buffer.alloc(4096);
    bytes.write('MZ');
    bytes.writeUInt32LE(128, 60);
    bytes.write('PE\0\0', 128);
    bytes.writeUInt16LE({ ia32: 0x014c, x64: 0x8664, arm64: 0xaa64 }[cpu] ?? 0, 132);
    return bytes;
  }
};

before(() => stage(root, clean, true));
beforeEach(() => {
  rmSync(staged, { recursive: true, force: true });
  cpSync(clean, staged, { recursive: true });
});
after(() => rmSync(folder, { recursive: true }));

/**
 * Runs a tool of node_modules/.bin. Throws with the output if it fails.
 *
 * @param {string} name
 * @param {...string} args
 */
function tool(name, ...args) {
  const path = join(root, 'node_modules', '.bin', name);
  const { status, stdout, stderr } = spawnSync(path, args, { cwd: root, encoding: 'utf8' });
  assert.equal(status, 0, `${stdout}\n${stderr}`);
}

/** @param {string} name */
const platform = (name) => {
  const found = platforms.find((each) => each.folder === name);
  assert.ok(found, name);
  return found;
};

test('each target has a folder, with the manifest that napi generates', () => {
  const made = join(folder, 'made');
  mkdirSync(made);
  const napi = join(root, 'node_modules/@napi-rs/cli/dist/cli.js');
  cpSync(join(root, 'package.json'), join(made, 'package.json'));
  execFileSync(process.execPath, [napi, 'create-npm-dirs'], { cwd: made });
  const folders = readdirSync(join(made, 'npm')).sort();
  assert.deepEqual(
    platforms.map((each) => each.folder),
    folders
  );
  assert.equal(folders.length, manifest.napi?.targets.length);
  for (const name of folders) {
    const wanted = /** @type {any} */ (readManifest(join(made, 'npm', name)));
    const committed = /** @type {any} */ (readManifest(join(root, 'npm', name)));
    for (const field of Object.keys(wanted)) {
      // Written by hand.
      if (field === 'description' || field === 'keywords') continue;
      assert.deepEqual(committed[field], wanted[field], `${name}: ${field}`);
    }
  }
});

test('missing addons are reported, and present ones inspected', () => {
  const findings = check(staged);
  for (const { addon, folder: name, manifest: each } of platforms) {
    const isHere = name === 'linux-x64-gnu' && process.platform === 'linux';
    const finding = `${each.name}: ${addon} is missing`;
    if (!isHere && !name.startsWith(process.platform)) assert.ok(findings.includes(finding), name);
  }
  assert.ok(!findings.some((finding) => finding.startsWith('ferrows ')), findings.join('\n'));
});

test('a binary of another format or processor', () => {
  const arm = platform('darwin-arm64');
  const file = join(staged, 'npm', arm.folder, arm.addon);
  const about = () => check(staged).filter((finding) => finding.startsWith(arm.manifest.name));

  writeFileSync(file, /** @type {any} */ (FRONTS.darwin)('arm64'));
  assert.deepEqual(about(), []);
  writeFileSync(file, /** @type {any} */ (FRONTS.darwin)('x64'));
  assert.deepEqual(about(), [`${arm.manifest.name}: ${arm.addon} is for the processor x64`]);
  writeFileSync(file, /** @type {any} */ (FRONTS.win32)('arm64'));
  assert.deepEqual(about(), [`${arm.manifest.name}: ${arm.addon} is of the format pe`]);
  writeFileSync(file, Buffer.alloc(5 * 1024 * 1024));
  assert.match(about().join('\n'), /has 5242880 bytes/);
});

test('the root package has no addon', () => {
  const { files } = readManifest(join(clean, 'ferrows'));
  assert.ok(!files?.includes('*.node'));
  const names = readdirSync(join(clean, 'ferrows'), { recursive: true });
  assert.ok(!names.some((name) => String(name).endsWith('.node')), names.join('\n'));
});

test('publint finds nothing', () => {
  tool('publint', '--strict', join(clean, 'ferrows'));
  for (const { addon, folder: name } of platforms) {
    const each = join(clean, 'npm', name);
    if (existsSync(join(each, addon))) tool('publint', '--strict', each);
  }
});

test('the types resolve in CommonJS, ES modules and bundlers', () => {
  tool('attw', '--pack', join(clean, 'ferrows'));
});

test('Windows has three processors', () => {
  for (const cpu of ['ia32', 'x64', 'arm64']) {
    const file = join(folder, `${cpu}.node`);
    writeFileSync(file, /** @type {any} */ (FRONTS.win32)(cpu));
    assert.deepEqual(identify(file), { format: 'pe', cpu });
  }
});

test('the root package of a release installs nothing but addons', () => {
  const file = join(staged, 'ferrows', 'package.json');
  const value = readManifest(join(staged, 'ferrows'));
  const { optionalDependencies } = value;
  const findings = (/** @type {any} */ change) => {
    writeFileSync(file, JSON.stringify({ ...value, ...change }));
    return check(staged).filter((finding) => finding.startsWith('ferrows '));
  };
  assert.deepEqual(findings({}), []);
  assert.match(String(findings({ dependencies: { ws: '8' } })), /has dependencies/);
  assert.match(String(findings({ scripts: { postinstall: 'x' } })), /runs postinstall/);
  assert.match(String(findings({ version: '8.0.0' })), /is of version 8\.0\.0/);
  const [name] = Object.keys(optionalDependencies ?? {});
  const loose = { ...optionalDependencies, [String(name)]: '^8.23.0' };
  assert.match(String(findings({ optionalDependencies: loose })), /optionalDependencies/);
});
