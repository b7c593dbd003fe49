'use strict';

// The libraries under comparison and their roles.
//
// The oracle is ws. The subject is ferrows, or FERROWS_SUBJECT:
//   ws            a second, separate copy of ws: tests that the harness agrees with itself
//   mutant:NAME   that copy with one fault (mutants.js): tests that the harness detects it

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

/** True if I/O threads may carry connections in this run. */
function areThreadsAsked() {
  return process.env.FERROWS_TRANSPORT === 'io_threads';
}

/**
 * The runs of one scenario: `expected` with the oracle in every role, `actual` with the subject in at least one.
 *
 * @param {string} kind pair: libraries in both roles; together: the same library in both roles, in one trace; server: with a
 *   raw client; client: with a raw server; api: without a peer
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
      // Threads are not synchronized with each other.
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
