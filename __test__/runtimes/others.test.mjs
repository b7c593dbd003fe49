/**
 * Bun and Deno: the same program has the same output as in Node, by require() and by import, for every requested transport.
 * Their sockets cannot be adopted, so a stream carries all of them. Node itself shows that nothing else differs.
 */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { root } from '../project.mjs';
import { conversation } from './expected.mjs';
import { bun, deno, node, result, TIME_LIMIT } from './programs.mjs';

/** The transport of a plain socket, by the requested one. */
const EXPECTED = {
  node: {
    stream: 'stream',
    event_loop: 'event_loop',
    io_threads: 'io_threads',
    auto: 'event_loop'
  },
  other: { stream: 'stream', event_loop: 'stream', io_threads: 'stream', auto: 'stream' }
};

for (const [name, runtime, transports] of /** @type {const} */ ([
  ['Node', () => node, EXPECTED.node],
  ['Bun', bun, EXPECTED.other],
  ['Deno', deno, EXPECTED.other]
])) {
  describe(name, () => {
    for (const [transport, expected] of Object.entries(transports)) {
      for (const program of ['require.cjs', 'import.mjs']) {
        test(`${program}, ${transport} requested`, TIME_LIMIT, async () => {
          const env = { FERROWS_TRANSPORT: transport };
          assert.deepEqual(await result(runtime(), [program], env), conversation(expected));
        });
      }
    }

    test('worker threads terminated during their exchange', TIME_LIMIT, async () => {
      const said = await result(runtime(), ['workers.cjs']);
      assert.deepEqual(said, ['to one', 'to two', 'to three', 'to four']);
    });

    // Bun has a ws of its own, which takes precedence over the installed one.
    test('ws overridden with ferrows', TIME_LIMIT, async () => {
      assert.equal(await result(runtime(), ['names.cjs']), name !== 'Bun');
    });
  });
}

// Even if later versions have Node's internals of sockets and libuv.
for (const name of ['bun', 'deno']) {
  test(`no socket is adopted under the name ${name}`, TIME_LIMIT, async () => {
    const runtime = [...node, '--require', './pretend.cjs'];
    const env = { FERROWS_TRANSPORT: 'event_loop', PRETEND: name };
    assert.deepEqual(await result(runtime, ['require.cjs'], env), conversation('stream'));
  });
}

test('doc/runtimes.md names the tested versions', () => {
  const document = readFileSync(join(root, 'doc/runtimes.md'), 'utf8');
  const manifest = readFileSync(join(root, '__test__/runtimes/project/package.json'), 'utf8');
  const { dependencies, optionalDependencies } = JSON.parse(manifest);
  for (const [name, version] of Object.entries({ ...dependencies, ...optionalDependencies })) {
    const runtime = /deno|bun/.exec(name)?.[0];
    const known = runtime ? runtime[0].toUpperCase() + runtime.slice(1) : name;
    assert.ok(document.includes(`${known} ${version}`), `${known} ${version}`);
  }
});
