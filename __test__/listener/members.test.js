'use strict';

// The list of members that Node reads of an accepting server (__test__/differential/server-members.js) is complete for the
// running Node, according to its own sources. A Node that reads another member fails here before a program notices.

const assert = require('node:assert/strict');
const test = require('node:test');

const { ELSEWHERE, HANDLE, SETTINGS } = require('../differential/server-members.js');

/** @type {Record<string, string>} */
const natives = /** @type {any} */ (process).binding('natives');

/** Places where Node reads members: source, function or method, the name of the object there. @type {[string, string, string][]} */
const PLACES = [
  ['net', 'function setupListenHandle', 'this'],
  ['net', 'Server.prototype.listen = function', 'this'],
  ['net', 'function listenInCluster', 'server'],
  ['net', 'Server.prototype.address = function', 'this'],
  ['net', 'function onconnection', 'self'],
  ['net', 'Server.prototype.getConnections = function', 'this'],
  ['net', 'Server.prototype.close = function', 'this'],
  ['net', 'Server.prototype._emitCloseIfDrained = function', 'this'],
  ['net', 'Server.prototype.ref = function', 'this'],
  ['net', 'Server.prototype.unref = function', 'this'],
  ['_http_server', 'function setupConnectionsTracking', 'this'],
  ['_http_server', 'function checkConnections', 'this'],
  ['_http_server', 'function httpServerPreClose', 'server'],
  ['_http_server', 'function connectionListenerInternal', 'server'],
  ['_http_server', 'function onParserExecuteCommon', 'server'],
  ['_http_server', 'function onParserTimeout', 'server'],
  ['_http_server', 'function parserOnIncoming', 'server'],
  ['_http_server', 'function resOnFinish', 'server'],
  ['_http_server', 'function resetSocketTimeout', 'server'],
  ['_http_server', 'function socketOnEnd', 'server'],
  ['_http_server', 'function socketOnTimeout', 'this.server']
];

/** Places where Node reads members of the handle of a server, or of an accepted one. @type {[string, string, string][]} */
const HANDLES = [
  ['net', 'function createServerHandle', 'handle'],
  ['net', 'function setupListenHandle', 'this._handle'],
  ['net', 'Server.prototype.listen = function', 'this._handle'],
  ['net', 'Server.prototype.address = function', 'this._handle'],
  ['net', 'Server.prototype.close = function', 'this._handle'],
  ['net', 'Server.prototype.ref = function', 'this._handle'],
  ['net', 'Server.prototype.unref = function', 'this._handle'],
  ['net', 'function onconnection', 'clientHandle']
];

/** The text of a function, up to the first line that is a closing brace. @param {string} source @param {string} beginning */
function textOf(source, beginning) {
  const start = source.indexOf(beginning);
  assert.notEqual(start, -1, `${beginning} is not there: where does this Node do it?`);
  return source.slice(start, source.indexOf('\n}', start));
}

/** The names of an object's members in a text. @param {string} text @param {string} object */
function membersOf(text, object) {
  const pattern = new RegExp(
    `(?<![\\w.])${object.replaceAll('.', '\\.')}\\??\\.([A-Za-z_]\\w*)`,
    'g'
  );
  return [...text.matchAll(pattern)].map(([, name]) => /** @type {string} */ (name));
}

/** @param {[string, string, string][]} places @param {string[]} known */
function assertKnown(places, known) {
  const asked = new Set(
    places.flatMap(([name, beginning, object]) =>
      membersOf(textOf(/** @type {string} */ (natives[name]), beginning), object)
    )
  );
  assert.ok(asked.size > 5);
  assert.deepEqual([...asked].filter((name) => !known.includes(name)).sort(), []);
}

test('each member of a server that Node reads has a row', () => {
  assertKnown(PLACES, [...Object.keys(SETTINGS), ...ELSEWHERE.server, ...ELSEWHERE.state]);
});

test('each member of a handle that Node reads has a row', () => {
  assertKnown(HANDLES, [...Object.keys(HANDLE), ...ELSEWHERE.handle, ...ELSEWHERE.accepted]);
});

test('each public member of a server has a row', () => {
  const channels = ['net', '_http_server', '_http_incoming', '_http_common'].flatMap((name) =>
    [...(natives[name] ?? '').matchAll(/channel\(\s*'([^']+)'/gi)].map(([, channel]) => channel)
  );
  assert.deepEqual(
    channels.filter(
      (name) =>
        !/client|^http\.server\.(request|response)\.|^net\.server\.(socket|listen)$/.test(name)
    ),
    []
  );
});
