/**
 * A registry of npm packages on loopback, with the part of the protocol used by npm, pnpm and Yarn: documents, tarballs,
 * publication. It serves seeded and published packages, and redirects requests for others to the registry configured for npm.
 */

import { createHash } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { npmCommand } from '../../scripts/npm.mjs';

/**
 * @typedef {Object} Entry a package in its one version
 * @property {any} manifest
 * @property {Buffer | null} tarball null if this machine has no build for the platform
 */

/** Returns the registry configured for npm. */
function upstream() {
  const [program, ...args] = npmCommand('config', 'get', 'registry');
  return execFileSync(program, args, { encoding: 'utf8' }).trim().replace(/\/$/, '');
}

/** @param {import('node:http').IncomingMessage} request */
async function readAll(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks);
}

export class Registry {
  constructor() {
    /** @type {Map<string, Entry>} */
    this.entries = new Map();
    /** Names whose publication is refused. @type {Set<string>} */
    this.refused = new Set();
    /** Published names, in order. @type {string[]} */
    this.published = [];
    /** Packages whose tarball was requested. @type {string[]} */
    this.fetched = [];
    this.upstream = upstream();
    this.server = createServer((request, response) => {
      this.answer(request, response).catch((error) => {
        response.writeHead(500).end(String(error));
      });
    });
  }

  /** Starts listening. */
  async open() {
    this.server.listen(0, '127.0.0.1');
    await once(this.server, 'listening');
    const { port } = /** @type {import('node:net').AddressInfo} */ (this.server.address());
    this.url = `http://127.0.0.1:${port}`;
  }

  async close() {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }

  /**
   * Adds the packages in the output of `scripts/packages.mjs pack`.
   *
   * @param {string} folder
   */
  seed(folder) {
    for (const { manifest, file } of JSON.parse(readFileSync(join(folder, 'index.json'), 'utf8'))) {
      const tarball = file === null ? null : readFileSync(join(folder, file));
      this.entries.set(manifest.name, { manifest, tarball });
    }
  }

  /**
   * @param {import('node:http').IncomingMessage} request
   * @param {import('node:http').ServerResponse} response
   */
  async answer(request, response) {
    const { pathname } = new URL(String(request.url), this.url);
    const [name, file] = decodeURIComponent(pathname).slice(1).split('/-/');
    if (request.method === 'PUT') {
      this.publish(String(name), JSON.parse(String(await readAll(request))), response);
      return;
    }
    const entry = this.entries.get(String(name));
    if (!entry && this.answerVersion(String(name), response)) return;
    if (!entry) {
      if (/^(@ferrows\/|ferrows(\/|$))/.test(String(name))) response.writeHead(404).end('{}');
      else response.writeHead(302, { Location: this.upstream + request.url }).end();
    } else if (file === undefined) {
      response.writeHead(200, { 'Content-Type': 'application/json' });
      response.end(JSON.stringify(this.document(entry)));
    } else {
      this.fetched.push(String(name));
      response.writeHead(entry.tarball ? 200 : 404).end(entry.tarball);
    }
  }

  /**
   * Answers a request for one version: `NAME/VERSION`.
   *
   * @param {string} path
   * @param {import('node:http').ServerResponse} response
   * @returns {boolean} true if the version exists and was sent
   */
  answerVersion(path, response) {
    const [, name, version] = /^(.+)\/([^/]+)$/.exec(path) ?? [];
    const entry = this.entries.get(String(name));
    if (!entry || entry.manifest.version !== version) return false;
    response.writeHead(200, { 'Content-Type': 'application/json' });
    response.end(JSON.stringify(entry.manifest));
    return true;
  }

  /** @param {Entry} entry */
  document({ manifest, tarball }) {
    const { name, version } = manifest;
    const hash = (/** @type {string} */ algorithm) => createHash(algorithm).update(tarball ?? '');
    const dist = {
      tarball: `${this.url}/${name}/-/${name.split('/').at(-1)}-${version}.tgz`,
      shasum: hash('sha1').digest('hex'),
      integrity: `sha512-${hash('sha512').digest('base64')}`
    };
    return {
      _id: name,
      name,
      'dist-tags': { latest: version },
      versions: { [version]: { ...manifest, _id: `${name}@${version}`, dist } },
      time: { [version]: '2026-01-01T00:00:00.000Z' }
    };
  }

  /**
   * @param {string} name
   * @param {any} document body of the request
   * @param {import('node:http').ServerResponse} response
   */
  publish(name, document, response) {
    if (this.refused.has(name) || this.entries.has(name)) {
      response.writeHead(403, { 'Content-Type': 'application/json' });
      response.end(JSON.stringify({ error: 'refused' }));
      return;
    }
    const [manifest] = /** @type {any[]} */ (Object.values(document.versions));
    const [{ data }] = /** @type {any[]} */ (Object.values(document._attachments));
    this.entries.set(name, { manifest, tarball: Buffer.from(data, 'base64') });
    this.published.push(name);
    response.writeHead(201, { 'Content-Type': 'application/json' }).end('{}');
  }
}
