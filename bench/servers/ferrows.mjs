// The server on ferrows.
import { ferrows } from '../libraries.mjs';
import { serve } from './node.mjs';

serve(ferrows());
