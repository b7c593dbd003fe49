'use strict';

// Loaded before a program (`node --require`): the addon acts as on a system whose sockets it cannot adopt.

require('../../../binding.js').takesSockets = () => false;
