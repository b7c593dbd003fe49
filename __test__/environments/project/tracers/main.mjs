// The same, as ESM.

import * as api from 'ws';
import record from '../record.cjs';
import app from './app.cjs';

record('the program', await app(api));
