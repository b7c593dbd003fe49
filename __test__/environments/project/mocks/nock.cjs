'use strict';

// nock is active, in the version NOCK: it has replaced http.ClientRequest, and passes the loopback through.

const exported = require(`nock-${process.env.NOCK}`);
const http = require('node:http');
const { once } = require('node:events');
const all = require('../all.cjs');
const record = require('../record.cjs');

// ESM only since version 15.
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
