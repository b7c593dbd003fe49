'use strict';

// SES is loaded first, and freezes the intrinsics before or after ws is loaded, by LOCKDOWN.

const options = {
  errorTaming: 'unsafe',
  consoleTaming: 'unsafe',
  overrideTaming: 'severe',
  domainTaming: 'unsafe'
};
if (process.env.LOCKDOWN === 'before') lockdown(options);
const WebSocket = require('ws');
if (process.env.LOCKDOWN === 'after') lockdown(options);

require('../all.cjs')(WebSocket);
