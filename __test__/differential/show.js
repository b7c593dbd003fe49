'use strict';

// Prints the traces of scenarios: node show.js TEXT [SUBJECT]
// TEXT is part of a scenario's name; without a subject (subjects.js), ws has both roles.
//
//   node show.js --list ID    prints the names of the scenarios that prove a statement of SPEC.md

const { record, scenarios } = require('./run');
const { STATEMENTS, proving } = require('./spec');
const { combinations, oracle, subject } = require('./subjects');

function list(id) {
  const statement = STATEMENTS.find((one) => one.id === id);
  if (!statement) throw new Error(`no such statement: ${id}`);
  console.log(`${statement.id}. ${statement.title}`);
  for (const { name, file } of proving(statement, scenarios())) console.log(`  ${name} (${file})`);
}

async function show(text = '', name = '') {
  const ws = oracle();
  for (const one of scenarios().filter((candidate) => candidate.name.includes(text))) {
    const { expected, actual } = combinations(one.kind, ws, name ? subject(name) : ws);
    for (const combination of name ? actual : [expected]) {
      const { lines, failure } = await record(one, combination);
      console.log(`== ${one.name} -- ${combination.label}`);
      console.log(lines.join('\n'));
      if (failure) console.log(`!! ${failure}`);
    }
  }
}

const [first, second] = process.argv.slice(2);
if (first === '--list') list(second);
else show(first, second);
