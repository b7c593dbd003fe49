'use strict';

// Loaded before a program: makes Node pretend to be the runtime PRETEND. Its sockets can be adopted as usual.

Object.defineProperty(process, 'versions', {
  value: Object.freeze({ ...process.versions, [process.env.PRETEND]: '1.0.0' })
});
