// Benchmark figures have one source, bench/results.json. The generated files must match it, and no other page may state figures of its own.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { WORKLOADS, SUBJECTS } from '../../bench/catalog.mjs';
import { chart } from '../../bench/report/chart.mjs';
import { BEGIN, END, performancePage, withHeadline } from '../../bench/report/page.mjs';
import { addRun, allWorkloads, runOf, toText } from '../../bench/report/results.mjs';
import { documents, parts, read } from './markdown.mjs';

const HINT = 'run: node bench/run.mjs --from bench/results.json';
const PERFORMANCE = 'doc/performance.md';
const results = JSON.parse(read('bench/results.json'));

test('the figures in README.md are generated from bench/results.json', () => {
  assert.equal(withHeadline(read('README.md'), results), read('README.md'), HINT);
});

test('doc/performance.md is generated from bench/results.json', () => {
  assert.equal(performancePage(results), read(PERFORMANCE), HINT);
});

test('bench/results.svg is generated from bench/results.json', () => {
  assert.equal(chart(results), read('bench/results.svg'), HINT);
});

test('bench/results.json has one line per record and a known subject and workload in each', () => {
  assert.equal(toText(results), read('bench/results.json'), HINT);
  const workloads = new Set(WORKLOADS.map(({ name }) => name));
  const subjects = new Set([...SUBJECTS.map(({ name }) => name), 'ferrows/before']);
  for (const { commit, date, machine, workloads: measured } of results.runs) {
    assert.ok(commit && date && machine);
    for (const [workload, bySubject] of Object.entries(measured)) {
      assert.ok(workloads.has(workload), workload);
      for (const subject of Object.keys(bySubject)) assert.ok(subjects.has(subject), subject);
    }
  }
});

test('a new run replaces the workloads that it measured, and no others', () => {
  const [workload, kept] = Object.keys(results.runs[0].workloads);
  const bySubject = { ws: { cpu: [1, 2] } };
  const run = { ...results.runs[0], commit: 'new', workloads: { [workload]: bySubject } };
  const updated = addRun(results, run);
  assert.equal(allWorkloads(updated)[workload], bySubject);
  assert.equal(runOf(updated, workload), run);
  assert.deepEqual(allWorkloads(updated)[kept], allWorkloads(results)[kept]);
  assert.notDeepEqual(performancePage(updated), performancePage(results));
});

/** Ratios such as 0.59x, and times per message or connection. */
const FIGURE =
  /\b\d+(?:\.\d+)?(?:x|×)(?=[\s,.;)|])|\b\d+(?:\.\d+)? ?(?:us|µs) (?:a|per) (?:message|delivery|connection)/g;

/** @param {string} document; @returns {string} its prose outside the generated block */
function ownProse(document) {
  const { prose } = parts(read(document));
  const begin = prose.indexOf(BEGIN);
  return begin < 0 ? prose : prose.slice(0, begin) + prose.slice(prose.indexOf(END));
}

for (const document of documents.filter((name) => ![PERFORMANCE, 'CHANGELOG.md'].includes(name))) {
  test(`benchmark figures in ${document} are only those of the generated block`, () => {
    assert.deepEqual(ownProse(document).match(FIGURE) ?? [], [], `link to ${PERFORMANCE} instead`);
  });
}
