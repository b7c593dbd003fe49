'use strict';

// Rules that no compiler or linter checks: which layer may name which, the files with unsafe code, the length and the first line of
// a file, the language of comments and documents, the catalog of suites.

const assert = require('node:assert/strict');
const { readdirSync, readFileSync } = require('node:fs');
const path = require('node:path');
const test = require('node:test');

const root = path.dirname(__dirname);

/** Folders without sources of this project. */
const FOREIGN = new Set(['.git', 'node_modules', 'target']);
/** Files written by programs. */
const GENERATED = new Set(['binding.js', 'binding.d.ts']);
const SOURCE = /\.(rs|js|mjs|cjs|ts|mts|cts|py|css|html)$/;

const LONGEST = 500;
/** Files that may be longer, with the reason. */
const LONG = {
  'index.d.ts': 'the declarations of one module: `export =` cannot be split over files'
};

/** The only files with unsafe code. Clippy requires a SAFETY comment at each block. */
const UNSAFE = [
  'src/addon/sys/async_work.rs',
  'src/addon/sys/bytes.rs',
  'src/addon/sys/callback.rs',
  'src/addon/sys/cleanup_hook.rs',
  'src/addon/sys/descriptor.rs',
  'src/addon/sys/function.rs',
  'src/addon/sys/reference.rs',
  'src/addon/sys/shared_array.rs',
  'src/addon/sys/threadsafe_function.rs',
  'src/transport/heap.rs',
  'src/transport/io_threads/raw.rs',
  'src/transport/socket/send_queue.rs',
  'src/transport/uv/handle.rs',
  'src/transport/uv/loop_handles.rs',
  'src/transport/uv/symbols.rs'
];

/** Names that the core must not use: no input or output, threads, clocks, random sources or Node. */
const IMPURE =
  /\b(tokio|napi|napi_derive|socket2|getrandom|std::net|std::io|std::fs|std::thread|std::process|std::env|Instant::now|SystemTime|crate::transport|crate::addon)\b/;

/** The only files with conditions on the system: they leave out the modules that adopt sockets. */
const SYSTEMS = ['src/addon/mod.rs', 'src/addon/sys/mod.rs', 'src/transport/mod.rs'];

/** @param {string} folder below the root; @returns {string[]} its files, below the root */
function files(folder) {
  return readdirSync(path.join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const name = path.posix.join(folder, entry.name);
    if (entry.isDirectory()) return FOREIGN.has(entry.name) ? [] : files(name);
    return GENERATED.has(name) ? [] : [name];
  });
}

/** @param {string} name */
const read = (name) => readFileSync(path.join(root, name), 'utf8');

/** The text without comments, and without strings that look like comments. @param {string} text */
const code = (text) => text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/\/\/.*$/gm, '');

/**
 * The lines of files that a pattern is found in, as `file:line: text`.
 *
 * @param {string[]} names
 * @param {RegExp} pattern
 * @param {(text: string) => string} [prepare]
 */
function places(names, pattern, prepare = (text) => text) {
  return names.flatMap((name) =>
    prepare(read(name))
      .split('\n')
      .flatMap((line) => (pattern.test(line) ? [`${name}: ${line.trim()}`] : []))
  );
}

const all = files('.');
const sources = all.filter((name) => SOURCE.test(name));
const rust = sources.filter((name) => name.startsWith('src/') && name.endsWith('.rs'));
const lib = sources.filter((name) => name.startsWith('lib/'));

test('every layer has sources', () => {
  for (const folder of [
    'src/protocol/',
    'src/connection/',
    'src/transport/',
    'src/addon/',
    'lib/'
  ]) {
    assert.ok(
      sources.some((name) => name.startsWith(folder)),
      folder
    );
  }
});

test('the core is pure', () => {
  // The fuzz targets are, too, except for the test that replays the seeds from files.
  const core = rust.filter(
    (name) => /^src\/(protocol|connection|fuzzing)\//.test(name) && name !== 'src/fuzzing/tests.rs'
  );
  assert.deepEqual(places(core, IMPURE, code), []);
});

test('the protocol names no layer above it', () => {
  const protocol = rust.filter((name) => name.startsWith('src/protocol/'));
  assert.deepEqual(places(protocol, /\bcrate::connection\b/, code), []);
});

test('the transports do not name Node', () => {
  const transport = rust.filter((name) => name.startsWith('src/transport/'));
  assert.deepEqual(places(transport, /\b(napi|napi_derive|crate::addon)\b/, code), []);
});

test('unsafe code is in the listed files only', () => {
  const found = rust.filter((name) => /\bunsafe\b/.test(code(read(name))));
  assert.deepEqual(found.sort(), UNSAFE);
});

test('conditions on the system are in the listed files only', () => {
  const found = rust.filter((name) => /\bcfg\w*[!(].*\b(unix|windows)\b/.test(code(read(name))));
  assert.deepEqual(found.sort(), SYSTEMS);
});

test('every module opens with a comment', () => {
  const without = [
    ...rust.filter((name) => !read(name).startsWith('//! ')),
    ...[...lib, 'index.js', 'index.mjs', 'browser.js'].filter(
      (name) => !/^(?:'use strict';\n+)?(?:\/\/ |\/\*\*?\n \* )/.test(read(name))
    )
  ];
  assert.deepEqual(without, []);
});

test('no file is too long', () => {
  const long = sources.filter((name) => read(name).split('\n').length - 1 > LONGEST);
  assert.deepEqual(long.sort(), Object.keys(LONG).sort());
});

test('the addon is loaded in one place', () => {
  const loading = [...lib, 'index.js', 'index.mjs'].filter((name) =>
    /(require\(|from |import\()\s*['"][^'"]*\/binding(\.js)?['"]/.test(read(name))
  );
  assert.deepEqual(loading, ['lib/native.js']);
});

test('lib takes its timers and ticks from lib/node/schedule.js', () => {
  const scheduled =
    /(?<![\w.#'"])(?:nextTick|queueMicrotask|set(?:Immediate|Interval|Timeout)) *\(/;
  const others = lib.filter((name) => name !== 'lib/node/schedule.js');
  const unscheduled = others.filter(
    (name) => !/require\('\.\.?\/(?:node\/)?schedule'\)/.test(read(name))
  );
  assert.deepEqual(
    [
      ...places(others, /process\.nextTick|require\('(?:node:)?timers'\)/, code),
      // Methods of sockets with such a name are declared, not called.
      ...places(unscheduled, scheduled, code).filter((line) => !line.endsWith(') {'))
    ],
    []
  );
});

test('lib compares with no intrinsic of its own realm', () => {
  const intrinsics =
    'Array|ArrayBuffer|DataView|Date|Error|Function|Map|Object|Promise|RegExp|Set|Uint8Array';
  const compared = new RegExp(
    `instanceof (?:${intrinsics})\\b|=== (?:${intrinsics})\\.prototype\\b`
  );
  assert.deepEqual(places(lib, compared, code), []);
});

test('no file has a note about unfinished work', () => {
  const others = sources.filter((name) => name !== '__test__/tidy.test.js');
  assert.deepEqual(places(others, /\b(TODO|FIXME|XXX|todo!|unimplemented!)/), []);
});

test('package-lock.json names no host', () => {
  assert.ok(!read('package-lock.json').includes('"resolved"'));
});

test('comments and documents follow the language rules', async () => {
  const { inspect, WHAT_LIMIT, whatRate } = await import('../scripts/language.mjs');
  const { total, violations } = inspect(() => true);
  assert.deepEqual(
    violations.map(({ file, line, rule, text }) => `${file}:${line}: ${rule}: ${text}`),
    []
  );
  assert.ok(whatRate(total) <= WHAT_LIMIT, `"what" ${whatRate(total)} times per 1,000 words`);
});

test('every suite is in one set, and every test in a suite', async () => {
  const { SUITES } = await import('../scripts/suites.mjs');
  const names = SUITES.map(({ name }) => name);
  assert.equal(new Set(names).size, names.length);
  assert.deepEqual(
    SUITES.filter(({ set }) => set !== 'quick' && set !== 'long'),
    []
  );
  const commands = SUITES.map(({ command }) => command().join(' '));
  const tests = all.filter((name) => /^__test__\/.*\.test\.m?js$/.test(name));
  // The suites with packages of their own are given a folder.
  const isRun = (/** @type {string} */ name) =>
    commands.some(
      (command) =>
        command.includes(` ${name}`) ||
        command.endsWith(`__test__/project-tests.mjs ${name.split('/')[1]}`)
    );
  assert.deepEqual(
    tests.filter((name) => !isRun(name)),
    []
  );
});

test('every file and every test folder has suites for --changed', async () => {
  const { suitesOf, TABLE } = await import('../scripts/changed.mjs');
  const { suitesNamed } = await import('../scripts/suites.mjs');
  const named = [...TABLE.flatMap(([, suites]) => suites), ...all.flatMap(suitesOf)];
  assert.deepEqual(
    [...new Set(named)].filter((name) => suitesNamed(name).length === 0),
    []
  );
});
