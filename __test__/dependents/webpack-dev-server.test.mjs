/**
 * webpack-dev-server: hot updates over a server without a port of its own (noServer), as in Vite, whose copy of ws is
 * bundled with it and cannot be replaced.
 */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { assertOverridden, Inbox, require, TIME_LIMIT, WebSocket } from './dependents.mjs';

const webpack = require('webpack');
const WebpackDevServer = require('webpack-dev-server');

describe('webpack-dev-server', () => {
  let folder;
  let entry;
  let compiler;
  let server;
  let origin;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'ferrows-webpack-'));
    entry = join(folder, 'entry.js');
    writeFileSync(entry, 'console.log("before");\n');
    compiler = webpack({
      mode: 'development',
      devtool: false,
      context: folder,
      entry,
      output: { path: join(folder, 'dist'), filename: 'bundle.js' },
      infrastructureLogging: { level: 'error' },
      stats: 'none'
    });
    server = new WebpackDevServer(
      {
        host: '127.0.0.1',
        port: 0,
        hot: true,
        // The test is the client.
        client: false,
        static: false,
        setupExitSignals: false,
        webSocketServer: 'ws'
      },
      compiler
    );
    const built = new Promise((resolve) => {
      compiler.hooks.done.tap('test', resolve);
    });
    await server.start();
    await built;
    origin = `127.0.0.1:${server.server.address().port}`;
  });

  after(async () => {
    await server.stop();
    await new Promise((resolve) => {
      compiler.close(resolve);
    });
    rmSync(folder, { recursive: true });
  });

  /** A client that parses its messages. */
  function connect(options) {
    const ws = new WebSocket(`ws://${origin}/ws`, options);
    const inbox = new Inbox();
    ws.on('message', (data) => inbox.put(JSON.parse(data)));
    return { ws, inbox };
  }

  /** Reads until a message of a type. */
  async function hear({ inbox }, type) {
    for (;;) {
      const message = await inbox.next();
      if (message.type === type) return message;
    }
  }

  test('gets the subject as ws', TIME_LIMIT, (context) => {
    assertOverridden(context, 'webpack-dev-server');
    assert.ok(server.webSocketServer.implementation instanceof WebSocket.WebSocketServer);
  });

  test('clients are told of a rebuild', TIME_LIMIT, async () => {
    const clients = [
      connect({ origin: `http://${origin}` }),
      connect({ origin: `http://${origin}` })
    ];
    const hashes = [];
    for (const client of clients) {
      assert.deepEqual(await client.inbox.next(), { type: 'hot' });
      hashes.push((await hear(client, 'hash')).data);
      await hear(client, 'ok');
    }
    assert.equal(hashes[0], hashes[1]);

    writeFileSync(entry, 'console.log("after");\n');
    for (const client of clients) {
      // webpack may already be rebuilding, because the file is new, and and reported `invalid` before the client connected.
      let hash;
      do hash = (await hear(client, 'hash')).data;
      while (hash === hashes[0]);
      await hear(client, 'ok');
    }
    const response = await fetch(`http://${origin}/bundle.js`, {
      headers: { connection: 'close' }
    });
    assert.match(await response.text(), /after/);

    const [one, other] = clients;
    // The server pings; ws has answered.
    await once(one.ws, 'ping');
    const closed = once(one.ws, 'close');
    one.ws.close();
    await closed;
    server.sendMessage(server.webSocketServer.clients, 'static-changed', 'a file');
    assert.deepEqual(await hear(other, 'static-changed'), {
      type: 'static-changed',
      data: 'a file'
    });
    const ended = once(other.ws, 'close');
    other.ws.close();
    await ended;
  });

  test('a page of another origin is refused', TIME_LIMIT, async () => {
    const client = connect({ origin: 'http://example.com' });
    const closed = once(client.ws, 'close');
    assert.deepEqual(await client.inbox.next(), {
      type: 'error',
      data: 'Invalid Host/Origin header'
    });
    assert.equal((await closed)[0], 1005);
  });

  test('stopping terminates clients', TIME_LIMIT, async () => {
    const client = connect({ origin: `http://${origin}` });
    await hear(client, 'ok');
    const closed = once(client.ws, 'close');
    await server.stop();
    assert.equal((await closed)[0], 1006);
  });
});
