// The chat: who is in the room, what may be said, and the last lines for newcomers. server.mjs hands it the text
// messages and sends what it answers; sockets and JSON on the way out do not belong here.
import { createHash, randomUUID } from 'node:crypto';

/** The largest message a client may send, in bytes. */
export const MAX_PAYLOAD = 4096;

const MAX_NAME = 24;
const MAX_TEXT = 500;
const MAX_KEY = 64;
const HISTORY = 50;
/** A member may say this many things at once, and this many a second in the long run. */
const BURST = 5;
const PER_SECOND = 2;

/** One line of plain text: no control or direction-changing characters, no space around it, cut to a length. */
function plain(value, max) {
  if (typeof value !== 'string') return '';
  const cleaned = value.replace(/[\p{Cc}\p{Cs}\u2028-\u202e\u2066-\u2069]+/gu, ' ').trim();
  return [...cleaned].slice(0, max).join('');
}

/** The public id of whoever holds a key: the same after a reload, and of no use to anybody else. */
const authorOf = (key) => createHash('sha256').update(key).digest('base64url').slice(0, 12);

const refusal = (reason) => ({ reply: { type: 'refused', reason } });

/** The room all clients are in. */
export class Room {
  /** Names this life of the server: line numbers start again when it restarts. */
  #boot = randomUUID();
  #lines = [];
  #said = 0;

  /** A newcomer, not known by name yet. */
  enter() {
    return { author: undefined, name: undefined, allowance: BURST, since: performance.now() };
  }

  /**
   * Takes one text message of a member.
   *
   * @returns {{ reply?: object, line?: object }} what to tell the member, and a line to tell everybody
   */
  hear(member, text) {
    let message;
    try {
      message = JSON.parse(text);
    } catch {
      return refusal('That is not JSON.');
    }
    if (!this.#afford(member)) return refusal('Not so fast.');
    switch (message?.type) {
      case 'join':
        return this.#join(member, message);
      case 'say':
        return this.#say(member, message);
      default:
        return refusal('Nothing is known by that type.');
    }
  }

  #afford(member) {
    const now = performance.now();
    const earned = ((now - member.since) / 1000) * PER_SECOND;
    member.allowance = Math.min(BURST, member.allowance + earned);
    member.since = now;
    if (member.allowance < 1) return false;
    member.allowance -= 1;
    return true;
  }

  /** Gives a member a name, or another one; the first time also what was said before. */
  #join(member, { name, key }) {
    const wanted = plain(name, MAX_NAME);
    if (wanted === '') return refusal('A name is needed.');
    if (typeof key !== 'string' || key === '' || key.length > MAX_KEY) {
      return refusal('A key is needed.');
    }
    const isNew = member.author === undefined;
    member.name = wanted;
    if (!isNew) return {};
    member.author = authorOf(key);
    return {
      reply: { type: 'welcome', boot: this.#boot, author: member.author, lines: this.#lines }
    };
  }

  #say(member, { text }) {
    if (member.author === undefined) return refusal('Join first.');
    const said = plain(text, MAX_TEXT);
    if (said === '') return refusal('There is nothing in that.');
    this.#said += 1;
    const { author, name } = member;
    const line = { id: this.#said, author, name, text: said, at: Date.now() };
    this.#lines.push(line);
    if (this.#lines.length > HISTORY) this.#lines.shift();
    return { line };
  }
}
