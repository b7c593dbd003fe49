'use strict';

// Which libraries are compared, and who plays which side. Used by the test files and selfcheck.js.
//
// DIFFERENTIAL oracle: npm ws. Subject: ferrows, or what FERROWS_SUBJECT names:
//   ws            a second, separate copy of ws (does the harness itself agree with itself?)
//   mutant:NAME   that copy with one fault built in (does the harness notice?), see mutants.js

const path = require('node:path');

/** @typedef {{ name: string, path: string, lib: any, env: Record<string, string> }} Subject */

/** @returns {Subject} */
function oracle() {
  return { name: 'ws', path: require.resolve('ws'), lib: require('ws'), env: {} };
}

/**
 * @param {string} [name] 'ws', 'mutant:NAME', or nothing for ferrows
 * @returns {Subject}
 */
function subject(name = process.env.FERROWS_SUBJECT) {
  if (!name || name === 'ferrows') {
    const file = path.resolve(__dirname, '../../index.js');
    return { name: 'ferrows', path: file, lib: require(file), env: {} };
  }
  const { copyOf, mutant } = require('./mutants');
  if (name === 'ws')
    return { name: 'ws (copy)', path: require.resolve('ws'), lib: copyOf('ws'), env: {} };
  const fault = name.replace(/^mutant:/, '');
  return {
    name,
    path: path.join(__dirname, 'mutants.js'),
    lib: mutant(fault),
    env: { DIFFERENTIAL_MUTANT: fault }
  };
}

/** Whether I/O threads carry connections in this run. */
function areThreadsAsked() {
  return ['io_threads', 'shuffle'].includes(process.env.FERROWS_TRANSPORT ?? '');
}

/**
 * The runs of one scenario: `expected` with the oracle on every side, `actual` with the subject on at least one.
 *
 * @param {string} kind pair (both sides are libraries), together (both sides are the same library, in one trace), server (bare client), client (bare server), api (no peer)
 * @param {Subject} ws
 * @param {Subject} other
 */
function combinations(kind, ws, other) {
  const of = (server, client) => ({
    kind,
    server,
    client,
    label: [server && `${server.name} server`, client && `${client.name} client`]
      .filter(Boolean)
      .join(', ')
  });
  switch (kind) {
    case 'pair':
      return { expected: of(ws, ws), actual: [of(other, other), of(ws, other), of(other, ws)] };
    case 'together': {
      // Threads run at their own pace.
      const isInterleaved = !areThreadsAsked();
      const together = (one) => ({ ...of(one, one), label: one.name, isInterleaved });
      return { expected: together(ws), actual: [together(other)] };
    }
    case 'server':
      return { expected: of(ws, undefined), actual: [of(other, undefined)] };
    case 'client':
      return { expected: of(undefined, ws), actual: [of(undefined, other)] };
    case 'api':
      return {
        expected: { kind, server: ws, client: ws, label: 'ws' },
        actual: [{ kind, server: other, client: other, label: other.name }]
      };
    default:
      throw new Error(`unknown kind of scenario: ${kind}`);
  }
}

module.exports = { oracle, subject, areThreadsAsked, combinations };
