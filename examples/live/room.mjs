// The chat: members, limits, and the last lines for new members. server.mjs passes text messages to it and sends its replies. No
// sockets and no formatting of JSON.
import { createHash, randomUUID } from 'node:crypto';

/** Maximum size of a message of a client, in bytes. */
export const MAX_PAYLOAD = 4096;

const MAX_NAME = 24;
const MAX_TEXT = 500;
const MAX_KEY = 64;
const HISTORY = 50;
/** Rate limit of a member: a burst of this many messages, and this many per second on average. */
const BURST = 5;
const PER_SECOND = 2;

/** Returns a line of plain text: trimmed, truncated, without control and bidirectional formatting characters. */
function plain(value, max) {
  if (typeof value !== 'string') return '';
  const cleaned = value.replace(/[\p{Cc}\p{Cs}\u2028-\u202e\u2066-\u2069]+/gu, ' ').trim();
  return [...cleaned].slice(0, max).join('');
}

/** Returns the public id for a key: stable across reloads, and not usable as the key. */
const authorOf = (key) => createHash('sha256').update(key).digest('base64url').slice(0, 12);

const refusal = (reason) => ({ reply: { type: 'refused', reason } });

/** The chat room of all clients. */
export class Room {
  /** Identifies this run of the server: line ids restart with it. */
  #boot = randomUUID();
  #lines = [];
  #lastId = 0;

  /** Creates a member without a name. */
  enter() {
    return { author: undefined, name: undefined, allowance: BURST, since: performance.now() };
  }

  /**
   * Handles a text message of a member.
   *
   * @returns {{ reply?: object, line?: object }} a reply to the member, and a line for all members
   */
  handle(member, text) {
    let message;
    try {
      message = JSON.parse(text);
    } catch {
      return refusal('The message is not valid JSON.');
    }
    if (!this.#isWithinLimit(member)) return refusal('Too many messages. Wait a moment.');
    switch (message?.type) {
      case 'join':
        return this.#join(member, message);
      case 'say':
        return this.#say(member, message);
      default:
        return refusal('The message type is unknown.');
    }
  }

  #isWithinLimit(member) {
    const now = performance.now();
    const earned = ((now - member.since) / 1000) * PER_SECOND;
    member.allowance = Math.min(BURST, member.allowance + earned);
    member.since = now;
    if (member.allowance < 1) return false;
    member.allowance -= 1;
    return true;
  }

  /** Sets the name of a member. The first time, replies with the last lines. */
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
    const cleaned = plain(text, MAX_TEXT);
    if (cleaned === '') return refusal('The message is empty.');
    this.#lastId += 1;
    const { author, name } = member;
    const line = { id: this.#lastId, author, name, text: cleaned, at: Date.now() };
    this.#lines.push(line);
    if (this.#lines.length > HISTORY) this.#lines.shift();
    return { line };
  }
}
