// results.svg: bars of the main workloads, a panel each. Pure: the recorded run in, SVG out. It has a ground of its own,
// so that it can be read on a light page and on a dark one.
import { BASELINE } from '../catalog.mjs';
import { least, median, ratio, values } from './statistics.mjs';

/** Panels in reading order, two a line: the workload, its title, and the figure if it is not CPU a message. */
const PANELS = [
  { workload: 'echo-64-1', title: '64 B echo, 100 connections, 1 in flight' },
  { workload: 'echo-64-16', title: '64 B echo, 100 connections, 16 in flight' },
  { workload: 'echo-16k', title: '16 KiB echo, 100 connections' },
  { workload: 'echo-1m', title: '1 MiB echo, 4 connections' },
  { workload: 'broadcast', title: '64 B broadcast to 200, a delivery' },
  {
    workload: 'echo-64-alone',
    title: '64 B echo, 1 connection: median round trip',
    measure: 'p50'
  },
  { workload: 'tls-1', title: '64 B echo over TLS, 1 in flight' },
  { workload: 'tls-16', title: '64 B echo over TLS, 16 in flight' },
  { workload: 'client-1', title: 'As the client, 1 in flight: client CPU' },
  { workload: 'client-16', title: 'As the client, 16 in flight: client CPU' },
  { workload: 'deflate-2k', title: '2 KiB compressed JSON echo, 50 connections' },
  { workload: 'deflate-broadcast', title: '2 KiB compressed JSON broadcast to 500, a delivery' },
  { workload: 'opening', title: 'Opening and closing a connection' }
];

const PLAIN = { bar: '#9aa7b8', text: '#3d4752', weight: 400 };
/** Bars of a panel: whose, and in which colors. `ws` stands for the faster of its two variants. */
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
const FIGURES = 122;
const LONGEST = PANEL - NAME - FIGURES;
const HEAD = 92;
const PANEL_HEAD = 30;
const LINE = 21;
const BAR = 13;
const PANEL_FOOT = 20;
const FOOT = 46;

const INK = '#1c2430';
const FAINT = '#6b7683';
const FONT = `-apple-system, 'Segoe UI', Roboto, Helvetica, Arial, sans-serif`;

const escape = (text) => String(text).replace(/[&<>"]/g, (c) => `&#${c.codePointAt(0)};`);

const label = (x, y, content, { size = 12, fill = INK, weight = 400, anchor = 'start' } = {}) =>
  `<text x="${x}" y="${y}" font-size="${size}" fill="${fill}" font-weight="${weight}" text-anchor="${anchor}">${escape(content)}</text>`;

/** Three digits say what there is to say. */
const micros = (value) =>
  `${value >= 100 ? Math.round(value).toLocaleString('en') : value.toPrecision(3)} µs`;

/** The bars of a panel that were measured, with their ratio to ws. */
function barsOf(bySubject, measure) {
  const base = bySubject[least(bySubject, SERIES[1].of, measure)];
  return SERIES.flatMap(({ name, of, style }) => {
    const runs = bySubject[least(bySubject, of, measure)];
    if (runs === undefined) return [];
    return { name, style, value: median(values(runs, measure)), share: ratio(runs, base, measure) };
  });
}

function panel({ title, bars, x, y }) {
  const scale = LONGEST / Math.max(...bars.map(({ value }) => value));
  const lines = bars.map(({ name, style, value, share }, index) => {
    const top = y + PANEL_HEAD + index * LINE;
    const base = top + BAR - 2;
    const text = { fill: style.text, weight: style.weight };
    const width = Math.max(2, value * scale).toFixed(1);
    const to = x + NAME + 8 + Number(width);
    return [
      label(x + NAME, base, name, { ...text, anchor: 'end' }),
      `<rect x="${x + NAME + 8}" y="${top}" width="${width}" height="${BAR}" rx="2" fill="${style.bar}"/>`,
      label((to + 6).toFixed(1), base, micros(value), text),
      Number.isFinite(share) && name !== BASELINE
        ? label(x + PANEL, base, `${share.toFixed(2)}×`, { ...text, anchor: 'end' })
        : ''
    ].join('\n');
  });
  return [label(x, y + 14, title, { size: 13.5, weight: 600 }), ...lines].join('\n');
}

/**
 * The chart.
 *
 * @param {object} run as run.mjs records it
 * @returns {string} SVG
 */
export function chart({ date, machine, versions, commit, settings, workloads }) {
  const panels = PANELS.flatMap(({ workload, title, measure = 'cpu' }) => {
    const bars = barsOf(workloads[workload] ?? {}, measure);
    return bars.length ? [{ title, bars }] : [];
  });

  let y = HEAD;
  const drawn = [];
  for (let index = 0; index < panels.length; index += 2) {
    const pair = panels.slice(index, index + 2);
    pair.forEach((one, column) => {
      drawn.push(panel({ ...one, x: MARGIN + column * (PANEL + GAP), y }));
    });
    y += PANEL_HEAD + Math.max(...pair.map(({ bars }) => bars.length)) * LINE + PANEL_FOOT;
  }
  const height = y + FOOT;
  const small = { size: 11, fill: FAINT };
  const peers = Object.values(versions).filter((version) => version !== 'raw epoll echo');
  const title = 'CPU time a message';
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" font-family="${FONT}" role="img">`,
    `<title>${title}: ferrows, ws, uWebSockets.js, Bun and a raw epoll echo</title>`,
    `<rect x="0.5" y="0.5" width="${WIDTH - 1}" height="${height - 1}" rx="8" fill="#ffffff" stroke="#d5dbe2"/>`,
    label(MARGIN, 40, title, { size: 21, weight: 700 }),
    label(
      MARGIN,
      62,
      `Shorter is better. Whole process, user and system; median of ${settings.rounds} interleaved rounds. ` +
        '× is the ratio to ws, the faster of with and without bufferutil.',
      { size: 12.5, fill: FAINT }
    ),
    ...drawn,
    label(
      MARGIN,
      y + 4,
      `${machine}. ${date}, commit ${commit}. "raw epoll" is Rust alone, the limit.`,
      small
    ),
    label(MARGIN, y + 22, `${peers.join(', ')}.`, small),
    '</svg>\n'
  ].join('\n');
}
