'use strict';

// The packed program: every specification, with the ws that the bundler resolves.

require('../all.cjs')(require('ws'));
