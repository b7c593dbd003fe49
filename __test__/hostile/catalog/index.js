'use strict';

// All attacks, in the order of a connection's lifecycle. Read by hostile.test.js. An attack is data and, where bytes are not
// enough, a function; it contains no expectation.

const CATALOG = [
  ...require('./requests'),
  ...require('./request-headers'),
  ...require('./responses'),
  ...require('./redirects'),
  ...require('./frames'),
  ...require('./lengths'),
  ...require('./fragments'),
  ...require('./control'),
  ...require('./utf8'),
  ...require('./floods'),
  ...require('./compression'),
  ...require('./endings'),
  ...require('./programs')
];

const names = new Set();
for (const { name } of CATALOG) {
  if (names.has(name)) throw new Error(`two attacks named ${name}`);
  if (!/^A\d+ /.test(name)) throw new Error(`no class in front of ${name}`);
  names.add(name);
}

module.exports = CATALOG;
