// The plan of the run, derived from the seed alone: the lanes, and for each session of a lane its messages, its end and the
// faults of the network. Client, server and proxy each compute the plan of a session from its number, so that nothing has to be
// exchanged.

import { Random } from './random.mjs';

const KIB = 1024;
const MIB = 1024 * KIB;

/** Session number: lane number times this, plus the number of earlier sessions of the lane. */
export const GENERATIONS = 1_000_000;

/** Lanes, each with one connection at a time: number of the first one, and count. */
export const LANES = {
  /** Never disturbed, straight to the server. */
  healthy: { first: 0, count: 8 },
  /** Clients of the library under test, through the proxy. */
  subject: { first: 100, count: 20 },
  /** Clients of ws, through the proxy. */
  peer: { first: 200, count: 8 },
  /** Clients that write frames themselves, straight to the server. */
  raw: { first: 300, count: 4 }
};

/** Paths of the server, by compression settings. */
export const DEFLATE = {
  none: false,
  takeover: {},
  fresh: { clientNoContextTakeover: true, serverNoContextTakeover: true },
  small: { clientMaxWindowBits: 10, serverMaxWindowBits: 10 }
};

/** Senders that check bufferedAmount pause above this value. */
export const BUFFERED_LIMIT = MIB;

/** Traffic profiles. Counts and sizes are bounds of a random number. */
const PROFILES = {
  chatter: { weight: 20, up: [50, 400], down: [50, 400], size: [0, 600], text: 0.9, pings: 0.02 },
  rush: { weight: 10, up: [3000, 12_000], down: [0, 2000], size: [16, 200], window: 2000 },
  binary: { weight: 14, up: [4, 30], down: [4, 30], size: [KIB, 3 * MIB], text: 0.1 },
  fragments: { weight: 14, up: [20, 120], down: [20, 120], size: [16, 100 * KIB], fragments: 8 },
  deflate: { weight: 16, up: [20, 100], down: [20, 100], size: [100, 300 * KIB], fragments: 3 },
  slow: { weight: 12, up: [5, 60], down: [20, 100], size: [KIB, 200 * KIB], pauses: true },
  pings: { weight: 8, up: [50, 200], down: [50, 200], size: [0, 2 * KIB], pings: 1 },
  pipe: { weight: 8, up: [20, 150], down: [0, 0], size: [1, 150 * KIB], text: 0 }
};

const RAW = {
  talk: { weight: 6, up: [30, 120], size: [0, 20 * KIB] },
  garbage: { weight: 3, up: [5, 40], size: [0, 4 * KIB] },
  flood: { weight: 1, up: [5, 20], size: [0, 4 * KIB] },
  halfway: { weight: 2, up: [0, 0], size: [0, 0] }
};

/** @typedef {{ where: 'handshake' | 'header' | 'payload', frame: number, skip: number }} Target a byte of one direction */

/** @param {Random} random @returns {Target} */
function target(random) {
  const where = random.weigh({ handshake: 2, header: 5, payload: 6 });
  const most = { handshake: 120, header: 1, payload: 50_000 }[where];
  return { where, frame: random.size(0, 60), skip: random.size(0, most) };
}

/**
 * Faults of the network: `shape` selects the segments, `cut` ends the connection, `flip` changes a bit.
 *
 * @param {Random} random
 */
function planFault(random) {
  const directions = /** @type {const} */ (['up', 'down']);
  const shape = random.weigh({
    forward: 25,
    segments: 20,
    bytes: 10,
    delay: 10,
    stall: 20,
    throttle: 15
  });
  const end = random.weigh({ none: 45, reset: 25, fin: 12, half: 8, flip: 10 });
  const direction = random.pick(directions);
  return {
    shape,
    /** Both directions, or one. */
    shaped: random.chance(0.5) ? directions : [direction],
    amount: random.fraction(),
    direction,
    side: random.pick(['client', 'server', 'both']),
    cut: end === 'none' || end === 'flip' ? null : { kind: end, ...target(random) },
    // The request names the session: a changed bit there would mix up two sessions of the test itself.
    flip: end === 'flip' ? flip(target(random), direction, random.whole(0, 7)) : null
  };
}

/** @param {Target} at @param {'up' | 'down'} direction @param {number} bit */
function flip(at, direction, bit) {
  return at.where === 'handshake' && direction === 'up'
    ? { ...at, where: 'header', skip: 0, bit }
    : { ...at, bit };
}

/** @param {Random} random @param {{ up: number[], down?: number[] }} profile @param {boolean} isPipe */
function planEnding(random, { up, down }, isPipe) {
  if (isPipe) return { by: 'client', how: 'close', code: 1005, reason: '', at: Infinity };
  const by = down === undefined ? 'client' : random.pick(['client', 'server']);
  const how = random.weigh({ close: 4, terminate: 1 });
  const most = (by === 'client' ? up : (down ?? up))[1];
  return {
    by,
    how,
    code: how === 'close' ? random.pick([1000, 1001, 3000, 4999]) : 1006,
    reason: how === 'close' ? random.pick(['', 'tschüß', 'ende 🦀']) : '',
    // During the traffic, or after everything has been acknowledged.
    at: random.chance(0.3) ? random.whole(1, most) : Infinity
  };
}

/** @param {number} lane */
export function kindOf(lane) {
  const found = Object.entries(LANES).find(([, l]) => lane >= l.first && lane < l.first + l.count);
  if (!found) throw new RangeError(`there is no lane ${lane}`);
  return /** @type {keyof typeof LANES} */ (found[0]);
}

/**
 * The plan of a session.
 *
 * @param {number} seed
 * @param {number} id of the session
 */
export function planSession(seed, id) {
  const kind = kindOf(Math.floor(id / GENERATIONS));
  const random = new Random(seed, id);
  const common = { seed, id, kind, text: 0.5, pings: 0, fragments: 1, window: 32, pace: 0 };
  const quiet = { echo: false, broadcast: false, pauses: null, deflate: 'none', fault: null };
  if (kind === 'healthy') {
    const ending = { by: 'client', how: 'close', code: 1000, reason: 'healthy', at: Infinity };
    const deflate = random.pick(['none', 'takeover']);
    const own = { profile: 'healthy', echo: true, window: 1, pace: 10, deflate, ending };
    return { ...common, ...quiet, ...own, size: [0, 4 * KIB], up: Infinity, down: 0 };
  }
  const profiles = kind === 'raw' ? RAW : PROFILES;
  const name = random.weigh(
    /** @type {Record<string, number>} */ (
      Object.fromEntries(Object.entries(profiles).map(([key, { weight }]) => [key, weight]))
    )
  );
  const profile = /** @type {any} */ (profiles)[name];
  const own = {
    ...common,
    ...quiet,
    ...profile,
    profile: name,
    up: random.whole(profile.up[0], profile.up[1]),
    down: profile.down ? random.whole(profile.down[0], profile.down[1]) : 0,
    ending: planEnding(random, profile, name === 'pipe')
  };
  if (kind === 'raw') return { ...own, pauses: null };
  return {
    ...own,
    broadcast: name !== 'pipe' && random.chance(0.6),
    pauses: profile.pauses ? { every: random.whole(2, 12), most: random.whole(20, 400) } : null,
    deflate:
      name === 'deflate' || random.chance(0.2)
        ? random.pick(['takeover', 'fresh', 'small'])
        : 'none',
    fault: planFault(random)
  };
}

/** True if the network ends the session before its planned end. @param {ReturnType<typeof planSession>} plan */
export const isBroken = (plan) => Boolean(plan.fault?.cut || plan.fault?.flip);
