/**
 * Other realms than that of the process, and changed intrinsics. The programs are in project/realms/.
 */

import { compare } from './compare.mjs';

compare('40 copies in contexts of node:vm', ['realms/contexts.cjs'], { records: 80 });
compare('zone.js', ['--require=zone.js/node', 'realms/zone.cjs']);
for (const when of ['before', 'after']) {
  compare(`SES, lockdown() ${when} ws is loaded`, ['--require=ses', 'realms/ses.cjs'], {
    env: { LOCKDOWN: when },
    isGate: when === 'before'
  });
}
