// The reports of both ends of each session, compared, and the sums of the run. Used by soak.mjs. A session is judged and
// dropped when both ends have reported.

import { isBroken, planSession } from './plan.mjs';

/**
 * @typedef {{ id: number, code: number, reason: string, errors: string[], problems: string[], buffered: number, callbacks: number, forgotten: number, pings: number, pongs: number, sent: number, acked: number, bytes: number, recorded: number, broadcastsSent: number, broadcastsAcked: number, broadcastsRecorded: number, lost: number, duplicated: number, misordered: number, opened?: boolean }} Record_ an end's report when it has closed
 */

/** Violations kept as text; others are only counted. */
const MOST_KEPT = 100;
const SUMMED = /** @type {const} */ ([
  'sent',
  'acked',
  'recorded',
  'broadcastsSent',
  'broadcastsRecorded',
  'bytes',
  'callbacks',
  'forgotten',
  'pings',
  'pongs'
]);
/** Counters that must be 0 unless a bit was changed. */
const WRONG = /** @type {const} */ (['lost', 'duplicated', 'misordered']);

export class Ledger {
  /** @param {number} seed */
  constructor(seed) {
    this.seed = seed;
    /** @type {Map<number, { client?: Record_, server?: Record_ }>} */
    this.open = new Map();
    /** @type {Record<string, number>} */
    this.sums = Object.fromEntries([...SUMMED, ...WRONG].map((name) => [name, 0]));
    /** @type {Record<string, number>} */
    this.sessions = {};
    this.opened = 0;
    this.refused = 0;
    this.ackedNotRecorded = 0;
    this.survived = 0;
    this.corruptionsDetected = 0;
    /** Clients of ws that did not end by themselves. */
    this.stuck = 0;
    this.violationCount = 0;
    /** @type {string[]} */
    this.violations = [];
  }

  /** @param {string} text */
  violation(text) {
    this.violationCount++;
    if (this.violations.length < MOST_KEPT) this.violations.push(text);
  }

  /** @param {'client' | 'server'} side @param {Record_} record */
  add(side, record) {
    const { id } = record;
    const both = this.open.get(id) ?? {};
    if (both[side]) this.violation(`${id}: the ${side} has ended twice`);
    both[side] = record;
    this.open.set(id, both);
    if (both.client && both.server) {
      this.open.delete(id);
      this.judge(both.client, both.server);
    }
  }

  /** At the end of the run: a session reported by one end only has never opened. */
  finish() {
    for (const [id, { client, server }] of this.open) {
      const plan = planSession(this.seed, id);
      const mayBeUnknown = plan.profile === 'halfway' || !client?.opened;
      if (client && !server && mayBeUnknown) this.refused++;
      else this.violation(`${id}: only the ${server ? 'server' : 'client'} has ended`);
    }
    this.open.clear();
  }

  /** @param {Record_} client @param {Record_} server */
  judge(client, server) {
    const plan = planSession(this.seed, client.id);
    const before = this.violationCount;
    const name = `${plan.id} (${plan.kind} ${plan.profile} ${plan.deflate})`;
    if (client.opened) this.opened++;
    this.sessions[plan.profile] = (this.sessions[plan.profile] ?? 0) + 1;
    for (const [side, record] of Object.entries({ client, server })) {
      for (const key of SUMMED) this.sums[key] += record[key];
      if (plan.fault?.flip) {
        if (record.problems.length > 0) this.corruptionsDetected++;
        // No changed bit on the wire may cause this.
        for (const problem of record.problems.filter((text) => /are not those/.test(text))) {
          this.violation(`${name} ${side}: ${problem}`);
        }
        continue;
      }
      for (const key of WRONG) this.sums[key] += record[key];
      for (const problem of record.problems) this.violation(`${name} ${side}: ${problem}`);
    }
    this.judgeAcknowledged(name, client, server);
    if (plan.profile === 'flood' && plan.up === client.sent && server.code !== 1006) {
      this.violation(`${name}: the flood was not stopped, ${server.code}`);
    }
    if (!isBroken(plan) && client.opened) this.judgeWhole(name, plan, client, server);
    if (isBroken(plan) && this.violationCount === before) this.survived++;
  }

  /** @param {string} name @param {Record_} client @param {Record_} server */
  judgeAcknowledged(name, client, server) {
    for (const [kind, acked, recorded] of /** @type {[string, number, number][]} */ ([
      ['up', client.acked, server.recorded],
      ['down', server.acked, client.recorded],
      ['broadcasts', server.broadcastsAcked, client.broadcastsRecorded]
    ])) {
      if (acked <= recorded) continue;
      this.ackedNotRecorded += acked - recorded;
      this.violation(`${name}: ${acked} acknowledged, ${recorded} arrived, ${kind}`);
    }
  }

  /**
   * An undisturbed session: it ended as planned, and after a closing handshake everything sent before it has arrived.
   *
   * @param {string} name
   * @param {ReturnType<typeof planSession>} plan
   * @param {Record_} client
   * @param {Record_} server
   */
  judgeWhole(name, plan, client, server) {
    if (plan.profile === 'flood' || plan.profile === 'garbage') return;
    const { code, reason, how } = plan.ending;
    const errors = [...client.errors, ...server.errors];
    if (errors.length > 0) this.violation(`${name}: ${errors.join(', ')}`);
    if (client.code !== code || server.code !== code) {
      this.violation(`${name}: closed with ${client.code} and ${server.code}, not with ${code}`);
    }
    if (how !== 'close') return;
    if (plan.kind !== 'raw' && (client.reason !== reason || server.reason !== reason)) {
      this.violation(`${name}: the reasons are '${client.reason}' and '${server.reason}'`);
    }
    for (const [kind, sent, recorded] of /** @type {[string, number, number][]} */ ([
      ['up', client.sent, server.recorded],
      ['down', server.sent, client.recorded],
      ['broadcasts', server.broadcastsSent, client.broadcastsRecorded]
    ])) {
      if (sent !== recorded) this.violation(`${name}: ${sent} sent, ${recorded} arrived, ${kind}`);
    }
    if (client.buffered || server.buffered) {
      this.violation(`${name}: bufferedAmount ${client.buffered}, ${server.buffered} at the end`);
    }
  }
}
