// Serves the page's few files over HTTP, from memory. Used by server.mjs; knows nothing of WebSockets.
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
  // `ws: wss:` because older browsers do not take 'self' to cover a WebSocket to the page's own host.
  'Content-Security-Policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; " +
    "connect-src 'self' ws: wss:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  // An isolated page may read its clock to microseconds: the round trip is worth less without.
  'Cross-Origin-Embedder-Policy': 'require-corp',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff'
};

/**
 * Reads a folder once and gives a listener for http.Server's 'request' that serves it.
 *
 * @param {URL} folder ends in a slash; index.html is what `/` shows
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
