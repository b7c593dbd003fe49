/**
 * Checks that the folders of stage.mjs are a release: all platforms are complete, each binary is for its platform and needs no newer
 * C library than promised, the manifests agree, no script runs at installation. Findings are sentences. Changes no file.
 */

import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { glibcFloor, identify, neededLibraries } from './binary.mjs';
import { manifest, platforms, readManifest } from './platforms.mjs';

/** The newest glibc that a binary for Linux may need. Node.js 20 needs 2.28, its unofficial builds 2.17. */
export const GLIBC_FLOOR = /** @type {const} */ ([2, 17]);

/** Bytes of a binary; more would be debug information or another build profile. */
const MAX_SIZE = 4 * 1024 * 1024;

/** Format of the binaries, by process.platform. @type {Record<string, string>} */
const FORMATS = { darwin: 'mach-o', freebsd: 'elf', linux: 'elf', win32: 'pe' };

/** Scripts that npm runs at installation. */
const INSTALLING = ['preinstall', 'install', 'postinstall', 'prepare'];

/** @param {readonly [number, number]} version */
const print = (version) => version.join('.');

/**
 * Checks the C library of an ELF file for Linux.
 *
 * @param {string} file
 * @param {string} libc 'glibc' or 'musl'
 * @returns {string[]} findings
 */
export function checkLibc(file, libc) {
  const floor = glibcFloor(file);
  if (libc === 'musl') {
    return floor || neededLibraries(file).includes('libc.so.6') ? ['needs glibc, not musl'] : [];
  }
  if (!floor) return ['needs no glibc'];
  const [major, minor] = GLIBC_FLOOR;
  const isNewer = floor[0] > major || (floor[0] === major && floor[1] > minor);
  return isNewer ? [`needs glibc ${print(floor)}, newer than ${print(GLIBC_FLOOR)}`] : [];
}

/**
 * Checks the package of a platform.
 *
 * @param {string} folder
 * @param {import('./platforms.mjs').Platform} platform
 * @returns {string[]}
 */
function checkPlatform(folder, { manifest: committed, addon }) {
  const findings = [];
  const found = readManifest(folder);
  for (const field of /** @type {const} */ (['name', 'version', 'main', 'os', 'cpu', 'libc'])) {
    if (JSON.stringify(found[field]) !== JSON.stringify(committed[field])) {
      findings.push(`${field} differs from the committed one`);
    }
  }
  if (found.version !== manifest.version) findings.push(`is of version ${found.version}`);
  for (const name of ['LICENSE', 'README.md']) {
    if (!existsSync(join(folder, name))) findings.push(`has no ${name}`);
  }

  const file = join(folder, addon);
  if (!existsSync(file)) return [...findings, `${addon} is missing`];
  const { format, cpu } = identify(file);
  const [os] = committed.os ?? [];
  if (format !== FORMATS[String(os)]) findings.push(`${addon} is of the format ${format}`);
  if (cpu !== committed.cpu?.[0]) findings.push(`${addon} is for the processor ${cpu}`);
  const { size } = statSync(file);
  if (size > MAX_SIZE) findings.push(`${addon} has ${size} bytes, more than ${MAX_SIZE}`);
  if (format === 'elf' && os === 'linux') {
    findings.push(...checkLibc(file, String(committed.libc?.[0])));
  }
  return findings;
}

/**
 * Checks the root package.
 *
 * @param {string} folder
 * @returns {string[]}
 */
function checkRoot(folder) {
  const findings = [];
  const found = readManifest(folder);
  if (found.version !== manifest.version) findings.push(`is of version ${found.version}`);
  if (found.dependencies) findings.push('has dependencies');
  const running = INSTALLING.filter((name) => found.scripts?.[name]);
  if (running.length > 0) findings.push(`runs ${running.join(', ')} when it is installed`);
  const wanted = platforms.map(({ manifest: { name } }) => `${name}@${manifest.version}`);
  const named = Object.entries(found.optionalDependencies ?? {}).map((entry) => entry.join('@'));
  if (named.sort().join() !== wanted.sort().join()) {
    findings.push('its optionalDependencies are not the platforms, with the exact version');
  }
  const binaries = readdirSync(folder).filter((name) => name.endsWith('.node'));
  if (binaries.length > 0) findings.push(`holds ${binaries.join(', ')}`);
  return findings;
}

/**
 * @param {string} staged the folder that stage() filled
 * @returns {string[]} findings, each with the name of its package
 */
export function check(staged) {
  const findings = checkRoot(join(staged, 'ferrows')).map((finding) => `ferrows ${finding}`);
  for (const platform of platforms) {
    const folder = join(staged, 'npm', platform.folder);
    const about = existsSync(folder) ? checkPlatform(folder, platform) : ['is missing'];
    findings.push(...about.map((finding) => `${platform.manifest.name}: ${finding}`));
  }
  return findings;
}
