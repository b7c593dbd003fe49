'use strict';

// The walls of the house, where no compiler holds them: who may name what, which files may hold unsafe code, how
// long a file may be, how it opens. What rustfmt, clippy, prettier, oxlint and tsc check does not belong here.

const assert = require('node:assert/strict');
const { readdirSync, readFileSync } = require('node:fs');
const path = require('node:path');
const test = require('node:test');

const root = path.dirname(__dirname);

/** Folders that are no sources of ours. */
const FOREIGN = new Set(['.git', 'node_modules', 'target']);
/** Written by programs. */
const GENERATED = new Set(['binding.js', 'binding.d.ts']);
const SOURCE = /\.(rs|js|mjs|cjs|ts|mts|cts|py|css|html)$/;

const LONGEST = 500;
/** Files that may be longer, and why. */
const LONG = {
  'index.d.ts': 'the declarations of one module: `export =` cannot be split over files'
};

/** The only files with unsafe code; each block in them says why it is sound (clippy sees to that). */
const UNSAFE = [
  'src/addon/sys/async_work.rs',
  'src/addon/sys/bytes.rs',
  'src/addon/sys/callback.rs',
  'src/addon/sys/cleanup_hook.rs',
  'src/addon/sys/descriptor.rs',
  'src/addon/sys/function.rs',
  'src/addon/sys/malloc_trim.rs',
  'src/addon/sys/realm.rs',
  'src/addon/sys/reference.rs',
  'src/addon/sys/shared_array.rs',
  'src/addon/sys/thread_cpu_time.rs',
  'src/addon/sys/threadsafe_function.rs',
  'src/addon/sys/uv/async_handle.rs',
  'src/addon/sys/uv/check.rs',
  'src/addon/sys/uv/close_phase.rs',
  'src/addon/sys/uv/handle.rs',
  'src/addon/sys/uv/poll.rs',
  'src/addon/sys/uv/symbols.rs',
  'src/addon/sys/values.rs',
  'src/transport/io_threads/raw.rs'
];

/** What the sans-IO core must not know: no input or output, no thread, no clock, no random source, no Node. */
const IMPURE =
  /\b(tokio|napi|napi_derive|socket2|getrandom|std::net|std::io|std::fs|std::thread|std::process|std::env|Instant::now|SystemTime|crate::transport|crate::addon)\b/;

/** Where modules are left out that take sockets over: nothing else asks whether a socket is a descriptor. */
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

/** The text without comments; what looks like one in a string goes too. @param {string} text */
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

test('there are sources to look at', () => {
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
  // So is what fuzzes it; only the test that replays the seeds reads files.
  const core = rust.filter(
    (name) => /^src\/(protocol|connection|fuzzing)\//.test(name) && name !== 'src/fuzzing/tests.rs'
  );
  assert.deepEqual(places(core, IMPURE, code), []);
});

test('the protocol knows no layer above it', () => {
  const protocol = rust.filter((name) => name.startsWith('src/protocol/'));
  assert.deepEqual(places(protocol, /\bcrate::connection\b/, code), []);
});

test('the transports do not know Node', () => {
  const transport = rust.filter((name) => name.startsWith('src/transport/'));
  assert.deepEqual(places(transport, /\b(napi|napi_derive|crate::addon)\b/, code), []);
});

test('unsafe code is in the files that may hold it', () => {
  const holding = rust.filter((name) => /\bunsafe\b/.test(code(read(name))));
  assert.deepEqual(holding.sort(), UNSAFE);
});

test('what is there on one system only is left out as a whole', () => {
  const asking = rust.filter((name) => /\bcfg\w*[!(].*\b(unix|windows)\b/.test(code(read(name))));
  assert.deepEqual(asking.sort(), SYSTEMS);
});

test('every module opens by saying what it is', () => {
  const mute = [
    ...rust.filter((name) => !read(name).startsWith('//! ')),
    ...[...lib, 'index.js', 'index.mjs', 'browser.js'].filter(
      (name) => !/^(?:'use strict';\n+)?(?:\/\/ |\/\*\*?\n \* )/.test(read(name))
    )
  ];
  assert.deepEqual(mute, []);
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

test('what the shim schedules for itself is scheduled by lib/node/schedule.js', () => {
  const scheduled =
    /(?<![\w.#'"])(?:nextTick|queueMicrotask|set(?:Immediate|Interval|Timeout)) *\(/;
  const others = lib.filter((name) => name !== 'lib/node/schedule.js');
  const unscheduled = others.filter(
    (name) => !/require\('\.\.?\/(?:node\/)?schedule'\)/.test(read(name))
  );
  assert.deepEqual(
    [
      ...places(others, /process\.nextTick|require\('(?:node:)?timers'\)/, code),
      // Methods of sockets are declared with this name, too.
      ...places(unscheduled, scheduled, code).filter((line) => !line.endsWith(') {'))
    ],
    []
  );
});

test('the shim compares with no intrinsic of its own realm', () => {
  const intrinsics =
    'Array|ArrayBuffer|DataView|Date|Error|Function|Map|Object|Promise|RegExp|Set|Uint8Array';
  const compared = new RegExp(
    `instanceof (?:${intrinsics})\\b|=== (?:${intrinsics})\\.prototype\\b`
  );
  assert.deepEqual(places(lib, compared, code), []);
});

test('nothing is left to do', () => {
  const others = sources.filter((name) => name !== '__test__/tidy.test.js');
  assert.deepEqual(places(others, /\b(TODO|FIXME|XXX|todo!|unimplemented!)/), []);
});

test('the lock file names no host', () => {
  assert.ok(!read('package-lock.json').includes('"resolved"'));
});
