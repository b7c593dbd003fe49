// Bundled for browsers: importing the package is harmless, using it throws. Prints the error.

import WebSocket from 'ferrows';

try {
  console.log(JSON.stringify(new WebSocket('ws://127.0.0.1')));
} catch (error) {
  console.log(JSON.stringify(error.message));
}
