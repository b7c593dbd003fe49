'use strict';

/*
 * What is said when the addon cannot be loaded: one error that names the platform, what was looked for, what is wrong with
 * it, and what can be done. Only native.js calls it. Finding and loading is binding.js's business.
 */

const { basename } = require('node:path');
const { createError } = require('./errors');

/**
 * The installed package names those of the addon; in a clone there are none.
 *
 * @type {{ version: string, optionalDependencies?: Record<string, string> }}
 */
const { version, optionalDependencies } = require('../package.json');

const BUILD =
  'build it where it is to run: "npm run build" in a clone of ferrows, then ' +
  'NAPI_RS_NATIVE_LIBRARY_PATH=the file ferrows.*.node that it made;';

/** Remedies, one a line, by what is wrong. The last one is always there: ws does the same without an addon. */
const REMEDIES = {
  forbidden: [
    'allow addons: give node --allow-addons beside --permission, or leave --no-addons out;',
    'leave the permission model out for the process that serves WebSockets;'
  ],
  bundled: [
    'keep ferrows out of the bundle (the option "external" or "externals" of most bundlers), and install it where the bundle runs;',
    'have the bundler copy the addon (esbuild: loader { ".node": "copy" }), or copy it beside the bundle yourself: doc/runtimes.md ' +
      'has what is tested;'
  ],
  executable: [
    'put the addon beside the executable;',
    'let require() find files, before all else that the program does: ' +
      "require = require('node:module').createRequire(process.execPath);"
  ],
  missing: [
    'install again with optional dependencies (npm install --include=optional): they were left out, or node_modules or the lock ' +
      'file was made for another platform, in which case delete both first;',
    BUILD
  ],
  broken: [
    'delete node_modules and install again on the machine, and under the C library, that it is to run on;',
    BUILD
  ],
  unsupported: [BUILD, 'run on a platform that it is prebuilt for: the README has them;']
};
const LAST_REMEDY =
  'use the package ws in its place: without the override, or with "npm:ws" for it.';

/** @typedef {keyof typeof REMEDIES} Kind */

/** What a candidate that is not there says. */
const NOT_FOUND = /^Cannot find module '([^']+)'/;
/** The answer of the `require` that Node gives a single executable application to whatever is no module of Node. */
const EXECUTABLE = /^No such built-in module/;
/** Errors that rollup and esbuild put in the place of a call of `require` that they cannot follow. */
const DYNAMIC = /dynamic(ally)? require/i;
/** Candidates that no release has. */
const NEVER_THERE = /wasi/i;

/**
 * The reasons that binding.js gives, the first candidate first.
 *
 * @param {any} error
 * @returns {string[]}
 */
function reasonsOf(error) {
  const reasons = [];
  for (let cause = error.cause; cause; cause = cause.cause) {
    const reason = String(cause.message).split('\nRequire stack')[0] ?? '';
    if (!NEVER_THERE.test(reason)) reasons.unshift(reason);
  }
  return reasons.length > 0 ? reasons : [String(error.message)];
}

/** Tells whether a bundler has put this file into another one. In a module of ESM there is no `__filename`. */
const isBundled = () =>
  typeof __filename === 'undefined' || basename(__filename) !== 'load-error.js';

/**
 * @param {string[]} reasons
 * @returns {Kind}
 */
function kindOf(reasons) {
  if (reasons.some((reason) => DYNAMIC.test(reason))) return 'bundled';
  if (reasons.some((reason) => EXECUTABLE.test(reason))) return 'executable';
  if (reasons.some((reason) => /addons is disabled/.test(reason))) return 'forbidden';
  if (reasons.some((reason) => /^Unsupported (OS|architecture)/.test(reason))) return 'unsupported';
  const missing = reasons.map((reason) => NOT_FOUND.exec(reason)?.[1]);
  if (missing.includes(undefined)) return 'broken';
  if (isBundled()) return 'bundled';
  // binding.js looks for binaries that nobody makes, too.
  const isMade = (/** @type {string | undefined} */ name) =>
    name !== undefined && optionalDependencies !== undefined && name in optionalDependencies;
  return optionalDependencies === undefined || missing.some(isMade) ? 'missing' : 'unsupported';
}

/** The platform, as precisely as it matters for a binary. */
function describePlatform() {
  let libc = '';
  if (process.platform === 'linux') {
    try {
      // Or it looks addresses up, which may take long.
      const report = /** @type {any} */ (process.report);
      report.excludeNetwork = true;
      const glibc = report.getReport().header.glibcVersionRuntime;
      libc = glibc ? `, glibc ${glibc}` : ', not glibc';
    } catch {
      // Then without it.
    }
  }
  return `${process.platform} ${process.arch}${libc}, Node.js ${process.version}`;
}

/**
 * @param {Kind} kind
 * @param {string[]} found what was looked for, and what is wrong with it
 * @param {unknown} cause
 * @returns {Error & { code?: string }}
 */
function loadError(kind, found, cause) {
  const remedies = [...REMEDIES[kind], LAST_REMEDY];
  const text = [
    `ferrows ${version} cannot load its addon on this platform (${describePlatform()}).`,
    'Looked for:',
    ...found.map((line) => `  - ${line}`),
    'Remedies, one of:',
    ...remedies.map((line, index) => `  ${index + 1}. ${line}`)
  ].join('\n');
  return Object.assign(createError('LOAD', text), { cause });
}

/**
 * Makes the error to throw when binding.js has thrown.
 *
 * @param {any} cause what it has thrown; kept as `cause`
 * @returns {Error & { code?: string }} `ERR_FERROWS_LOAD`
 */
function createLoadError(cause) {
  const reasons = reasonsOf(cause);
  const found = reasons.map((reason) => {
    const name = NOT_FOUND.exec(reason)?.[1];
    return name === undefined ? reason : `${name}: not there`;
  });
  return loadError(kindOf(reasons), found, cause);
}

/**
 * Throws unless the addon is that of this package: the two are installed apart, and what crosses between them may differ
 * from version to version.
 *
 * @param {unknown} found version of the addon
 * @throws {Error} `ERR_FERROWS_LOAD`
 */
function checkVersion(found) {
  if (found === version) return;
  const line = `an addon of version ${found}: only ${version} fits`;
  throw loadError('broken', [line], undefined);
}

module.exports = { checkVersion, createLoadError };
