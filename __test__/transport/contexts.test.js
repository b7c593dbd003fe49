'use strict';

// Contexts of permessage-deflate leave no memory behind.

const assert = require('node:assert/strict');
const test = require('node:test');
const { Child } = require('./child');

test('nothing is left of 100,000 contexts, half of which have met invalid data', async (t) => {
  const child = new Child(t, 'contexts.js');
  const { code, lines } = await child.finished();
  assert.deepEqual([code, lines], [0, [{ messages: 50_000, errors: 50_000, isFlat: true }]]);
});
