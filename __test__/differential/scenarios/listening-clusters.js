'use strict';

// Workers of node:cluster that share a port: statement H1. Node and the kernel distribute the connections.

const { scenario } = require('../run');
const { OPCODE } = require('../frames');

/** Enough for each of two workers to get some. */
const CONNECTIONS = 6;

for (const [policy, end] of [
  ['rr', 'leave'],
  ['none', 'exit']
]) {
  scenario(
    `H1 workers of a cluster share a port: ${policy}, ${end}`,
    'server',
    async (t) => {
      const child = t.child('cluster.js', t.serverSubject, { POLICY: policy, END: end });
      const [port, ...where] = (await child.line()).split(' ');
      t.log('primary', 'listening', Number(port) > 0, where);
      const listening = { address: () => ({ port: Number(port) }) };
      const workers = new Set();
      const raws = [];
      for (let i = 0; i < CONNECTIONS; i++) {
        const raw = await t.sendRequest(listening, { target: `/${i}` });
        t.logHead(await raw.head());
        raw.send(OPCODE.text, 'echo');
        const [id, ...answer] = String((await raw.frame()).payload).split(' ');
        t.log('wire', 'answer', answer);
        workers.add(id);
        raws.push(raw);
      }
      if (policy === 'rr') t.log('primary', 'workers', workers.size);
      child.process.stdin.end();
      for (const raw of raws) {
        if (end === 'leave') t.logFrames(...(await raw.framesThrough(OPCODE.close)));
        if (end === 'leave') raw.close(1001);
        await raw.rest();
        raw.finish();
      }
      const { code, signal, output } = await child.finished;
      t.log('primary', 'ended', code, signal, output.slice(1));
    },
    { isWaiting: true }
  );
}
