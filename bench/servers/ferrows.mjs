// The server on ferrows. With FERROWS_OBSERVED, everything that tells of connections is listened to.
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
