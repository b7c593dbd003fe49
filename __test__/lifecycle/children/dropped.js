'use strict';

// A peer (PEER: raw, ws or ferrows) drops connections of the subject (ROLE: server or client) at every step, in every way,
// round after round. Reports events that came not exactly once, the resources held before and after, and whether a fresh
// connection works. With LEAK, one connection is left open on purpose.

const { Dropping, WAYS } = require('./dropping');
const { common, early, raw } = require('./steps');
const { FEW_SAMPLES, stableResources } = require('../measures');

const ROUNDS = 2;

const { LEAK, PEER, ROLE } = process.env;

async function main() {
  const dropping = new Dropping(ROLE, PEER);
  await dropping.listen();
  const steps = PEER === 'raw' ? { ...early, ...raw, ...common } : common;

  const round = async () => {
    for (const how of Object.keys(WAYS)) {
      dropping.how = how;
      for (const [name, step] of Object.entries(steps)) {
        dropping.step = `${name} (${how})`;
        await step(dropping);
        await dropping.closed();
      }
    }
    return dropping.echoes();
  };

  // The first round creates permanent resources: Node's pool, caches.
  const echoes = [await round()];
  const before = await stableResources();
  for (let number = 0; number < ROUNDS; number++) echoes.push(await round());
  if (LEAK) await dropping.connected();
  const after = await stableResources(before, LEAK ? FEW_SAMPLES : undefined);
  const { wrong, entries } = dropping.ledger;
  console.log(JSON.stringify({ before, after, echoes, wrong, entries: entries.length }));
  if (LEAK) process.exit();
  await dropping.end();
}

main();
