'use strict';

/*
 * The async context in which callbacks and events run, entered by `runInAsyncScope()`. Any module of lib/ may create one.
 */

const { AsyncResource } = require('async_hooks');

/** An AsyncResource that does not keep the process alive: `jest --detectOpenHandles` lists resources without hasRef(). */
class AsyncContext extends AsyncResource {
  hasRef() {
    return false;
  }
}

module.exports = { AsyncContext };
