'use strict';

// Prints the traces of scenarios, for a person: node show.js TEXT [subject]
// TEXT is part of a scenario's name; without a subject, ws plays all sides.

const { record, scenarios } = require('./run');
const { combinations, oracle, subject } = require('./subjects');

const [text = '', name] = process.argv.slice(2);
const ws = oracle();

(async () => {
  for (const one of scenarios().filter((candidate) => candidate.name.includes(text))) {
    const { expected, actual } = combinations(one.kind, ws, name ? subject(name) : ws);
    for (const combination of name ? actual : [expected]) {
      const { lines, failure } = await record(one, combination);
      console.log(`== ${one.name} -- ${combination.label}`);
      console.log(lines.join('\n'));
      if (failure) console.log(`!! ${failure}`);
    }
  }
})();
