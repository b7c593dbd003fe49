'use strict';

// Configurations of connections are shared only by connections whose options are all the same.

const assert = require('node:assert/strict');
const test = require('node:test');
const { configure } = require('../../lib/transport/config-cache.js');
const { UNLIMITED } = require('./pairs.js');

const DEFLATE = {
  outgoingWindowBits: 15,
  outgoingTakeover: true,
  incomingWindowBits: 15,
  incomingTakeover: true,
  threshold: 1024,
  level: 6,
  memLevel: 8,
  strategy: 0,
  outgoingDictionary: undefined,
  incomingDictionary: undefined
};

/** All options, and one that the addon does not know: as a new one would be. */
const OPTIONS = { ...UNLIMITED, deflate: DEFLATE, somethingNew: 1 };

/** Another value for an option. @param {unknown} value */
function change(value) {
  if (typeof value === 'boolean') return !value;
  return typeof value === 'number' ? value + 1 : 9;
}

test('the same options share a configuration, whatever objects hold them', () => {
  const first = configure(OPTIONS);
  const others = Array.from({ length: 3 }, () =>
    configure({ ...OPTIONS, deflate: { ...DEFLATE }, maxPayload: 7 })
  );
  assert.equal(new Set(others).size, 1);
  assert.notEqual(others[0], first);
  assert.equal(configure({ ...OPTIONS, deflate: { ...DEFLATE } }), first);
  const unordered = Object.fromEntries(Object.entries(OPTIONS).reverse());
  assert.equal(configure(unordered), first);
});

for (const [key, value] of Object.entries(OPTIONS)) {
  if (key === 'deflate') continue;
  test(`the option ${key} tells configurations apart`, () => {
    const first = configure(OPTIONS);
    const second = configure({ ...OPTIONS, [key]: change(value) });
    assert.notEqual(second.id, first.id);
    assert.equal(configure(OPTIONS), first);
  });
}

for (const [key, value] of Object.entries(DEFLATE)) {
  test(`the parameter ${key} of permessage-deflate tells configurations apart`, () => {
    const first = configure(OPTIONS);
    const other = key.endsWith('Dictionary') ? Buffer.from('abc') : change(value);
    const second = configure({ ...OPTIONS, deflate: { ...DEFLATE, [key]: other } });
    assert.notEqual(second.id, first.id);
    assert.equal(configure(OPTIONS), first);
  });
}

test('an option that is left out tells configurations apart', () => {
  const { somethingNew: _, ...without } = OPTIONS;
  const first = configure(OPTIONS);
  const second = configure(without);
  assert.notEqual(second.id, first.id);
  // In either order: the last one is compared first.
  assert.equal(configure(OPTIONS), first);
  assert.equal(configure({ ...without }), second);
});

test('options with a dictionary share nothing: its bytes may change', () => {
  const options = { ...OPTIONS, deflate: { ...DEFLATE, outgoingDictionary: Buffer.from('abc') } };
  assert.notEqual(configure(options).id, configure(options).id);
});

test('no permessage-deflate is another configuration than any', () => {
  const first = configure(OPTIONS);
  assert.notEqual(configure({ ...OPTIONS, deflate: undefined }).id, first.id);
  assert.equal(configure(OPTIONS), first);
});

test('the options of a threshold that is no number are the same', () => {
  const options = { ...OPTIONS, deflate: { ...DEFLATE, threshold: NaN } };
  assert.equal(configure(options), configure({ ...options, deflate: { ...options.deflate } }));
});

test('a configuration that has made room for others is made anew', () => {
  const first = configure(OPTIONS);
  for (let maxPayload = 1; maxPayload <= 32; maxPayload++) configure({ ...OPTIONS, maxPayload });
  const again = configure(OPTIONS);
  assert.notEqual(again, first);
  assert.deepEqual(again.options, first.options);
  assert.equal(configure({ ...OPTIONS }), again);
});
