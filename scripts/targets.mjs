/**
 * Asks whether the addon compiles, without a warning, for each system that packages are made for: `npm run targets`, or
 * `npm run targets -- TARGET...` for some of `napi.targets` in package.json. Nothing is linked, so it needs no other linker.
 * Not a part of `npm test`: it needs the standard libraries of all targets. `rustup target add TARGET` brings one; where it
 * is missing, a nightly toolchain with its sources compiles it: `rustup toolchain install nightly -c clippy -c rust-src`.
 *
 * Does not belong here: building what is published, and running it on those systems (.github/workflows/release.yml).
 */

import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkRust, root, withCargo } from './ready.mjs';

const env = withCargo(process.env);

/** @type {string[]} */
const all = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).napi.targets;

/**
 * What a program prints; empty if there is no such program, or if it fails.
 *
 * @param {string} program
 * @param {string[]} args
 */
function ask(program, ...args) {
  const { status, stdout } = spawnSync(program, args, { cwd: root, env, encoding: 'utf8' });
  return status === 0 ? stdout.trim() : '';
}

/** Whether a toolchain has the standard library of a target. @param {string} target */
function isInstalled(target) {
  const folder = ask('rustc', '--print', 'target-libdir', '--target', target);
  return folder !== '' && existsSync(folder);
}

/** Whether there is a nightly that can lint, and the sources of its standard library. */
function canBuildStandardLibrary() {
  const sysroot = ask('rustc', '+nightly', '--print', 'sysroot');
  return (
    ask('cargo', '+nightly', 'clippy', '--version') !== '' &&
    existsSync(join(sysroot, 'lib/rustlib/src/rust/library/std'))
  );
}

/**
 * @param {string} target
 * @param {boolean} installed whether its standard library is there
 * @returns {string | undefined} what the compiler says against it
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
  // Cargo's own warnings are none of the compiler's.
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
      : `Its standard library is missing: "rustup target add ${target}", or see the head of scripts/targets.mjs.`;
  const seconds = ((Date.now() - start) / 1000).toFixed(1).padStart(6);
  const library = installed ? 'installed' : 'nightly, built';
  console.log(`${target.padEnd(32)} ${seconds} s  ${failure ? 'FAILED' : `passed (${library})`}`);
  if (failure) {
    console.error(failure);
    process.exitCode = 1;
  }
}
