// Common parts of the server processes: flags, the line with the port, and the end. Used by the
// files beside it.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const flags = new Set(process.argv.slice(2));

/** Send each message to every connection instead of back. */
export const broadcast = flags.delete('--broadcast');

/** Compress messages if the client offers it. */
export const deflate = flags.delete('--deflate');

/** With context takeover, unless the client refuses it. */
export const takeover = !flags.delete('--no-takeover');

/** Thousands of steps of a computation for each message, in place of the program's own work. */
export const work = Number(takeValue('--work=') ?? 0);

/** Files of the key and certificate for TLS; undefined without TLS. */
export const tls = flags.delete('--tls')
  ? { key: fixture('key'), cert: fixture('cert') }
  : undefined;

if (flags.size > 0) throw new Error(`unknown flags: ${[...flags].join(' ')}`);

/** The value of the flag with this beginning; undefined without it. */
function takeValue(beginning) {
  const flag = [...flags].find((one) => one.startsWith(beginning));
  flags.delete(flag);
  return flag?.slice(beginning.length);
}

/** Larger than every message of a workload, and than the bytes waiting on a connection. */
export const MAX_BYTES = 64 * 1024 * 1024;

function fixture(kind) {
  return fileURLToPath(new URL(`../fixtures/localhost.${kind}.pem`, import.meta.url));
}

/** Version of a package, from the URL of its package.json. */
export function versionOf(url) {
  return JSON.parse(readFileSync(url, 'utf8')).version;
}

/** Reports port and version to the runner. The process ends when the runner closes its input. */
export function listening(port, version) {
  console.log(JSON.stringify({ port, version }));
  process.stdin.on('end', () => process.exit());
  process.stdin.on('error', () => process.exit());
  process.stdin.resume();
}
