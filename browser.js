'use strict';

/*
 * What bundlers for browsers get: importing it is harmless, using it is not.
 */

module.exports = function WebSocket() {
  throw new Error(
    'ws does not work in the browser. Browser clients must use the native WebSocket object'
  );
};
