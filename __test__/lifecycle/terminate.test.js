'use strict';

// Ending the connection within an event has the same consequences as with ws, event by event: later deliveries and their
// states, until the one 'close'. An exception of a listener has none.

const assert = require('node:assert/strict');
const test = require('node:test');
const { Child } = require('../transport/child');
const { difference } = require('../differential/trace');

const { FERROWS_SUBJECT, FERROWS_TRANSPORT = 'auto' } = process.env;
const SUBJECT = FERROWS_SUBJECT === 'ws' ? 'ws' : 'ferrows';

/** Log lines that report an exception. */
const MARKS = ['  (act', '  act) ', '  uncaught '];

/**
 * The logs of all cases, by name, if all is well with them: the act was done, nothing hung, and there was one 'close'.
 *
 * @param {import('node:test').TestContext} t
 * @param {Record<string, string>} env
 */
async function logs(t, env) {
  const child = new Child(t, '../../lifecycle/children/terminate.js', {
    FERROWS_TRANSPORT,
    ...env
  });
  const { code, signal, lines } = await child.finished();
  for (const { name, isDone, hangs, lines: log } of lines) {
    assert.ok(isDone && !hangs, `${env.MODULE}, ${name}:\n${log.join('\n')}`);
    assert.equal(log.filter((line) => line.startsWith('  close(')).length, 1, log.join('\n'));
  }
  assert.deepEqual({ code, signal }, { code: 0, signal: null });
  return new Map(lines.map(({ name, lines: log }) => [name, log]));
}

/**
 * The logs without exceptions, each of which has been reported once.
 *
 * @param {Map<string, string[]>} all
 * @param {number} [exceptions] count in each
 */
function withoutMarks(all, exceptions = 1) {
  const isMark = (line) => MARKS.some((mark) => line.startsWith(mark));
  return new Map(
    [...all].map(([name, log]) => {
      const reports = log.filter((line) => line.startsWith('  uncaught '));
      const expected = Array(exceptions).fill('  uncaught thrown by a listener');
      assert.deepEqual(reports, expected, name);
      return [name, log.filter((line) => !isMark(line))];
    })
  );
}

/**
 * @param {Map<string, string[]>} expected
 * @param {Map<string, string[]>} actual
 * @param {number} count the least number of cases
 */
function compare(expected, actual, count) {
  assert.ok(actual.size >= count, `${actual.size} cases`);
  assert.deepEqual([...actual.keys()], [...expected.keys()]);
  const different = [...actual].flatMap(([name, log]) => {
    const diff = difference(expected.get(name) ?? [], log);
    return diff === null ? [] : [`${name}:\n${diff}`];
  });
  assert.equal(different.join('\n\n'), '');
}

for (const ROLE of ['server', 'client']) {
  for (const ACT of [
    'nothing',
    'terminate',
    'close',
    'destroy',
    'close and terminate',
    'send and terminate'
  ]) {
    test(`${ACT}, ${ROLE}`, async (t) => {
      const expected = await logs(t, { ACT, ROLE, MODULE: 'ws' });
      compare(expected, await logs(t, { ACT, ROLE, MODULE: SUBJECT }), 25);
    });
  }

  // The moment of the report, relative to the callbacks after the one that throws, is not compared.
  test(`throw, ${ROLE}, where ws goes on`, async (t) => {
    const env = { ACT: 'throw', ROLE, CASES: 'other' };
    const expected = await logs(t, { ...env, MODULE: 'ws' });
    const actual = await logs(t, { ...env, MODULE: SUBJECT });
    compare(withoutMarks(expected), withoutMarks(actual), 3);
  });

  // ws delivers nothing more then: an intended difference.
  test(`throw, ${ROLE}, where only ferrows goes on`, { skip: SUBJECT === 'ws' }, async (t) => {
    const env = { ROLE, CASES: 'received', MODULE: SUBJECT };
    const expected = await logs(t, { ...env, ACT: 'nothing' });
    const actual = await logs(t, { ...env, ACT: 'throw' });
    compare(withoutMarks(expected, 0), withoutMarks(actual), 20);
  });
}
