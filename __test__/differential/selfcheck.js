'use strict';

// Proves that scenarios can fail: every scenario must tell at least one mutant (mutants.js) from ws, and every mutant
// must be noticed by the scenario that is there for it. Run by hand, about two minutes: node selfcheck.js
// Ends with status 1 and a list if a scenario or a mutant is left over.

const mutants = require('./mutants');
const { record, scenarios, verdict } = require('./run');
const { combinations, oracle, subject } = require('./subjects');

/** Milliseconds for a run with a mutant: one that never ends has been noticed too. */
const LIMIT = 1500;

/** The scenario that is there for a fault. */
const MEANT = {
  close: 'K4 simultaneous close with different codes',
  message: 'R7 message data are Buffers (client)',
  ping: 'P1 pings between two libraries',
  pong: 'P1 unasked pongs are reported (server)',
  error: 'C13 nobody listens',
  open: 'C8 informational answers before the 101 are skipped',
  upgrade: 'C9 close() in a listener of upgrade',
  wire: 'S4 fragments (server)',
  answer: 'H5 accepts a plain request',
  http: 'H1 a request without Upgrade is answered 426',
  request: 'C4 the request with nothing special',
  throws: 'C2 addresses that throw',
  returns: 'S13 send returns nothing (server)',
  callbacks: 'S10 callbacks come later, in order, without an error (client)',
  getters: 'B2 bufferedAmount is 0 right after a send that the kernel took (server)',
  context: 'X1 events of a client run in the context of its constructor',
  shape: '1.2 exports',
  server: 'H4 wsClientError instead of an answer: no key is 400',
  forgetful: 'K7 terminate()',
  key: 'C4 every client has its own key',
  unexpected: 'C12 destroying the request of an unexpected response',
  eager: 'H10 a client that leaves while verifyClient thinks',
  swallow: 'R9 an exception that nobody catches ends the process',
  socket: '3.1 timeout of the raw socket (server)',
  receiver: '3.1 Receiver by itself'
};

(async () => {
  // Mutants may throw where nobody catches: that is noticed as a run that does not end.
  process.on('uncaughtException', () => {});
  process.on('unhandledRejection', () => {});
  const ws = oracle();
  const all = scenarios();
  const left = [];
  const notices = async (one, model, fault) => {
    const [combination] = combinations(one.kind, ws, subject(`mutant:${fault}`)).actual;
    return verdict(model, await record(one, combination, LIMIT)) !== null;
  };
  const expectation = (one) => record(one, combinations(one.kind, ws, ws).expected);

  for (const fault of mutants.names) {
    const one = all.find(({ name }) => name === MEANT[fault]);
    if (!one || !(await notices(one, await expectation(one), fault))) {
      left.push(`mutant ${fault} is not noticed by: ${MEANT[fault]}`);
    }
  }
  for (const one of all) {
    const model = await expectation(one);
    let noticed = false;
    for (const fault of mutants.names) {
      noticed = await notices(one, model, fault);
      if (noticed) break;
    }
    if (!noticed) left.push(`scenario notices no mutant: ${one.name}`);
  }
  console.log(`${all.length} scenarios, ${mutants.names.length} mutants, ${left.length} left over`);
  for (const text of left) console.log(text);
  process.exit(left.length ? 1 : 0);
})();
