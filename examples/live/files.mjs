// Serves the files of the page over HTTP from memory. Used by server.mjs. No WebSockets.
import { readFileSync, readdirSync } from 'node:fs';
import http from 'node:http';
import { extname } from 'node:path';

const TYPES = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml'
};

const HEADERS = {
  'Cache-Control': 'no-cache',
  // `ws: wss:` because 'self' does not cover WebSockets in older browsers.
  'Content-Security-Policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; " +
    "connect-src 'self' ws: wss:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  // Cross-origin isolation gives the page a clock with microseconds, for the round-trip time.
  'Cross-Origin-Embedder-Policy': 'require-corp',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff'
};

/**
 * Reads a folder once, and returns a 'request' listener for http.Server that serves its files.
 *
 * @param {URL} folder ends in a slash; index.html is served for `/`
 */
export function serveFiles(folder) {
  const files = new Map();
  for (const name of readdirSync(folder)) {
    const file = { type: TYPES[extname(name)], body: readFileSync(new URL(name, folder)) };
    files.set(`/${name}`, file);
    if (name === 'index.html') files.set('/', file);
  }

  return (req, res) => {
    const file = files.get(req.url.split('?', 1)[0]);
    const refuse = (status, headers) => {
      res.writeHead(status, { 'Content-Type': 'text/plain', ...headers });
      res.end(`${http.STATUS_CODES[status]}\n`);
    };
    if (file === undefined) {
      refuse(404);
    } else if (req.method !== 'GET' && req.method !== 'HEAD') {
      refuse(405, { Allow: 'GET, HEAD' });
    } else {
      res.writeHead(200, {
        ...HEADERS,
        'Content-Type': file.type,
        'Content-Length': file.body.length
      });
      res.end(req.method === 'HEAD' ? undefined : file.body);
    }
  };
}
