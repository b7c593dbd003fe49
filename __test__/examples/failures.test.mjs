// Failures of the examples that a user meets first: the port is in use, no server is running, a file is missing. Each prints
// one line that names the cause, not a stack.
import assert from 'node:assert/strict';

import { Program } from '../program.mjs';
import { certificate, startServer, test } from './peer.mjs';

/** Runs an example that fails. @returns {Promise<string>} its standard error */
async function failure(t, file, args, env) {
  const program = new Program(`examples/${file}`, args, { HOST: '127.0.0.1', ...env });
  t.after(() => program.end());
  assert.deepEqual(await program.exit, [1, null], program.errors);
  assert.doesNotMatch(program.errors, /^ +at /m);
  return program.errors;
}

const { cert: CERT, key: KEY } = certificate;
const SERVERS = {
  'server.js': {},
  'https-server.js': { CERT, KEY },
  'two-paths.js': {},
  'authentication.js': {},
  'broadcast.js': {},
  'client-ip.js': {},
  'heartbeat-server.js': {},
  'compression.js': {},
  'cluster.mjs': { WORKERS: '1' },
  'compute.mjs': {},
  'workers.mjs': { WORKERS: '1' },
  'redis.mjs': { REDIS_URL: 'redis://127.0.0.1:1' },
  'live/server.mjs': {}
};

for (const [file, env] of Object.entries(SERVERS)) {
  test(`${file} names the port that is in use`, async (t) => {
    const { url } = await startServer(t, 'server.js');
    const { port } = new URL(url);
    const errors = await failure(t, file, [], { ...env, PORT: port });
    assert.match(errors, new RegExp(`EADDRINUSE.*127\\.0\\.0\\.1:${port}.*PORT`));
  });
}

for (const file of ['send-text.js', 'send-binary.js', 'round-trip.js', 'streams.js']) {
  test(`${file} names the server to start`, async (t) => {
    const errors = await failure(t, file, ['ws://127.0.0.1:1']);
    assert.match(errors, /^connect ECONNREFUSED.*server\.js/);
  });
}

test('https-server.js names a certificate that is missing', async (t) => {
  const errors = await failure(t, 'https-server.js', [], { CERT: 'no-such.pem', KEY });
  assert.match(errors, /no-such\.pem.*certificate/);
});
