/**
 * The format, the processor and the C library of a binary, for check.mjs. Formats are told by their first bytes; the
 * dependencies of an ELF file are read by `readelf`, which comes with a C compiler.
 */

import { execFileSync } from 'node:child_process';
import { closeSync, openSync, readSync } from 'node:fs';

/** ELF e_machine (x86, arm, x64, arm64). @type {Record<number, string>} */
const ELF = { 3: 'ia32', 40: 'arm', 62: 'x64', 183: 'arm64' };
/** Mach-O cputype. @type {Record<number, string>} */
const MACH_O = { 0x01000007: 'x64', 0x0100000c: 'arm64' };
/** PE Machine. @type {Record<number, string>} */
const PE = { 0x014c: 'ia32', 0x8664: 'x64', 0xaa64: 'arm64' };

/** Bytes at the front of a file, with all headers that are read. */
const HEAD = 4096;

/**
 * @typedef {Object} Kind
 * @property {'elf' | 'mach-o' | 'pe' | 'unknown'} format
 * @property {string | undefined} cpu in the terms of process.arch
 */

/**
 * @param {string} file
 * @returns {Kind}
 */
export function identify(file) {
  const head = Buffer.alloc(HEAD);
  const descriptor = openSync(file, 'r');
  readSync(descriptor, head, 0, HEAD, 0);
  closeSync(descriptor);
  if (head.toString('latin1', 0, 4) === '\x7fELF') {
    return { format: 'elf', cpu: ELF[head.readUInt16LE(18)] };
  }
  if (head.readUInt32LE(0) === 0xfeedfacf) {
    return { format: 'mach-o', cpu: MACH_O[head.readUInt32LE(4)] };
  }
  const header = head.readUInt32LE(60);
  const isPe =
    head.toString('latin1', 0, 2) === 'MZ' &&
    header < HEAD - 6 &&
    head.toString('latin1', header, header + 4) === 'PE\0\0';
  if (isPe) return { format: 'pe', cpu: PE[head.readUInt16LE(header + 4)] };
  return { format: 'unknown', cpu: undefined };
}

/** @param {string[]} args */
const readelf = (...args) => execFileSync('readelf', ['--wide', ...args], { encoding: 'utf8' });

/**
 * The newest version of glibc among the symbols that an ELF file needs.
 *
 * @param {string} file
 * @returns {[number, number] | undefined} undefined if it needs no glibc
 */
export function glibcFloor(file) {
  const versions = [...readelf('--version-info', file).matchAll(/\bGLIBC_(\d+)\.(\d+)/g)].map(
    ([, major, minor]) => /** @type {[number, number]} */ ([Number(major), Number(minor)])
  );
  return versions.sort(([a, b], [c, d]) => a - c || b - d).at(-1);
}

/**
 * The libraries that an ELF file needs.
 *
 * @param {string} file
 * @returns {string[]}
 */
export const neededLibraries = (file) =>
  [...readelf('--dynamic', file).matchAll(/\(NEEDED\).*\[(.+)\]/g)].map(([, name]) => String(name));
