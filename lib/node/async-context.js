'use strict';

/*
 * The async context that callbacks and events run in. Any module of lib/ may make one; entering it is `runInAsyncScope()`.
 */

const { AsyncResource } = require('async_hooks');

/** An AsyncResource that keeps nothing alive, and says so: `jest --detectOpenHandles` lists those that do not. */
class AsyncContext extends AsyncResource {
  hasRef() {
    return false;
  }
}

module.exports = { AsyncContext };
