/**
 * Hosts that forbid external buffers, as Electron does: the functions of Node-API that create them fail. They are made to fail
 * in Node: a copy of the addon has their names changed, so that it does not find them, and a call reports this on standard
 * error and returns an error. The results must be the same, without any such call.
 *
 * Electron itself is not tried: the package `electron` downloads its binary during installation.
 */

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { conversation } from './expected.mjs';
import { addon, folder, node, run, TIME_LIMIT } from './programs.mjs';

/** All functions of Node-API that hand memory of the addon to JavaScript. */
const EXTERNAL = ['napi_create_external_buffer', 'napi_create_external_arraybuffer'];
/** A function that the addon does call. */
const CALLED = 'napi_create_buffer_copy';

const NOT_FOUND = /Node-API symbol (\w+) has not been loaded/;

describe(
  'functions of Node-API that fail',
  { skip: process.platform === 'darwin' && 'a changed addon would have to be signed again' },
  () => {
    /** @type {string} */
    let copies;
    before(() => {
      copies = mkdtempSync(join(folder, 'addons-'));
    });
    after(() => rmSync(copies, { recursive: true }));

    /**
     * Runs the conversation with a copy of the addon that does not find some functions.
     *
     * @param {string[]} names
     * @param {string} transport
     */
    function converseWithout(names, transport) {
      const bytes = readFileSync(addon());
      for (const name of names) {
        const place = bytes.indexOf(`\0${name}\0`);
        assert.notEqual(place, -1, `${name} is not in the addon: is it linked in another way?`);
        bytes.write('X', place + name.length, 'latin1');
      }
      const copy = join(copies, `${names[0]}-${transport}.node`);
      writeFileSync(copy, bytes);
      return run(node, ['require.cjs'], {
        FERROWS_TRANSPORT: transport,
        NAPI_RS_NATIVE_LIBRARY_PATH: copy
      });
    }

    for (const transport of ['stream', 'event_loop', 'io_threads']) {
      test(`no external buffers, ${transport}`, TIME_LIMIT, async () => {
        const { code, stdout, stderr } = await converseWithout(EXTERNAL, transport);
        assert.deepEqual({ code, stderr }, { code: 0, stderr: '' });
        assert.deepEqual(JSON.parse(stdout), conversation(transport));
      });
    }

    test('a called function is noticed', TIME_LIMIT, async () => {
      const { code, stderr } = await converseWithout([CALLED], 'stream');
      assert.notEqual(code, 0);
      assert.equal(NOT_FOUND.exec(stderr)?.[1], CALLED, stderr);
    });
  }
);
