// The chart results.svg: a section per kind of figure, a panel per workload, a bar per subject. Pure: results in, SVG out. It has its
// own background, so that it is readable on light and dark pages.
import { BASELINE } from '../catalog.mjs';
import { allWorkloads, runOf } from './results.mjs';
import { least, median, ratio, values } from './statistics.mjs';

/** Sections in reading order, and their panels, two per line. `measure` is the key of the figure. */
const SECTIONS = [
  {
    title: 'CPU time per message',
    measure: 'cpu',
    panels: [
      ['echo-64-1', '64 B echo, 100 connections, 1 in flight'],
      ['echo-64-16', '64 B echo, 100 connections, 16 in flight'],
      ['echo-16k', '16 KiB echo, 100 connections'],
      ['echo-1m', '1 MiB echo, 4 connections'],
      ['broadcast', '64 B broadcast to 200, per delivery'],
      ['deflate-broadcast', '2 KiB compressed broadcast to 500, per delivery'],
      ['deflate-2k', '2 KiB compressed JSON echo, 50 connections'],
      ['tls-1', '64 B echo over TLS, 1 in flight'],
      ['tls-16', '64 B echo over TLS, 16 in flight'],
      ['client-1', 'Client, 64 B, 1 in flight'],
      ['client-16', 'Client, 64 B, 16 in flight']
    ]
  },
  {
    title: 'Round trip (median)',
    measure: 'p50',
    panels: [['echo-64-alone', '64 B echo, 1 connection']]
  },
  {
    title: 'CPU time per connection',
    measure: 'cpu',
    panels: [
      ['opening', 'Opening and closing'],
      ['opening-1', 'Opening and closing, with one echo']
    ]
  },
  {
    title: 'Memory per idle connection',
    measure: 'growth',
    panels: [
      ['idle-8000', '8,000 idle connections'],
      ['deflate-memory', '2,000 idle connections, permessage-deflate']
    ]
  }
];

const PLAIN = { bar: '#9aa7b8', text: '#3d4752', weight: 400 };
/** Bars of a panel, with their colors. `ws` is the faster of its two variants. */
const SERIES = [
  {
    name: 'ferrows',
    of: ['ferrows/auto'],
    style: { bar: '#d1541f', text: '#a83c10', weight: 700 }
  },
  { name: 'ws', of: [BASELINE, 'ws+bufferutil'], style: PLAIN },
  { name: 'uWebSockets.js', of: ['uWebSockets.js'], style: PLAIN },
  { name: 'Bun', of: ['Bun'], style: PLAIN },
  {
    name: 'raw epoll',
    of: ['raw epoll'],
    style: { bar: '#dbe1e8', text: '#6b7683', weight: 400 }
  }
];

/** Lengths in pixels. */
const WIDTH = 960;
const MARGIN = 28;
const GAP = 40;
const PANEL = (WIDTH - 2 * MARGIN - GAP) / 2;
const NAME = 106;
const FIGURES = 126;
const LONGEST_BAR = PANEL - NAME - FIGURES;
const SECTION_HEAD = 44;
const PANEL_HEAD = 30;
const LINE = 21;
const BAR = 13;
const PANEL_FOOT = 20;
const TEXT_LINE = 16;

const INK = '#1c2430';
const FAINT = '#6b7683';
const FONT = `-apple-system, 'Segoe UI', Roboto, Helvetica, Arial, sans-serif`;

/** Characters of 11 px that fit in the width of the chart, with fonts wider than the usual ones. */
const LINE_LENGTH = 140;

const escape = (text) => String(text).replace(/[&<>"]/g, (c) => `&#${c.codePointAt(0)};`);

const label = (x, y, content, { size = 12, fill = INK, weight = 400, anchor = 'start' } = {}) =>
  `<text x="${x}" y="${y}" font-size="${size}" fill="${fill}" font-weight="${weight}" text-anchor="${anchor}">${escape(content)}</text>`;

/** Breaks a text into lines that fit. */
function wrapped(text) {
  const lines = [''];
  for (const word of text.split(' ')) {
    if (lines.at(-1).length + word.length >= LINE_LENGTH) lines.push('');
    lines[lines.length - 1] = `${lines.at(-1)} ${word}`.trimStart();
  }
  return lines;
}

/** Formats a figure with three digits. */
function format(value, measure) {
  if (measure === 'growth') {
    const kib = value / 1024;
    return `${kib < 10 ? kib.toFixed(1) : kib.toPrecision(3)} KiB`;
  }
  return `${value >= 100 ? Math.round(value).toLocaleString('en') : value.toPrecision(3)} µs`;
}

/** The measured bars of a panel, with their ratio to ws. */
function barsOf(bySubject, measure) {
  const ws = SERIES.find(({ name }) => name === BASELINE);
  const base = bySubject[least(bySubject, ws.of, measure)];
  return SERIES.flatMap(({ name, of, style }) => {
    const record = bySubject[least(bySubject, of, measure)];
    if (record === undefined) return [];
    return {
      name,
      style,
      value: median(values(record, measure)),
      share: ratio(record, base, measure)
    };
  });
}

function panel({ title, bars, measure, x, y }) {
  const scale = LONGEST_BAR / Math.max(...bars.map(({ value }) => value));
  const lines = bars.map(({ name, style, value, share }, index) => {
    const top = y + PANEL_HEAD + index * LINE;
    const base = top + BAR - 2;
    const text = { fill: style.text, weight: style.weight };
    const width = Math.max(2, value * scale).toFixed(1);
    const to = x + NAME + 8 + Number(width);
    return [
      label(x + NAME, base, name, { ...text, anchor: 'end' }),
      `<rect x="${x + NAME + 8}" y="${top}" width="${width}" height="${BAR}" rx="2" fill="${style.bar}"/>`,
      label((to + 6).toFixed(1), base, format(value, measure), text),
      Number.isFinite(share) && name !== BASELINE
        ? label(x + PANEL, base, `${share.toFixed(2)}×`, { ...text, anchor: 'end' })
        : ''
    ].join('\n');
  });
  return [label(x, y + 14, title, { size: 13.5, weight: 600 }), ...lines].join('\n');
}

/** The panels of a section that were measured, from `y` down. */
function section({ title, measure, panels }, workloads, y) {
  const known = panels.flatMap(([workload, name]) => {
    const bars = barsOf(workloads[workload] ?? {}, measure);
    return bars.length ? [{ title: name, bars }] : [];
  });
  if (known.length === 0) return { drawn: [], height: 0 };
  const drawn = [label(MARGIN, y + 20, title, { size: 19, weight: 700 })];
  let height = SECTION_HEAD;
  for (let index = 0; index < known.length; index += 2) {
    const pair = known.slice(index, index + 2);
    pair.forEach((one, column) => {
      drawn.push(panel({ ...one, measure, x: MARGIN + column * (PANEL + GAP), y: y + height }));
    });
    height += PANEL_HEAD + Math.max(...pair.map(({ bars }) => bars.length)) * LINE + PANEL_FOOT;
  }
  return { drawn, height };
}

/**
 * Draws the chart.
 *
 * @param {object} results of results.json
 * @returns {string} SVG
 */
export function chart(results) {
  const workloads = allWorkloads(results);
  const drawn = [];
  let y = MARGIN;
  for (const one of SECTIONS) {
    const { drawn: parts, height } = section(one, workloads, y);
    drawn.push(...parts);
    y += height;
  }

  const shown = SECTIONS.flatMap(({ panels }) => panels.map(([workload]) => workload));
  const runs = [...new Set(shown.map((workload) => runOf(results, workload)).filter(Boolean))];
  const versions = new Set(runs.flatMap((run) => Object.values(run.versions)));
  const notes = [
    'Shorter is better. Medians over interleaved rounds; CPU time of the whole process, user and system. × is the ratio to ws, the ' +
      'faster of with and without bufferutil. "raw epoll" is a Rust echo server without JavaScript: the lower bound.',
    `${runs.map(({ commit, date, machine }) => `Commit ${commit}, ${date}, ${machine}`).join('. ')}.`,
    `${[...versions].join(', ')}.`
  ].flatMap(wrapped);
  for (const note of notes) {
    drawn.push(label(MARGIN, y + 8, note, { size: 11, fill: FAINT }));
    y += TEXT_LINE;
  }

  const height = y + MARGIN - 8;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" font-family="${FONT}" role="img">`,
    '<title>CPU time per message, round trip, and cost of connections: ferrows, ws, uWebSockets.js, Bun, raw epoll</title>',
    `<rect x="0.5" y="0.5" width="${WIDTH - 1}" height="${height - 1}" rx="8" fill="#ffffff" stroke="#d5dbe2"/>`,
    ...drawn,
    '</svg>\n'
  ].join('\n');
}
