// Client on ferrows.
import { ferrows } from '../libraries.mjs';
import { run } from './node.mjs';

await run(ferrows());
