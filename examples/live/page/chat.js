// The chat's log on the page: lines, who said them, and what a reconnect adds. page.js feeds it.

const MOST_LINES = 200;
/** Lines of one author within this time share one heading. */
const TOGETHER_MS = 120_000;
/** Nearer to the end than this, the log follows new lines. */
const NEAR_END_PX = 60;

const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });

/** A hue for an author: the same for everybody. */
const hueOf = (author) =>
  [...author].reduce((sum, char) => (sum * 31 + char.charCodeAt(0)) % 360, 7);

function element(tag, className, text) {
  const node = document.createElement(tag);
  node.className = className;
  node.textContent = text;
  return node;
}

/** Shows lines in a list element. All text from the network goes in as text. */
export class Chat {
  #log;
  #empty;
  #me;
  #boot;
  #last;

  /**
   * @param {HTMLElement} log list of lines
   * @param {HTMLElement} empty shown while there is none
   */
  constructor(log, empty) {
    this.#log = log;
    this.#empty = empty;
  }

  /** A connection stands: adds what was said before it, or while there was none. */
  welcome({ boot, author, lines }) {
    if (this.#boot !== undefined && this.#boot !== boot) {
      // Another life of the server: its line numbers have started again.
      this.#append(element('li', 'divider', 'The server has restarted'));
      this.#last = undefined;
    }
    this.#boot = boot;
    this.#me = author;
    const known = this.#last?.id ?? 0;
    for (const line of lines.filter(({ id }) => id > known)) this.add(line);
  }

  /** Adds a line that somebody has said. */
  add(line) {
    const { author, name, text, at } = line;
    const before = this.#last;
    const item = document.createElement('li');
    item.className = author === this.#me ? 'line mine' : 'line';
    item.style.setProperty('--hue', hueOf(author));
    if (before?.author === author && before.name === name && at - before.at < TOGETHER_MS) {
      item.classList.add('continued');
    }

    const time = element('time', 'time', clock.format(at));
    time.dateTime = new Date(at).toISOString();
    const heading = element('div', 'heading', '');
    heading.append(element('span', 'name', name), time);
    const avatar = element('span', 'avatar', [...name][0].toUpperCase());
    avatar.ariaHidden = 'true';
    item.append(avatar, heading, element('p', 'text', text));

    this.#last = line;
    this.#append(item);
  }

  #append(item) {
    const log = this.#log;
    const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < NEAR_END_PX;
    log.append(item);
    while (log.childElementCount > MOST_LINES) log.firstElementChild.remove();
    this.#empty.hidden = true;
    if (atEnd || item.classList.contains('mine')) log.scrollTop = log.scrollHeight;
  }
}
