/**
 * The prose of a file: comments of sources, paragraphs of Markdown. Used by language.mjs and figures.mjs. No rule belongs here.
 */

import { posix } from 'node:path';

/** @typedef {{ line: number, text: string }} Paragraph `line` is 1-based */

const STRING = /'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`/;
const REGEXP =
  /(?<=(?:^|[(,=:[!&|?{};]|=>|return)\s*)\/(?![*/])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+\//;
const RUST_STRING = /r(#*)"[\s\S]*?"\1|b?"(?:\\[\s\S]|[^"\\])*"|b?'(?:\\.[^']*|[^'\\])'/;
const SLASHES = /\/\*[\s\S]*?\*\/|\/\/.*/;

/** @param {...RegExp} parts */
const either = (...parts) => new RegExp(parts.map(({ source }) => source).join('|'), 'gm');

const JAVASCRIPT = either(SLASHES, REGEXP, STRING);
const RUST = either(SLASHES, RUST_STRING);
const HASH = /(?<=^|\s)#(?!!).*|"""[\s\S]*?"""|'[^'\n]*'|"(?:\\.|[^"\\\n])*"/gm;

/** The token patterns of each language, by file extension. @type {Record<string, RegExp>} */
const TOKENS = {
  ...Object.fromEntries(
    ['js', 'mjs', 'cjs', 'ts', 'mts', 'cts', 'css'].map((ext) => [ext, JAVASCRIPT])
  ),
  ...Object.fromEntries(['sh', 'yml', 'yaml', 'py', 'toml'].map((ext) => [ext, HASH])),
  rs: RUST
};

/** @param {string} name */
const extension = (name) =>
  name === '.ci/run' ? 'sh' : posix.extname(name).slice(1).toLowerCase();

/** True if a file has prose that `paragraphs()` finds. @param {string} name */
export const hasProse = (name) => extension(name) === 'md' || extension(name) in TOKENS;

/** Each comment with its markers; adjacent line comments are one. @param {string} name @param {string} text */
function* comments(name, text) {
  /** @type {Paragraph | undefined} */
  let previous;
  let line = 1;
  let end = 0;
  for (const match of text.matchAll(TOKENS[extension(name)] ?? HASH)) {
    const [token] = match;
    if (!/^(?:\/\/|\/\*|#|""")/.test(token)) continue;
    line += text.slice(end, match.index).split('\n').length - 1;
    end = match.index;
    const alone = /(?:^|\n)[ \t]*$/.test(text.slice(0, match.index));
    const isLine = /^(?:\/\/|#)/.test(token);
    const below = previous && previous.line + previous.text.split('\n').length === line;
    if (previous && isLine && alone && below && /^(?:\/\/|#)/.test(previous.text)) {
      previous.text += `\n${token}`;
      continue;
    }
    if (previous) yield previous;
    previous = { line, text: token };
  }
  if (previous) yield previous;
}

/** Splits plain or Markdown text into paragraphs, list items, headings and table rows. @param {Paragraph} block @returns {Paragraph[]} */
function split({ line, text }) {
  /** @type {Paragraph[]} */
  const found = [];
  let open = false;
  let fenced = false;
  for (const [index, raw] of text.split('\n').entries()) {
    const trimmed = raw.trim();
    if (/^(?:```|~~~)/.test(trimmed)) {
      fenced = !fenced;
      open = false;
    } else if (fenced || trimmed === '') {
      open = false;
    } else if (open && !/^(?:[-*+] |\d+\. |#+ |\||@\w+(?:\s|$)|> )/.test(trimmed)) {
      /** @type {Paragraph} */ (found.at(-1)).text += ` ${trimmed}`;
    } else {
      found.push({ line: line + index, text: trimmed });
      open = !/^(?:#+ |\|)/.test(trimmed);
    }
  }
  return found;
}

/** Removes comment markers, line by line. @param {Paragraph} comment @returns {Paragraph} */
const unmark = ({ line, text }) => ({
  line,
  text: text
    .replace(/\s*\*\/$|"""/g, '')
    .split('\n')
    .map((row) => row.replace(/^\s*(?:\/\*+!?|\*(?= |$)|\/\/[/!]?|#+)/, ''))
    .join('\n')
});

/**
 * The paragraphs of a file: of its comments, or of the whole if it is Markdown. Code blocks are left out; the name and type of a
 * JSDoc tag are, too.
 *
 * @param {string} name the extension counts
 * @param {string} text
 * @returns {Paragraph[]}
 */
export function paragraphs(name, text) {
  const isMarkdown = extension(name) === 'md';
  const blocks = isMarkdown ? [{ line: 1, text }] : [...comments(name, text)].map(unmark);
  return blocks.flatMap(split).flatMap(({ line, text: paragraph }) => {
    const parts = isMarkdown ? [paragraph] : paragraph.split(/(?=(?<!\S)@\w+ )/);
    return parts
      .filter((part) => !/^@(?:type|import|template|extends|implements)\b/.test(part))
      .map((part) => ({
        line,
        text: part
          .replace(
            /^@[\w-]+\s*(?:\{(?:[^{}]|\{[^{}]*\})*\}\s*)?(?:(?<=^@(?:param|property)\b.*)\S+\s*)?/,
            ''
          )
          .trim()
      }))
      .filter((part) => part.text !== '');
  });
}
