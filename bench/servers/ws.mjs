// Server on ws.
import { ws } from '../libraries.mjs';
import { serve } from './node.mjs';

serve(ws());
