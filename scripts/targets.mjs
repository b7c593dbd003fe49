/**
 * Lints the addon for each target of `napi.targets` in package.json: `npm run targets`, or `npm run targets -- TARGET...` for
 * some. Nothing is linked, so no cross linker is needed. Not a suite of `npm test`: it needs the standard library of each target,
 * by `rustup target add TARGET` or compiled by a nightly toolchain (`rustup toolchain install nightly -c clippy -c rust-src`).
 *
 * The release workflow builds the published binaries, and runs them on those systems.
 */

import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkRust, root, withCargo } from './ready.mjs';

const env = withCargo(process.env);

/** @type {string[]} */
const all = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).napi.targets;

/**
 * The output of a program; empty if it is missing or fails.
 *
 * @param {string} program
 * @param {string[]} args
 */
function ask(program, ...args) {
  const { status, stdout } = spawnSync(program, args, { cwd: root, env, encoding: 'utf8' });
  return status === 0 ? stdout.trim() : '';
}

/** True if the toolchain has the standard library of a target. @param {string} target */
function isInstalled(target) {
  const folder = ask('rustc', '--print', 'target-libdir', '--target', target);
  return folder !== '' && existsSync(folder);
}

/** True if there is a nightly toolchain with clippy and the sources of the standard library. */
function canBuildStandardLibrary() {
  const sysroot = ask('rustc', '+nightly', '--print', 'sysroot');
  return (
    ask('cargo', '+nightly', 'clippy', '--version') !== '' &&
    existsSync(join(sysroot, 'lib/rustlib/src/rust/library/std'))
  );
}

/**
 * @param {string} target
 * @param {boolean} installed true if its standard library is installed
 * @returns {string | undefined} the messages of the compiler, if any
 */
function check(target, installed) {
  const lint = ['clippy', '--locked', '--lib', '--target', target];
  const args = installed ? lint : ['+nightly', ...lint, '-Zbuild-std'];
  const { status, stderr, error } = spawnSync('cargo', [...args, '--', '-D', 'warnings'], {
    cwd: root,
    env,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024
  });
  if (status !== 0) return error?.message ?? stderr;
  // Cargo prints warnings of its own, which "-D warnings" does not turn into errors.
  return /^warning: /m.test(stderr) ? stderr : undefined;
}

const targets = process.argv.length > 2 ? process.argv.slice(2) : all;
const unknown = targets.filter((target) => !all.includes(target));
if (unknown.length > 0) {
  console.error(`No such target: ${unknown.join(', ')}. There are:\n${all.join('\n')}`);
  process.exit(1);
}

checkRust();
const hasNightly = canBuildStandardLibrary();
for (const target of targets) {
  const installed = isInstalled(target);
  const start = Date.now();
  const failure =
    installed || hasNightly
      ? check(target, installed)
      : `Its standard library is missing: "rustup target add ${target}", or install a nightly toolchain (scripts/targets.mjs).`;
  const seconds = ((Date.now() - start) / 1000).toFixed(1).padStart(6);
  const library = installed ? 'installed' : 'nightly, built';
  console.log(`${target.padEnd(32)} ${seconds} s  ${failure ? 'FAILED' : `passed (${library})`}`);
  if (failure) {
    console.error(failure);
    process.exitCode = 1;
  }
}
