/**
 * The steps of doc/migrating.md, with its configurations and commands as they stand there: ws replaced by the tarball of a clone in a
 * whole project and in one package, and put back, by npm, pnpm, Yarn 1 and Yarn 4. The project has two dependents of ws and was
 * installed with ws first, so that there is a lock file.
 */

import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { after, before, test } from 'node:test';
import { npmCommand } from '../../scripts/npm.mjs';
import { manifest } from '../../scripts/packages/platforms.mjs';
import { root } from '../../scripts/ready.mjs';
import { parts, read } from '../docs/markdown.mjs';
import { Workbench } from './workbench.mjs';

const bench = new Workbench();
const { version } = manifest;
/** Beside the projects, as the page assumes. */
const CLONE = join(bench.folder, 'projects/ferrows');
const TARBALL = `ferrows-${version}.tgz`;
/** The spec that the page uses, and the published one that it says may take its place. */
const FILE = `file:../ferrows/${TARBALL}`;
const ALIAS = `npm:ferrows@^${version}`;
/** The dependent of the examples in the page, and another one. Each accepts different versions of ws. */
const DEPENDENTS = { 'engine.io-client': '6.6.8', 'socket.io-adapter': '2.5.9' };

/** Sections of the page by heading. @type {Map<string, string>} */
const sections = new Map(
  read('doc/migrating.md')
    .split(/^(?=#{2,3} )/m)
    .map((text) => [text.slice(0, text.indexOf('\n')).replace(/^#+ /, ''), text])
);

/**
 * Returns the code blocks of a kind in a section, which must have at least one.
 *
 * @param {string} heading
 * @param {string} kind
 */
function blocks(heading, kind) {
  const found = parts(sections.get(heading) ?? '').blocks.filter((block) => block.kind === kind);
  assert.ok(found.length > 0, `"${heading}" has no block of ${kind}`);
  return found.map(({ code }) => code).join('\n');
}

/**
 * A package manager: sections of the page that configure it, and commands that show the dependents of ws with the expected output.
 *
 * @typedef {Object} Manager
 * @property {string} name
 * @property {string} section
 * @property {string} [onePackage]
 * @property {'json' | 'yaml'} kind
 * @property {string} [takeOut] section with commands of its own for taking out
 * @property {string} [list]
 * @property {boolean} [hasOwn] the root of the project can resolve ws
 * @property {string} program path in the folder of tools
 * @property {Record<string, string>} [files]
 */

/** @type {Manager[]} */
const MANAGERS = [
  {
    name: 'npm',
    section: 'npm',
    onePackage: 'npm, one package',
    kind: 'json',
    list: 'npm ls ws',
    hasOwn: true,
    program: ''
  },
  {
    name: 'pnpm',
    section: 'pnpm',
    onePackage: 'pnpm, one package',
    kind: 'yaml',
    list: 'pnpm why ws',
    program: 'pnpm/bin/pnpm.cjs'
  },
  {
    name: 'Yarn 1',
    section: 'Yarn',
    kind: 'json',
    takeOut: 'Take it out again',
    hasOwn: true,
    program: 'yarn/bin/yarn.js'
  },
  {
    name: 'Yarn 4',
    section: 'Yarn',
    onePackage: 'Yarn 4, one package',
    kind: 'json',
    list: 'yarn why ws',
    hasOwn: true,
    program: '@yarnpkg/cli-dist/bin/yarn.js',
    files: {
      // Marks the project as one of its own, not a workspace of a folder above.
      'yarn.lock': '',
      '.yarnrc.yml': 'nodeLinker: node-modules\n'
    }
  }
];

let tools = '';

before(async () => {
  await bench.open();
  mkdirSync(CLONE, { recursive: true });
  await bench.run(root, npmCommand('pack', '--pack-destination', CLONE));
  tools = bench.project('tools', {});
  const packages = ['pnpm@10.34.8', 'yarn@1.22.22', '@yarnpkg/cli-dist@4.18.1'];
  await bench.npm(tools, 'install', '--ignore-scripts', ...packages);
  bench.fillRegistry();
});
after(() => bench.close());

/**
 * Makes a folder with the command of a package manager, to be put on the path. npm is there already.
 *
 * @param {Manager} manager
 */
function makeCommand({ section, program, name }) {
  const folder = join(bench.folder, 'bin', name);
  mkdirSync(folder, { recursive: true });
  if (program) {
    const file = join(folder, section.toLowerCase());
    const words = [process.execPath, join(tools, 'node_modules', program)];
    writeFileSync(file, `#!/bin/sh\nexec ${words.map((word) => `'${word}'`).join(' ')} "$@"\n`);
    chmodSync(file, 0o755);
  }
  return folder;
}

/** A project that is installed with ws, and the steps of the page in it. */
class Project {
  /** @param {Manager} manager @param {string} name */
  constructor(manager, name) {
    this.manager = manager;
    this.manifest = { name: 'program', private: true, dependencies: { ...DEPENDENTS } };
    const files = { ...manager.files };
    if (files['.yarnrc.yml']) {
      files['.yarnrc.yml'] +=
        `npmRegistryServer: '${bench.registry.url}'\nunsafeHttpWhitelist: ['127.0.0.1']\n` +
        `globalFolder: '${join(bench.folder, 'yarn')}'\nenableTelemetry: false\n`;
    }
    this.folder = bench.project(join('projects', name.replace(/\W+/g, '-')), this.manifest, files);
    this.path = `${makeCommand(manager)}${delimiter}${process.env.PATH}`;
  }

  /** @param {string} script of the shell */
  shell(script) {
    return bench.run(this.folder, ['sh', '-ec', script], {
      PATH: this.path,
      // Continuous integration forbids changes of the lock file.
      CI: '',
      YARN_ENABLE_IMMUTABLE_INSTALLS: 'false',
      YARN_CACHE_FOLDER: join(bench.folder, 'yarn-cache'),
      npm_config_audit: 'false',
      npm_config_fund: 'false',
      npm_config_store_dir: join(bench.folder, 'store')
    });
  }

  /** Installs ws. */
  async install() {
    await this.shell(`${this.manager.section.toLowerCase()} install`);
    await this.check('ws', 'ws');
  }

  /**
   * Adds the configuration of a section, and runs the commands that the page gives for the package manager.
   *
   * @param {string} section
   * @param {string} spec
   */
  async swap(section, spec) {
    const { kind } = this.manager;
    const code = blocks(section, kind)
      .replaceAll(FILE, spec)
      .replaceAll(
        `file:/path/to/ferrows/${TARBALL}`,
        spec.replace('file:..', `file:${bench.folder}/projects`)
      );
    if (kind === 'yaml') writeFileSync(join(this.folder, 'pnpm-workspace.yaml'), code);
    else {
      const { dependencies, ...rest } = JSON.parse(code);
      Object.assign(this.manifest.dependencies, dependencies);
      this.write({ ...this.manifest, ...rest });
    }
    await this.shell(blocks(this.manager.section, 'sh'));
  }

  /** Removes the configuration, and runs the commands that the page gives. */
  async takeOut() {
    rmSync(join(this.folder, 'pnpm-workspace.yaml'), { force: true });
    this.write({ ...this.manifest, dependencies: DEPENDENTS });
    await this.shell(blocks(this.manager.takeOut ?? this.manager.section, 'sh'));
  }

  /** @param {any} value */
  write(value) {
    writeFileSync(join(this.folder, 'package.json'), JSON.stringify(value, null, 2));
  }

  /**
   * Asserts which package each dependent runs on.
   *
   * @param {string} first expected behind `ws` in the package of the page's examples
   * @param {string} second the same in the other one
   */
  async check(first, second) {
    const command = blocks('Check that it took', 'sh').trim().split('\n').at(-1) ?? '';
    assert.match(command, /engine\.io-client/);
    assert.equal(await this.shell(command), `${first}\n`);
    for (const [dependent, expected] of [
      ['engine.io-client', first],
      ['socket.io-adapter', second]
    ]) {
      const output = await bench.node(this.folder, 'echo.cjs', 'ws', dependent);
      assert.match(output, new RegExp(`^${expected} [\\d.]+ echoed 3, 1000\n$`), dependent);
    }
  }

  /** Asserts that the listing of the package manager shows ferrows, as the table of the page says, and no problem. */
  async checkList() {
    const { list, name } = this.manager;
    if (list === undefined) return;
    const row = new RegExp(`^\\| \`${list}\`[^|]*\\| \`([^\`]+)\``, 'm').exec(
      sections.get('Check that it took') ?? ''
    );
    assert.ok(row, `the page does not have the output of "${list}"`);
    assert.ok((await this.shell(list)).includes(String(row[1])), name);
  }
}

for (const manager of MANAGERS) {
  test(`${manager.name}, the whole project`, async () => {
    const project = new Project(manager, `${manager.name} whole`);
    await project.install();
    await project.swap(manager.section, FILE);
    await project.check('ferrows', 'ferrows');
    if (manager.hasOwn) {
      const [own] = blocks('Check that it took', 'sh').split('\n');
      assert.equal(await project.shell(String(own)), 'ferrows\n');
    }
    await project.checkList();
    await project.takeOut();
    await project.check('ws', 'ws');
  });

  test(`${manager.name}, the whole project, from a registry`, async () => {
    const project = new Project(manager, `${manager.name} registry`);
    await project.install();
    await project.swap(manager.section, ALIAS);
    await project.check('ferrows', 'ferrows');
    await project.takeOut();
    if (manager.name === 'pnpm') await project.shell('pnpm dedupe');
    await project.check('ws', 'ws');
  });

  if (manager.onePackage === undefined) continue;
  const { onePackage } = manager;

  test(`${manager.name}, one package`, async () => {
    const project = new Project(manager, `${manager.name} one`);
    await project.install();
    await project.swap(onePackage, FILE);
    await project.check('ferrows', 'ws');
    await project.takeOut();
    await project.check('ws', 'ws');
  });

  test(`${manager.name}, one package, from a registry`, async () => {
    const project = new Project(manager, `${manager.name} one registry`);
    await project.install();
    const address = `${bench.registry.url}/ferrows/-/${TARBALL}`;
    await project.swap(onePackage, manager.name === 'npm' ? address : ALIAS);
    await project.check('ferrows', 'ws');
    await project.takeOut();
    await project.check('ws', 'ws');
  });
}

test('Yarn 1 replaces ws for every package that accepts the version', async () => {
  const [yarn1] = MANAGERS.filter(({ name }) => name === 'Yarn 1');
  assert.ok(yarn1);
  const project = new Project(yarn1, 'Yarn 1 one');
  await project.install();
  await project.swap('Yarn 4, one package', FILE);
  await project.check('ferrows', 'ferrows');
});

test('the tarball has one addon, and the page names its version', async () => {
  const list = await bench.run(CLONE, ['tar', '-tzf', TARBALL]);
  assert.equal(list.split('\n').filter((name) => name.endsWith('.node')).length, 1, list);
  const names = new Set(read('doc/migrating.md').match(/ferrows-[\d.]+\.tgz/g));
  assert.deepEqual([...names], [TARBALL]);
  assert.ok(readFileSync(join(CLONE, TARBALL)).length > 0);
});
