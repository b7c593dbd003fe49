'use strict';

// Invalid options: thrown by the constructor, with the errors that Node gives for options of its own.

const assert = require('node:assert/strict');
const http = require('node:http');
const test = require('node:test');
const { checkInteger } = require('../../lib/options/checks');

const { WebSocket, WebSocketServer } = require('ferrows');

/** An object of it has the name of its class in messages. */
class Own {
  value = 1;
}

/** Values that are not a boolean. */
const VALUES = [
  ...[
    null,
    0,
    -1,
    1.5,
    NaN,
    10n,
    '',
    'yes',
    'a string of more than twenty-eight characters',
    "it's",
    Symbol('s')
  ],
  ...[{}, [], new Own(), Object.create(null), new Date(0), /x/g, () => {}, function named() {}, Own]
];

/** @param {() => void} act @returns {any} the error that it throws */
function errorOf(act) {
  try {
    act();
  } catch (error) {
    return error;
  }
  return assert.fail('nothing is thrown');
}

/** @param {any} error */
const facts = ({ code, constructor, message }) => ({ code, class: constructor.name, message });

test('a value of another type gives the error of Node', () => {
  for (const value of VALUES) {
    const expected = facts(
      errorOf(() => http.createServer({ insecureHTTPParser: /** @type {any} */ (value) }))
    );
    expected.message = expected.message.replace('insecureHTTPParser', 'deferReading');
    const options = /** @type {any} */ ({ deferReading: value });
    for (const act of [
      () => new WebSocketServer({ noServer: true, ...options }),
      () => new WebSocket('ws://127.0.0.1:1', options)
    ]) {
      const error = errorOf(act);
      assert.deepEqual(facts({ ...error, message: error.message, constructor: TypeError }), {
        ...expected,
        class: 'TypeError'
      });
      assert.ok(error instanceof TypeError);
    }
  }
});

test('a number out of range gives the error of Node', () => {
  for (const value of [-1, 1.5, NaN, Infinity, 2 ** 53, -(2 ** 40), 'x', null, 1n]) {
    const size = /** @type {any} */ ({ maxHeaderSize: value });
    const expected = errorOf(() => http.createServer(size));
    const error = errorOf(() => checkInteger(value, 'maxHeaderSize', 0, Number.MAX_SAFE_INTEGER));
    assert.deepEqual([error.code, error.message], [expected.code, expected.message]);
    assert.equal(error instanceof RangeError, expected instanceof RangeError);
  }
});

/** Option, invalid value, code, a part of the message. @type {[string, any, string, RegExp][]} */
const INVALID = [
  [
    'allowedOrigins',
    null,
    'ERR_INVALID_ARG_TYPE',
    /^The "options\.allowedOrigins" property must be/
  ],
  ['allowedOrigins', /x/, 'ERR_INVALID_ARG_TYPE', /Received an instance of RegExp$/],
  ['allowedOrigins', [1], 'ERR_INVALID_ARG_TYPE', /"options\.allowedOrigins\[0\]"/],
  ['allowedOrigins', '*', 'ERR_INVALID_ARG_VALUE', /Received '\*'$/],
  ['allowedOrigins', 'example.com', 'ERR_INVALID_ARG_VALUE', /'https:\/\/example\.com'/],
  ['allowedOrigins', 'https://example.com/', 'ERR_INVALID_ARG_VALUE', /path/],
  ['allowedOrigins', 'https://example.com:443', 'ERR_INVALID_ARG_VALUE', /default port/],
  ['allowedOrigins', 'https://Example.com', 'ERR_INVALID_ARG_VALUE', /origin/],
  ['allowedOrigins', 'https://user@example.com', 'ERR_INVALID_ARG_VALUE', /origin/],
  ['allowedOrigins', ['same-origin', 'wss://example.com'], 'ERR_INVALID_ARG_VALUE', /\[1\]'/],
  ['paths', '/chat', 'ERR_INVALID_ARG_TYPE', /Array/],
  ['paths', [], 'ERR_INVALID_ARG_VALUE', /empty/],
  ['paths', [1], 'ERR_INVALID_ARG_TYPE', /"options\.paths\[0\]" property must be of type string/],
  ['paths', ['/a', 'chat'], 'ERR_INVALID_ARG_VALUE', /'options\.paths\[1\]' must begin with "\/"/],
  ['paths', ['/:'], 'ERR_INVALID_ARG_VALUE', /pattern/],
  ['paths', ['/(a'], 'ERR_INVALID_ARG_VALUE', /not closed/],
  ['paths', ['/([)'], 'ERR_INVALID_ARG_VALUE', /regular expression/i],
  ['paths', ['/:a/:a'], 'ERR_INVALID_ARG_VALUE', /two groups/]
];

for (const [name, value, code, message] of INVALID) {
  test(`${name}: ${JSON.stringify(value)} is refused at once`, () => {
    const options = /** @type {any} */ ({ noServer: true, [name]: value });
    assert.throws(() => new WebSocketServer(options), { code, message });
  });
}

test('paths and path exclude each other', () => {
  assert.throws(() => new WebSocketServer({ noServer: true, path: '/a', paths: ['/b'] }), {
    code: 'ERR_INVALID_ARG_VALUE',
    message: /combined/
  });
});

test('undefined stands for the default, and unset options leave no trace', () => {
  const options = {
    noServer: true,
    allowedOrigins: undefined,
    deferReading: undefined,
    paths: undefined
  };
  const [unset, explicit] = [new WebSocketServer({ noServer: true }), new WebSocketServer(options)];
  assert.equal(explicit.shouldHandle(/** @type {any} */ ({ url: '/' })), true);
  for (const name of ['allowedOrigins', 'deferReading', 'paths']) {
    assert.equal(name in unset.options, false);
  }
});

test('an invalid option starts no server', async () => {
  const options = /** @type {any} */ ({ port: 0, host: '127.0.0.1', deferReading: 1 });
  const before = process.getActiveResourcesInfo().length;
  assert.throws(() => new WebSocketServer(options), { code: 'ERR_INVALID_ARG_TYPE' });
  assert.equal(process.getActiveResourcesInfo().length, before);
});
