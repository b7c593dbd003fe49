'use strict';

/*
 * Entry point for browser bundles, as in ws: throws when called, not when imported.
 */

module.exports = function WebSocket() {
  throw new Error(
    'ws does not work in the browser. Browser clients must use the native WebSocket object'
  );
};
