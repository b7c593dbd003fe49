/**
 * Runs the cases of Autobahn|Testsuite (by `kosoku`) against an echo server and an echo client of ferrows, over
 * FERROWS_TRANSPORT. The verdict on every case must be the one in expected.json, neither worse nor better. Those are the
 * verdicts on ws, but for 6.4.1 to 6.4.4, where ws is not strict: it validates a text once it is complete. `--all` runs all
 * cases, which takes several minutes; the default leaves out long ones of compression. `--update` writes the verdicts on all
 * cases to that file, for review.
 */

import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { startPython } from '../interop/python.mjs';
import WebSocket from '../subject.cjs';

/** @typedef {{ complete: boolean, verdicts: Record<string, [behavior: string, close: string]> }} Result */

const FUZZING = fileURLToPath(new URL('fuzzing.py', import.meta.url));
const EXPECTED = fileURLToPath(new URL('expected.json', import.meta.url));

/** Cases 9.3 and 9.4 send up to 65,537 fragments of one message; the default limit is lower. */
const OPTIONS = {
  maxFragments: 131_072,
  // Some cases offer a client without context takeover.
  perMessageDeflate: { clientNoContextTakeover: true }
};

const update = process.argv.includes('--update');
const extent = update || process.argv.includes('--all') ? 'all' : 'some';

/** The number of cases. Another number means that another selection ran. */
const CASES = { all: 517, some: 337 }[extent];

/** @param {import('ferrows').WebSocket} ws */
function echo(ws) {
  ws.on('message', (data, isBinary) => ws.send(data, { binary: isBinary }));
  // In most cases the peer makes errors on purpose.
  ws.on('error', () => {});
}

/**
 * Unlike `events.once()`, not rejected by an earlier error.
 *
 * @param {import('ferrows').WebSocket} ws
 */
const closed = (ws) => new Promise((resolve) => ws.once('close', resolve));

/** @returns {Promise<Result>} the verdicts on the server */
async function judgeServer() {
  const wss = new WebSocket.WebSocketServer({
    host: '127.0.0.1',
    port: 0,
    ...OPTIONS,
    perMessageDeflate: true
  });
  wss.on('connection', echo);
  await once(wss, 'listening');
  const { port } = /** @type {import('net').AddressInfo} */ (wss.address());
  const fuzzing = startPython(FUZZING, extent, 'client', `ws://127.0.0.1:${port}`);
  const result = await fuzzing.line();
  await fuzzing.end();
  for (const ws of wss.clients) ws.terminate();
  wss.close();
  await once(wss, 'close');
  return result;
}

/** @returns {Promise<Result>} the verdicts on the client */
async function judgeClient() {
  const fuzzing = startPython(FUZZING, extent, 'server');
  const { port } = await fuzzing.line();
  /** @param {string} path */
  const open = (path) => {
    const ws = new WebSocket(`ws://127.0.0.1:${port}${path}`, OPTIONS);
    ws.on('error', () => {});
    return ws;
  };
  const counter = open('/getCaseCount');
  const counted = closed(counter);
  const [count] = await once(counter, 'message');
  await counted;
  for (let index = 1; index <= Number(String(count)); index++) {
    const ws = open(`/runCase?case=${index}&agent=ferrows`);
    echo(ws);
    await closed(ws);
  }
  // Reports to the suite that all cases have run.
  await closed(open('/updateReports?agent=ferrows'));
  const result = await fuzzing.line();
  await fuzzing.end();
  return result;
}

/**
 * The lines that report verdicts other than the expected ones.
 *
 * @param {Result} result
 * @param {Result['verdicts']} expected
 */
function differences({ complete, verdicts }, expected) {
  const isWhole = complete && extent === 'all';
  const cases = isWhole ? Object.keys({ ...expected, ...verdicts }) : Object.keys(verdicts);
  return cases
    .filter((name) => String(verdicts[name]) !== String(expected[name]))
    .map((name) => `  ${name}: expected ${expected[name]}, got ${verdicts[name]}`);
}

const expected = update ? {} : JSON.parse(readFileSync(EXPECTED, 'utf8'));
for (const [role, judge] of /** @type {const} */ ([
  ['server', judgeServer],
  ['client', judgeClient]
])) {
  const start = Date.now();
  const result = await judge();
  const seconds = ((Date.now() - start) / 1000).toFixed(1);
  const wrong = differences(result, update ? result.verdicts : expected[role]);
  if (update) expected[role] = result.verdicts;
  // An incomplete run has failed cases, whatever the verdicts.
  if (wrong.length > 0 || !result.complete) process.exitCode = 1;
  const count = Object.keys(result.verdicts).length;
  if (count !== CASES) process.exitCode = 1;
  console.log(
    wrong.length === 0 && result.complete
      ? `${role}: ${count} cases as expected in ${seconds} s`
      : `${role}: ${wrong.length} verdicts are not as expected (${seconds} s)\n${wrong.join('\n')}`
  );
}
if (update) {
  const lines = Object.entries(expected).map(([role, verdicts]) => {
    const cases = Object.entries(verdicts).map(
      ([name, verdict]) => `    "${name}": ${JSON.stringify(verdict)}`
    );
    return `  "${role}": {\n${cases.join(',\n').replaceAll('","', '", "')}\n  }`;
  });
  writeFileSync(EXPECTED, `{\n${lines.join(',\n')}\n}\n`);
}
