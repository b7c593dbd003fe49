// Server on ferrows. With FERROWS_OBSERVED it subscribes to all diagnostics.
import diagnostics from 'node:diagnostics_channel';
import { ferrows } from '../libraries.mjs';
import { serve } from './node.mjs';

const server = serve(ferrows());
if (process.env.FERROWS_OBSERVED) {
  for (const name of ['open', 'close', 'error']) {
    diagnostics.subscribe(`ferrows:connection:${name}`, () => {});
  }
  setInterval(() => server.stats(), 1000).unref();
}
