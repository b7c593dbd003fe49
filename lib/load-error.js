'use strict';

/*
 * The error for an addon that cannot be loaded: names the platform, the files that were tried, the failures and the remedies.
 * Only native.js calls it. binding.js finds and loads the addon.
 */

const { basename } = require('node:path');
const { createError } = require('./errors');

/**
 * A published package names the packages of the addon; a clone has no such dependencies.
 *
 * @type {{ version: string, optionalDependencies?: Record<string, string> }}
 */
const { version, optionalDependencies } = require('../package.json');

const BUILD =
  'build the addon on the target platform: run "npm run build" in a clone of ferrows, then set ' +
  'NAPI_RS_NATIVE_LIBRARY_PATH to the ferrows.*.node file that it creates;';

/** Remedies by cause, one per line. LAST_REMEDY follows them. */
const REMEDIES = {
  forbidden: [
    'allow native addons: pass --allow-addons with --permission, or remove --no-addons;',
    'run the process that serves WebSockets without the permission model;'
  ],
  bundled: [
    'keep ferrows out of the bundle (the option "external" or "externals" of most bundlers), and install it where the bundle runs;',
    'copy the addon by the bundler (esbuild: loader { ".node": "copy" }) or copy it beside the bundle; doc/runtimes.md lists the ' +
      'tested configurations;'
  ],
  executable: [
    'put the addon beside the executable;',
    'make require() load files, before any other code of the program: ' +
      "require = require('node:module').createRequire(process.execPath);"
  ],
  missing: [
    'install again with optional dependencies (npm install --include=optional); if node_modules or the lock file was created on ' +
      'another platform, delete both first;',
    BUILD
  ],
  broken: [
    'delete node_modules and install again on the target machine, with the same C library;',
    BUILD
  ],
  unsupported: [BUILD, 'run on a platform with a prebuilt addon, listed in the README;']
};
const LAST_REMEDY = 'use the package ws instead: remove the override, or point it to "npm:ws".';

/** @typedef {keyof typeof REMEDIES} Cause */

/** Error of require() for a candidate that does not exist. */
const NOT_FOUND = /^Cannot find module '([^']+)'/;
/** Error of the `require` of a single executable application, which only loads modules of Node. */
const EXECUTABLE = /^No such built-in module/;
/** Errors that rollup and esbuild put in place of `require` calls that they cannot resolve. */
const DYNAMIC = /dynamic(ally)? require/i;
/** Candidates that no release contains. */
const UNRELEASED = /wasi/i;

/**
 * @param {any} error from binding.js; each `cause` is the failure of an earlier candidate
 * @returns {string[]} messages of the failures, the first candidate first
 */
function reasonsOf(error) {
  const reasons = [];
  for (let cause = error.cause; cause; cause = cause.cause) {
    const reason = String(cause.message).split('\nRequire stack')[0] ?? '';
    if (!UNRELEASED.test(reason)) reasons.unshift(reason);
  }
  return reasons.length > 0 ? reasons : [String(error.message)];
}

/** True if a bundler has merged this file into another one. An ES module has no `__filename`. */
const isBundled = () =>
  typeof __filename === 'undefined' || basename(__filename) !== 'load-error.js';

/** @param {string[]} reasons @returns {Cause} */
function causeOf(reasons) {
  if (reasons.some((reason) => DYNAMIC.test(reason))) return 'bundled';
  if (reasons.some((reason) => EXECUTABLE.test(reason))) return 'executable';
  if (reasons.some((reason) => /addons is disabled/.test(reason))) return 'forbidden';
  if (reasons.some((reason) => /^Unsupported (OS|architecture)/.test(reason))) return 'unsupported';
  const missing = reasons.map((reason) => NOT_FOUND.exec(reason)?.[1]);
  if (missing.includes(undefined)) return 'broken';
  if (isBundled()) return 'bundled';
  // binding.js also tries platforms without a released addon.
  const isReleased = (/** @type {string | undefined} */ name) =>
    name !== undefined && optionalDependencies !== undefined && name in optionalDependencies;
  return optionalDependencies === undefined || missing.some(isReleased) ? 'missing' : 'unsupported';
}

/** @returns {string} system, architecture, C library and version of Node */
function describePlatform() {
  let libc = '';
  if (process.platform === 'linux') {
    try {
      // Without it the report resolves addresses, which may take long.
      const report = /** @type {any} */ (process.report);
      report.excludeNetwork = true;
      const glibc = report.getReport().header.glibcVersionRuntime;
      libc = glibc ? `, glibc ${glibc}` : ', not glibc';
    } catch {
      // The platform is described without the C library.
    }
  }
  return `${process.platform} ${process.arch}${libc}, Node.js ${process.version}`;
}

/**
 * @param {Cause} kind
 * @param {string[]} failures one per candidate
 * @param {unknown} cause
 * @returns {Error & { code?: string }}
 */
function loadError(kind, failures, cause) {
  const remedies = [...REMEDIES[kind], LAST_REMEDY];
  const text = [
    `ferrows ${version} cannot load its native addon on this platform (${describePlatform()}).`,
    'Tried:',
    ...failures.map((line) => `  - ${line}`),
    'Remedies (any one of them):',
    ...remedies.map((line, index) => `  ${index + 1}. ${line}`)
  ].join('\n');
  return Object.assign(createError('LOAD', text), { cause });
}

/**
 * Creates the error to throw for an exception of binding.js.
 *
 * @param {any} cause the exception
 * @returns {Error & { code?: string }} `ERR_FERROWS_LOAD`
 */
function createLoadError(cause) {
  const reasons = reasonsOf(cause);
  const failures = reasons.map((reason) => {
    const name = NOT_FOUND.exec(reason)?.[1];
    return name === undefined ? reason : `${name}: not found`;
  });
  return loadError(causeOf(reasons), failures, cause);
}

/**
 * Throws unless the addon has the version of this package: they are installed separately, and their interface changes between
 * versions.
 *
 * @param {unknown} found version of the addon
 * @throws {Error} `ERR_FERROWS_LOAD`
 */
function checkVersion(found) {
  if (found === version) return;
  const line = `the addon has version ${found}, the package has version ${version}`;
  throw loadError('broken', [line], undefined);
}

module.exports = { checkVersion, createLoadError };
