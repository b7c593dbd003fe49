/**
 * Prints the growth of the resident memory while one Buffer of 1 MiB is sent to clients that do not read, or to one that reads
 * slowly: `node bench/sent-memory.mjs`. The clients are in the process of the server.
 */

import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const PROGRAM = fileURLToPath(new URL('../__test__/memory/children/sending.js', import.meta.url));
const MEBIBYTE = 1 << 20;

/** @type {[row: string, messages: number, description: string][]} */
const ROWS = [
  ['unread', 8, '8 MiB to each of 100 clients that do not read'],
  ['slow', 300, '300 MiB to a slow client']
];

for (const [row, messages, description] of ROWS) {
  for (const library of ['ws', 'ferrows']) {
    const output = execFileSync(process.execPath, [PROGRAM, library, row, String(messages)]);
    const { growth, pending } = JSON.parse(String(output));
    const [grown, queued] = [growth, pending].map((bytes) => (bytes / MEBIBYTE).toFixed(1));
    process.stdout.write(
      `${description}, ${library}: ${grown} MiB of growth, ${queued} MiB pending at once\n`
    );
  }
}
