'use strict';

// The statements of SPEC.md and the scenarios that prove them. A scenario belongs to the statement that its name begins with; ALSO
// lists scenarios of other statements, by the beginning of their names. Used by spec.test.js, show.js and scripts/compatibility.mjs.

const fs = require('node:fs');
const path = require('node:path');

/** @typedef {{ id: string, title: string, also: string[] }} Statement */
/** @typedef {import('./run').Scenario} Scenario */

const SPEC = path.join(__dirname, 'SPEC.md');

/** @type {Record<string, string[]>} */
const ALSO = {
  R6: ['A20 delivered memory'],
  E6: ['E1 WS_ERR_INVALID_CLOSE_CODE'],
  E7: ['E1 WS_ERR_UNSUPPORTED_MESSAGE_LENGTH'],
  A3: ['E1 WS_ERR_TOO_MANY_BUFFERED_PARTS'],
  A4: ['E1 too many buffered chunks', 'R8 one byte'],
  A5: ['P2'],
  A6: ['B4', 'B1 queued bytes'],
  A7: ['C11'],
  A8: ['H9', '1.9 extension'],
  A10: ['R2', 'E1 WS_ERR_INVALID_UTF8'],
  A11: ['E1 order of checks', 'S8 the'],
  A12: ['E1 WS_ERR_UNEXPECTED', 'E1 WS_ERR_INVALID_OPCODE'],
  A13: ['E1 WS_ERR_INVALID_CONTROL', 'E1 WS_ERR_EXPECTED_FIN', 'E1 WS_ERR_INVALID_CLOSE', 'R4'],
  A14: ['S8 generateMask'],
  A15: ['C4 every client', 'C10 a 101 with', 'H3'],
  A16: ['H5 verifyClient', 'H10'],
  A18: ['C16'],
  A19: ['K2 close() with an invalid'],
  A20: ['R6', 'S8 masking'],
  A22: ['K2 closeTimeout', 'K9'],
  A25: ['W2 worker threads'],
  1.5: ['D'],
  1.7: ['3.1 Receiver by itself'],
  1.9: ['1.8 Sender.frame, extension'],
  1.11: ['E1', 'C1 options that throw', 'C10', 'C12', 'C13'],
  3.1: ['H7 setSocket']
};

const HEADING = /^### ([A-Z]\d+|\d+\.\d+)\. (.+)$/gm;

/** @type {Statement[]} in the order of SPEC.md */
const STATEMENTS = [...fs.readFileSync(SPEC, 'utf8').matchAll(HEADING)].map(([, id, title]) => ({
  id,
  title,
  also: ALSO[id] ?? []
}));

/**
 * The id of the statement that a scenario belongs to.
 *
 * @param {string} name of a scenario
 * @returns {string}
 */
const idOf = (name) => name.split(' ', 1)[0];

/**
 * True if a scenario is among those named by a beginning; `H1` does not name `H10`.
 *
 * @param {string} name
 * @param {string} beginning
 * @returns {boolean}
 */
const begins = (name, beginning) =>
  name.startsWith(beginning) && !/^\d\d/.test(beginning.slice(-1) + name.charAt(beginning.length));

/**
 * The scenarios that prove a statement: its own and those listed in ALSO.
 *
 * @template {{ name: string }} T
 * @param {Statement} statement
 * @param {T[]} scenarios
 * @returns {T[]}
 */
const proving = ({ id, also }, scenarios) =>
  scenarios.filter(
    ({ name }) => idOf(name) === id || also.some((beginning) => begins(name, beginning))
  );

/**
 * SPEC.md with a current line of scenarios for each statement.
 *
 * @param {string} text
 * @param {Scenario[]} scenarios
 * @returns {string}
 */
function withScenarios(text, scenarios) {
  const lines = new Map(
    STATEMENTS.map((statement) => {
      /** @type {Map<string, number>} */
      const files = new Map();
      const proofs = proving(statement, scenarios);
      for (const { file } of proofs) files.set(file, (files.get(file) ?? 0) + 1);
      const links = [...files].map(([file, count]) => `[${file}](scenarios/${file}) ${count}`);
      return [statement.id, `Scenarios (${proofs.length}): ${links.join(', ')}`];
    })
  );
  const sections = text.replace(/^Scenarios \(.*\n+/gm, '').split(/^(?=##)/m);
  return sections
    .map((section) => {
      const id = /^### (\S+)\. /.exec(section)?.[1];
      return id ? `${section.trimEnd()}\n\n${lines.get(id)}\n\n` : section;
    })
    .join('')
    .replace(/\n+$/, '\n');
}

module.exports = { SPEC, STATEMENTS, begins, idOf, proving, withScenarios };
