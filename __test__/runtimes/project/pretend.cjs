'use strict';

// Loaded before a program: Node says that it is the runtime that PRETEND names. Its sockets can be taken over as ever.

Object.defineProperty(process, 'versions', {
  value: Object.freeze({ ...process.versions, [process.env.PRETEND]: '1.0.0' })
});
