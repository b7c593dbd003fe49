'use strict';

// Loads the package, or prints the error and its causes.

const causes = [];
try {
  if (typeof require('ferrows') !== 'function') throw new Error('that is no class');
} catch (error) {
  for (let cause = error; cause; cause = cause.cause) {
    causes.push({ code: cause.code, message: cause.message });
  }
}
console.log(JSON.stringify(causes));
