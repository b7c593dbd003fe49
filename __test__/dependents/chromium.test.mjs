/** puppeteer-core and chrome-remote-interface: Chromium driven over its DevTools protocol. */

import assert from 'node:assert/strict';
import { pbkdf2Sync } from 'node:crypto';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import { chromiumFlags as FLAGS, chromiumPath } from '../browser/chromium.mjs';
import { assertOverridden, close, listen, load, require, WebSocket } from './dependents.mjs';

const CDP = require('chrome-remote-interface');

/** Milliseconds, enough for Chromium to start on few cores. */
const SLOW = { timeout: 30_000 };

/** Larger than a frame's length in two bytes, and than any buffer in between. */
const LENGTH = 3_000_000;

const builds = { cjs: require('puppeteer-core'), esm: await load('puppeteer-core') };

test('get the subject as ws', (context) => {
  assertOverridden(context, 'puppeteer-core', 'chrome-remote-interface');
});

describe('Chromium', () => {
  let browser;
  let endpoint;

  before(async () => {
    browser = await builds.cjs.launch({
      executablePath: chromiumPath(),
      headless: true,
      args: FLAGS
    });
    endpoint = browser.wsEndpoint();
  }, SLOW);

  after(async () => {
    await browser?.close();
  }, SLOW);

  for (const [name, puppeteer] of Object.entries(builds)) {
    test(`puppeteer-core, ${name}`, SLOW, async () => {
      const mine = await puppeteer.connect({ browserWSEndpoint: endpoint });
      const page = await mine.newPage();
      await page.setContent(
        '<button onclick="double(21).then((n) => this.textContent = n)">?</button>'
      );
      await page.exposeFunction('double', (number) => number * 2);
      await page.click('button');
      await page.waitForFunction(() => document.querySelector('button').textContent === '42');
      const text = '🦀'.repeat(LENGTH / 4);
      assert.equal(await page.evaluate((value) => value + value, text), text + text);
      const picture = Buffer.from(await page.screenshot());
      assert.equal(picture.toString('latin1', 1, 4), 'PNG');
      await assert.rejects(page.evaluate('throw new Error("from the page")'), /from the page/);
      await page.close();
      await mine.disconnect();
      assert.equal(mine.connected, false);
    });
  }

  test('puppeteer-core, refused', SLOW, async () => {
    const { server, port } = await listen();
    server.on('upgrade', (_request, socket) => socket.end('HTTP/1.1 403 Forbidden\r\n\r\n'));
    await assert.rejects(
      builds.cjs.connect({ browserWSEndpoint: `ws://127.0.0.1:${port}/` }),
      (event) => event.message === 'Unexpected server response: 403'
    );
    await close(server);
  });

  test('chrome-remote-interface', SLOW, async () => {
    const { hostname: host, port } = new URL(endpoint);
    const target = await CDP.New({ host, port });
    const client = await CDP({ host, port, target });
    assert.ok(client._ws instanceof WebSocket);
    const { Runtime, Page } = client;
    await Promise.all([Runtime.enable(), Page.enable()]);
    const spoken = Runtime.consoleAPICalled();
    const loaded = Page.loadEventFired();
    await Page.navigate({ url: 'data:text/html,<script>console.log("hello", 7)</script>' });
    await loaded;
    assert.deepEqual(
      (await spoken).args.map(({ value }) => value),
      ['hello', 7]
    );
    const { result } = await Runtime.evaluate({
      expression: `new Promise((resolve) => resolve("ü".repeat(${LENGTH})))`,
      awaitPromise: true
    });
    assert.equal(result.value, 'ü'.repeat(LENGTH));
    await assert.rejects(client.send('Nothing.atAll'), /wasn't found/);
    // Its send() callback records the pending answer, so it must come before the answer, even if this thread is so busy that it
    // finds both at once.
    for (let number = 0; number < 50; number++) {
      const answer = Runtime.evaluate({ expression: `${number} + 1` });
      setImmediate(() => pbkdf2Sync('', '', 5000, 16, 'sha256'));
      assert.equal((await answer).result.value, number + 1);
    }
    const gone = once(client, 'disconnect');
    await CDP.Close({ host, port, id: target.id });
    await gone;

    const second = await CDP({ host, port, target: endpoint });
    assert.match((await second.Browser.getVersion()).product, /Chrom/);
    await second.close();
  });

  test('a page as the client of a server', SLOW, async () => {
    const { server, port } = await listen();
    const wss = new WebSocket.WebSocketServer({ server });
    wss.on('connection', (ws) => ws.on('message', (data, binary) => ws.send(data, { binary })));
    const page = await browser.newPage();
    const seen = await page.evaluate(async (url) => {
      const ws = new globalThis.WebSocket(url);
      ws.binaryType = 'arraybuffer';
      const event = (type) =>
        new Promise((resolve) => ws.addEventListener(type, resolve, { once: true }));
      await event('open');
      ws.send('ü'.repeat(100_000));
      const text = (await event('message')).data;
      ws.send(new Uint8Array(200_000).fill(7));
      const bytes = new Uint8Array((await event('message')).data);
      ws.close(3000, 'bye');
      const { code, reason, wasClean } = await event('close');
      const { extensions } = ws;
      return {
        text: text.length,
        bytes: bytes.filter((byte) => byte === 7).length,
        code,
        reason,
        wasClean,
        extensions
      };
    }, `ws://127.0.0.1:${port}`);
    assert.deepEqual(seen, {
      text: 100_000,
      bytes: 200_000,
      code: 3000,
      reason: 'bye',
      wasClean: true,
      extensions: ''
    });
    await page.close();
    wss.close();
    await close(server);
  });
});
