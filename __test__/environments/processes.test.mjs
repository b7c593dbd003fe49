/**
 * Short-lived processes and threads. The programs are in project/processes/.
 */

import { compare } from './compare.mjs';

compare('workers terminated under load', ['processes/storm.cjs'], {
  env: { ROUNDS: '10' }
});
compare('160 workers', ['processes/storm.cjs'], {
  env: { ROUNDS: '40' },
  limit: 120_000,
  isGate: false
});
compare('a cluster reloaded by PM2', ['processes/pm2.cjs']);
for (const way of [
  'active handles',
  'connections of the server',
  'clients of the server',
  'closed by their peers'
]) {
  compare(`a shutdown by ${way}`, ['processes/shutdown.cjs'], { env: { WAY: way } });
}
