'use strict';

// Appends an observation of a program to the file that the test compares. Called in every realm and process of a tool.

const { appendFileSync } = require('node:fs');

/** @param {string} name @param {unknown} value as JSON */
module.exports = (name, value) =>
  appendFileSync(process.env.RECORDS, `${JSON.stringify([name, value])}\n`);
