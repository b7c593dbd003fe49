'use strict';

// Loaded before a program (`node --require`): the addon says what it says on a system whose sockets it can't take over.

require('../../../binding.js').takesSockets = () => false;
