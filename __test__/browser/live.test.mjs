// The live example in a real browser: Chromium's WebSocket against our server, observed through the page. Waits for changes of
// the page only. Fails without Chromium.
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';

import { chromium } from 'playwright-core';

import { chromiumFlags as FLAGS, chromiumPath } from './chromium.mjs';
import { LiveServer } from './server.mjs';

describe('the live example', { timeout: 120_000 }, () => {
  let browser;
  let context;
  let server;
  let faults;

  before(async () => {
    browser = await chromium.launch({
      executablePath: chromiumPath(),
      headless: true,
      args: FLAGS
    });
    server = await LiveServer.start();
  });

  after(async () => {
    await browser?.close();
    await server?.end('SIGKILL');
  });

  beforeEach(async () => {
    await context?.close();
    context = await browser.newContext();
    faults = [];
    context.on('weberror', (fault) => faults.push(fault.error()));
    context.on('console', (message) => {
      // Chromium logs each refused connection, and the tests that end the server cause some.
      if (message.type() === 'error' && !message.text().includes('ERR_CONNECTION_REFUSED')) {
        faults.push(message.text());
      }
    });
  });

  /** Opens a tab, names it and waits until it is connected. */
  async function open(name) {
    const page = await context.newPage();
    await page.goto(server.url);
    await page.fill('#name', name);
    await connected(page);
    return page;
  }

  const connected = (page) => page.waitForSelector('#state[data-state=open]');
  const said = (page, name, text) =>
    page
      .locator('.line', { has: page.locator('.name', { hasText: name }) })
      .filter({ hasText: text })
      .waitFor();
  async function say(page, text) {
    await page.fill('#text', text);
    await page.press('#text', 'Enter');
  }
  /** Waits until a chart has drawn that many more values. */
  async function moved(page, id, more) {
    const figure = page.locator(`#${id}`);
    const from = Number((await figure.getAttribute('data-samples')) ?? 0);
    await page.waitForFunction(
      ([selector, count]) => Number(document.querySelector(selector).dataset.samples) >= count,
      [`#${id}`, from + more]
    );
  }
  const text = (page, id) => page.locator(`#${id} .value`).textContent();

  test('two tabs chat, and a reloaded one shows the messages', async () => {
    const ada = await open('Ada');
    const bob = await open('Bob');

    await say(ada, 'Good morning, Bob');
    await said(bob, 'Ada', 'Good morning, Bob');
    await said(ada, 'Ada', 'Good morning, Bob');
    assert.equal(await ada.locator('.line.mine').count(), 1);
    assert.equal(await bob.locator('.line.mine').count(), 0);
    await say(bob, 'Grüße, <b>Ada</b> \u{1f44b}');
    await said(ada, 'Bob', 'Grüße, <b>Ada</b> \u{1f44b}');

    await bob.reload();
    await said(bob, 'Ada', 'Good morning, Bob');
    await said(bob, 'Bob', 'Grüße, <b>Ada</b> \u{1f44b}');
    assert.equal(await bob.locator('.line').count(), 2);
    assert.equal(await bob.locator('.line.mine').count(), 1, 'own lines are still known as own');
    assert.equal(await bob.inputValue('#name'), 'Bob');
    assert.deepEqual(faults, []);
  });

  test('counters, echo and their charts move', async () => {
    const page = await open('Ada');
    const other = await open('Bob');
    const figures = ['round-trip', 'connections', 'messages', 'delay'];
    await Promise.all(figures.map((id) => moved(page, id, 2)));

    assert.equal(await text(page, 'connections'), '2');
    assert.ok(Number(await text(page, 'messages')) > 0, 'messages were counted');
    assert.ok(Number(await text(page, 'round-trip')) > 0, 'an echo took time');
    assert.ok(Number(await text(page, 'delay')) >= 0);
    for (const id of figures) {
      const drawn = page.locator(`#${id} .trace`);
      const path = await drawn.getAttribute('d');
      assert.match(path, /^M[\d.]+ [\d.]+L/);
      await moved(page, id, 1);
      assert.notEqual(await drawn.getAttribute('d'), path, `the chart of ${id} moves`);
    }

    await other.close();
    await page.waitForFunction(
      () => document.querySelector('#connections .value').textContent === '1'
    );
    assert.deepEqual(faults, []);
  });

  test('the page comes back after the server was killed and started again', async () => {
    const page = await open('Ada');
    await say(page, 'before the crash');
    await said(page, 'Ada', 'before the crash');

    await server.end('SIGKILL');
    await page.locator('#state[data-state=waiting]', { hasText: 'Reconnecting' }).waitFor();
    assert.equal(await page.isDisabled('#send'), true);

    server = await LiveServer.start(server.port);
    await connected(page);
    await page.waitForSelector('.divider');
    await say(page, 'after the crash');
    await said(page, 'Ada', 'after the crash');
    await page.locator('.line', { hasText: 'before the crash' }).waitFor();
    await moved(page, 'round-trip', 1);
    assert.deepEqual(faults, []);
  });

  test('SIGTERM ends the server cleanly and the page waits for the next one', async () => {
    const page = await open('Ada');
    assert.deepEqual(await server.end('SIGTERM'), [0, null]);
    await page.waitForSelector('#retry:not([hidden])');

    server = await LiveServer.start(server.port);
    await connected(page);
    assert.deepEqual(faults, []);
  });
});
