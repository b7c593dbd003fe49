'use strict';

// Every attack of the catalog, against server and client: the result of ferrows must be that of ws. Once per transport.
// FERROWS_SUBJECT replaces ferrows; HOSTILE_ONLY selects attacks by a part of their name. The advisories of ws are in
// advisories.test.js.

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { oracle, subject } = require('../differential/subjects');
const { difference } = require('../differential/trace');
const attacks = require('./catalog');
const { reasonFor } = require('./differences');
const { roles, verdict } = require('./verdict');

const ws = oracle();
const other = subject();
const transport = process.env.FERROWS_TRANSPORT ?? 'the default transport';
const only = process.env.HOSTILE_ONLY ?? '';

const chosen = attacks
  .flatMap((attack) =>
    roles(attack).map((role) => ({ attack, role, name: `${attack.name} (${role})` }))
  )
  .filter(({ name }) => name.includes(only));

describe(`hostile input over ${transport}`, { concurrency: 4 }, () => {
  for (const { attack, role, name } of chosen) {
    it(name, async () => {
      const expected = await verdict(attack, role, ws);
      assert.equal(
        expected.failure,
        null,
        `ws itself: ${expected.failure}\n${expected.lines.join('\n')}`
      );
      const actual = await verdict(attack, role, other);
      const found = difference(expected.lines, actual.lines);
      const reason = other.name === 'ferrows' ? reasonFor(attack.name) : null;
      if (reason) {
        assert.equal(actual.failure, null);
        assert.ok(found, `${name} is equal now: take it off differences.js`);
        return;
      }
      assert.equal(actual.failure, null, `${actual.failure}\n${found}`);
      assert.equal(found, null, `- ws, + ${other.name}, ${transport}\n${found}`);
    });
  }
});
