// A process with clients of the soak: each lane opens one connection after the other, following the plan. Started by soak.mjs
// with the seed, the ports of server and proxy, and the kinds of lanes; subject.cjs selects the library.

import { createRequire } from 'node:module';
import { PipeClient } from './pipes.mjs';
import { DEFLATE, GENERATIONS, LANES, planSession } from './plan.mjs';
import { RawEnd } from './raw.mjs';
import { End } from './traffic.mjs';

const { WebSocket, createWebSocketStream } = createRequire(import.meta.url)('../subject.cjs');
const [seed, port, proxyPort] = process.argv.slice(2, 5).map(Number);
const kinds = process.argv.slice(5);

/** Milliseconds of silence on an undisturbed connection that count as a violation. */
const STUCK = 30_000;
/** True if these are clients of ws. */
const isOracle = process.env.FERROWS_SUBJECT === 'ws';
/** Maximum pause between two connections of a lane, in milliseconds. */
const BREATH = 40;

const tell = (/** @type {object} */ message) => process.send?.(message);

let isFinishing = false;

class Lane {
  /** @param {number} number */
  constructor(number) {
    this.session = number * GENERATIONS;
    this.start();
  }

  start() {
    const plan = planSession(seed, this.session);
    const isDirect = plan.kind === 'healthy' || plan.kind === 'raw';
    const url = `ws://127.0.0.1:${isDirect ? port : proxyPort}/${plan.deflate}?s=${plan.id}`;
    const done = (/** @type {object} */ record) => this.done(record);
    if (plan.kind === 'raw') {
      this.end = new RawEnd(url, plan, done);
      return;
    }
    const violation = (/** @type {string} */ text) => {
      tell({ type: 'violation', text: `${plan.id} client: ${text}` });
    };
    const perMessageDeflate = /** @type {Record<string, object | boolean>} */ (DEFLATE)[
      plan.deflate
    ];
    const ws = new WebSocket(url, { perMessageDeflate });
    ws.on('open', () => {
      this.hasOpened = true;
      this.end?.pump();
    });
    this.hasOpened = false;
    if (plan.profile === 'pipe') this.end = new PipeClient(ws, plan, done, createWebSocketStream);
    else this.end = new End(ws, plan, 'client', done, violation);
  }

  /** @param {object} record */
  done(record) {
    const opened = this.end instanceof RawEnd || this.hasOpened;
    tell({ type: 'record', side: 'client', record: { ...record, opened } });
    this.end = undefined;
    this.session++;
    if (!isFinishing) this.timer = setTimeout(() => this.start(), (this.session * 7) % BREATH);
    else settle();
  }

  finish() {
    clearTimeout(this.timer);
    this.end?.finish();
    if (this.end && !(this.end instanceof RawEnd) && !this.hasOpened) this.end.ws.terminate();
  }

  /** @param {number} now */
  look(now) {
    if (!this.end || now - this.end.progress < STUCK) return;
    const { plan } = this.end;
    this.end.progress = now;
    const state =
      this.end instanceof End
        ? `state ${this.end.ws.readyState}, closed ${this.end.closes} times, ${this.end.callbacks.outstanding} callbacks missing`
        : '';
    // After a fault, a client of ws occasionally never emits the end of its socket.
    tell({
      type: isOracle && plan.fault ? 'stuck' : 'violation',
      text: `${plan.id}: stuck, ${plan.profile} by ${plan.kind}, ${state}`
    });
    if (this.end instanceof RawEnd) this.end.terminate();
    else this.end.ws.terminate();
  }
}

const lanes = kinds.flatMap((kind) => {
  const { first, count } = /** @type {Record<string, { first: number, count: number }>} */ (LANES)[
    kind
  ];
  return Array.from({ length: count }, (_, index) => new Lane(first + index));
});

const watch = setInterval(() => {
  const now = performance.now();
  for (const lane of lanes) lane.look(now);
}, 1000);

/** The process ends with the last lane. */
function settle() {
  if (lanes.some(({ end }) => end)) return;
  clearInterval(watch);
  tell({ type: 'settled' });
  process.disconnect();
}

process.on('message', (command) => {
  if (command !== 'finish') return;
  isFinishing = true;
  for (const lane of lanes) lane.finish();
  settle();
});
process.on('disconnect', () => {
  if (!isFinishing) process.exit(1);
});
