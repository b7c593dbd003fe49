'use strict';

// nock is active, in the version that NOCK names: it has replaced http.ClientRequest, and lets the loopback through.

const exported = require(`nock-${process.env.NOCK}`);
const http = require('node:http');
const { once } = require('node:events');
const all = require('../all.cjs');
const record = require('../record.cjs');

// From version 15 on it is a module of ESM.
const nock = exported.default ?? exported;

(async () => {
  nock.disableNetConnect();
  nock.enableNetConnect('127.0.0.1');
  nock('http://example.test').get('/').reply(200, 'mocked');
  await all();
  const [response] = await once(http.get('http://example.test/'), 'response');
  let body = '';
  for await (const chunk of response) body += chunk;
  record('a mocked response', [response.statusCode, body]);
  nock.restore();
  await all(undefined, 'restored: ');
})();
