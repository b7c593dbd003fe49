// Node under a newer C library, for a peer whose binary requires one: unpacks the library of the
// next Debian release in a folder of its own and starts Node with it. The system is not changed.
// Used by programs.mjs.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The Debian release of the library, and the packages required by Node and a C++ addon. */
const SUITE = 'trixie';
const PACKAGES = ['libc6', 'libgcc-s1', 'libstdc++6'];

const FOLDER = fileURLToPath(new URL(`../target/newer-glibc-${SUITE}/`, import.meta.url));
const LIBRARIES = join(FOLDER, 'root/usr/lib/x86_64-linux-gnu');
const LOADER = join(LIBRARIES, 'ld-linux-x86-64.so.2');
const APT = '/etc/apt';
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';

/** Time limit of each command in milliseconds. */
const TIME_LIMIT = 2 * 60 * 1000;

/** Version of the C library of this process; undefined unless it is glibc. */
const glibc = () => process.report.getReport().header.glibcVersionRuntime;

/** True if dotted version `a` is at least `b`. */
function isAtLeast(a, b) {
  const [left, right] = [a, b].map((version) => version.split('.').map(Number));
  return left[0] === right[0] ? left[1] >= right[1] : left[0] > right[0];
}

function run(program, args, cwd = FOLDER) {
  const { status, error, stderr } = spawnSync(program, args, {
    cwd,
    timeout: TIME_LIMIT,
    killSignal: 'SIGKILL',
    encoding: 'utf8',
    stdio: ['ignore', 'ignore', 'pipe']
  });
  if (status === 0) return;
  // Reasons are part of the results, which must not name the archive of this machine.
  const why =
    error?.message ??
    stderr
      .trim()
      .split('\n')
      .at(-1)
      .replace(/\w+:\/\/[^\s']+/g, 'archive');
  throw new Error(`${basename(program)} ${args.at(-1)} failed: ${why}`);
}

/** The archive of this system's packages, in either format of apt's sources. */
function archive() {
  const list = join(APT, 'sources.list.d');
  const files = [
    ...(existsSync(list) ? readdirSync(list).map((name) => join(list, name)) : []),
    join(APT, 'sources.list')
  ];
  for (const file of files.filter((name) => existsSync(name))) {
    const text = readFileSync(file, 'utf8');
    const found = text.match(/^URIs:\s*(\S+)/m) ?? text.match(/^deb\s+(?:\[[^\]]*\]\s+)?(\S+)/m);
    if (found) return found[1];
  }
  throw new Error('apt has no source');
}

/** Downloads the packages, with separate apt lists, and unpacks them. */
function unpack() {
  rmSync(FOLDER, { recursive: true, force: true });
  const [lists, packages, root] = ['lists', 'packages', 'root'].map((name) => join(FOLDER, name));
  for (const folder of [join(lists, 'partial'), packages]) mkdirSync(folder, { recursive: true });
  const sources = join(FOLDER, 'sources.list');
  const keyring = existsSync(KEYRING) ? `[signed-by=${KEYRING}] ` : '';
  writeFileSync(sources, `deb ${keyring}${archive()} ${SUITE} main\n`);
  const options = [
    `Dir::Etc::sourcelist=${sources}`,
    'Dir::Etc::sourceparts=-',
    `Dir::State::Lists=${lists}`,
    'Dir::Cache::pkgcache=',
    'Dir::Cache::srcpkgcache=',
    'APT::Sandbox::User=root'
  ].flatMap((option) => ['-o', option]);
  run('apt-get', [...options, '-qq', 'update']);
  run(
    'apt-get',
    [...options, '-qq', 'download', ...PACKAGES.map((name) => `${name}/${SUITE}`)],
    packages
  );
  for (const name of readdirSync(packages)) run('dpkg-deb', ['-x', join(packages, name), root]);
  if (!existsSync(LOADER))
    throw new Error(`${SUITE} has no ${basename(LOADER)} where it should be`);
}

/**
 * Returns the command that starts Node with a C library of at least the given version.
 *
 * @param {string} wanted such as 2.38
 * @returns {string[]} program and first arguments
 * @throws {Error} if none is available, with the reason
 */
export function nodeCommand(wanted) {
  const have = glibc();
  if (have !== undefined && isAtLeast(have, wanted)) return [process.execPath];
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new Error(`it wants glibc ${wanted} or newer, which is only fetched for Linux on x64`);
  }
  if (!existsSync(LOADER)) {
    try {
      unpack();
    } catch (err) {
      rmSync(FOLDER, { recursive: true, force: true });
      const own = have === undefined ? 'has none' : `has ${have}`;
      throw new Error(
        `it wants glibc ${wanted} or newer, this system ${own}, and a newer one could not be had: ${err.message}`,
        { cause: err }
      );
    }
  }
  return [LOADER, '--library-path', LIBRARIES, process.execPath];
}
