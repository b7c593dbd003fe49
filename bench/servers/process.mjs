// What every server here has in common as a process: its flags, the line that says where it listens, and its end.
// Used by the files beside it. What a library is told, and what it does with a message, is theirs.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const flags = new Set(process.argv.slice(2));

/** Each message goes to every connection instead of back. */
export const broadcast = flags.delete('--broadcast');

/** Messages are compressed where the client offers it. */
export const deflate = flags.delete('--deflate');

/** ... and the context with it taken over from message to message, unless the client will not have that. */
export const takeover = !flags.delete('--no-takeover');

/** Files of the key and certificate to serve TLS with; undefined without TLS. */
export const tls = flags.delete('--tls')
  ? { key: fixture('key'), cert: fixture('cert') }
  : undefined;

if (flags.size > 0) throw new Error(`unknown flags: ${[...flags].join(' ')}`);

/** No message of a workload is longer, and no connection has more bytes waiting. */
export const MAX_BYTES = 64 * 1024 * 1024;

function fixture(kind) {
  return fileURLToPath(new URL(`../fixtures/localhost.${kind}.pem`, import.meta.url));
}

/** The version of a package, by the URL of its package.json. */
export function versionOf(url) {
  return JSON.parse(readFileSync(url, 'utf8')).version;
}

/** Tells the runner where the server listens and what it is. The process ends when the runner closes its input. */
export function listening(port, version) {
  console.log(JSON.stringify({ port, version }));
  process.stdin.on('end', () => process.exit());
  process.stdin.on('error', () => process.exit());
  process.stdin.resume();
}
