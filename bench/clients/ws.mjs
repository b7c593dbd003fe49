// Client on ws.
import { ws } from '../libraries.mjs';
import { run } from './node.mjs';

await run(ws());
