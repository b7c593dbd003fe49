'use strict';

// Contexts of permessage-deflate, one after the other: each inflates a message, or meets invalid data. Reports their number,
// and whether the heap and total memory end as they were after the first ones.

const v8 = require('node:v8');
const vm = require('node:vm');
const { once } = require('node:events');
const { PerMessageDeflate, Receiver } = require('ferrows');
const { Deflater, digits } = require('../../differential/deflate');

const COUNT = 100_000;
/** Contexts until everything is warm. */
const WARM = 20_000;
const MIB = 1024 * 1024;

v8.setFlagsFromString('--expose-gc');
const collect = vm.runInNewContext('gc');

const valid = frame(new Deflater().part(digits(2000)));
const invalid = frame(Buffer.concat([new Deflater().part(digits(500), false), Buffer.from([6])]));

/** An unmasked, compressed text. */
function frame(payload) {
  return Buffer.concat([Buffer.from([0xc1, 126, payload.length >> 8, payload.length]), payload]);
}

function extensions() {
  const deflate = new PerMessageDeflate({ isServer: false });
  deflate.accept([{}]);
  return { [PerMessageDeflate.extensionName]: deflate };
}

/** Memory in use after garbage collection. */
async function used() {
  for (let round = 0; round < 3; round++) {
    collect();
    await new Promise((resolve) => setImmediate(resolve));
  }
  const { heapUsed, rss } = process.memoryUsage();
  return { heapUsed, rss };
}

async function main() {
  const seen = { messages: 0, errors: 0 };
  let before;
  for (let i = 0; i < COUNT; i++) {
    if (i === WARM) before = await used();
    const receiver = new Receiver({ extensions: extensions() });
    receiver.on('message', () => seen.messages++);
    receiver.on('error', ({ code }) => {
      if (code === 'Z_DATA_ERROR') seen.errors++;
    });
    const end = once(receiver, i % 2 ? 'message' : 'error').catch(() => {});
    receiver.write(i % 2 ? valid : invalid);
    await end;
  }
  const after = await used();
  const isFlat = after.heapUsed - before.heapUsed < 10 * MIB && after.rss - before.rss < 100 * MIB;
  console.log(JSON.stringify({ ...seen, isFlat }));
  if (!isFlat) console.error(before, after);
}

main();
