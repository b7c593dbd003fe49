// What is bundled for browsers: importing the package is harmless, using it is not. Prints what that says.

import WebSocket from 'ferrows';

try {
  console.log(JSON.stringify(new WebSocket('ws://127.0.0.1')));
} catch (error) {
  console.log(JSON.stringify(error.message));
}
