'use strict';

// What is packed: every specification with the ws that the bundler finds.

require('../all.cjs')(require('ws'));
