// The log of the chat: shows lines and their authors. page.js calls it.

const MOST_LINES = 200;
/** Lines of an author within this time share a heading. */
const TOGETHER_MS = 120_000;
/** The log scrolls to new lines if it is this close to its end. */
const NEAR_END_PX = 60;

const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });

/** Returns the hue of an author, the same on all pages. */
const hueOf = (author) =>
  [...author].reduce((sum, char) => (sum * 31 + char.charCodeAt(0)) % 360, 7);

function element(tag, className, text) {
  const node = document.createElement(tag);
  node.className = className;
  node.textContent = text;
  return node;
}

/** Shows lines in a list element. Text from the network is only set as textContent. */
export class Chat {
  #log;
  #empty;
  #me;
  #boot;
  #last;

  /**
   * @param {HTMLElement} log list of lines
   * @param {HTMLElement} empty shown while the list is empty
   */
  constructor(log, empty) {
    this.#log = log;
    this.#empty = empty;
  }

  /** Adds the lines of a new connection that are not shown yet. */
  welcome({ boot, author, lines }) {
    if (this.#boot !== undefined && this.#boot !== boot) {
      // The server has restarted, and so have the ids of lines.
      this.#append(element('li', 'divider', 'The server has restarted'));
      this.#last = undefined;
    }
    this.#boot = boot;
    this.#me = author;
    const known = this.#last?.id ?? 0;
    for (const line of lines.filter(({ id }) => id > known)) this.add(line);
  }

  /** Adds a line. */
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
