/** Parses the documents of this repository into code blocks, headings and links, as GitHub does. Used by the tests in this folder. */

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../..', import.meta.url));

/** Paths of all files that are tracked or not ignored, relative to the root. */
export const files = execFileSync(
  'git',
  ['ls-files', '--cached', '--others', '--exclude-standard', '-z'],
  { cwd: root, encoding: 'utf8' }
)
  .split('\0')
  .filter(Boolean);

/** The Markdown files among them. */
export const documents = files.filter((name) => name.endsWith('.md'));

/** @param {string} name path relative to the root */
export const read = (name) => readFileSync(join(root, name), 'utf8');

/**
 * Parts a document into prose and blocks of code.
 *
 * @param {string} text
 * @returns {{ prose: string, blocks: { kind: string, code: string, line: number }[] }} `kind` is the word after the
 *   fence, `line` the line of the fence; blocks that are only indented have the kind `indented`
 */
export function parts(text) {
  /** @type {{ kind: string, code: string, line: number }[]} */
  const blocks = [];
  const prose = [];
  /** @type {{ fence: string, indent: number, kind: string, lines: string[], line: number } | undefined} */
  let open;
  /** The largest indentation of a line that is not code. */
  let allowed = 3;
  let before = '';
  for (const [index, line] of text.split('\n').entries()) {
    const fence = /^( *)(```+|~~~+)\s*(\S*)/.exec(line);
    if (open) {
      if (fence?.[2].startsWith(open.fence) && fence[3] === '') {
        blocks.push({ kind: open.kind, code: `${open.lines.join('\n')}\n`, line: open.line });
        open = undefined;
      } else {
        open.lines.push(line.slice(Math.min(open.indent, line.search(/\S|$/))));
      }
    } else if (fence) {
      const [, { length: indent }, mark, kind] = fence;
      open = { fence: mark, indent, kind, lines: [], line: index + 1 };
    } else {
      const indent = line.search(/\S/);
      if (indent > allowed && before === '') {
        blocks.push({ kind: 'indented', code: `${line.trim()}\n`, line: index + 1 });
      } else {
        prose.push(line);
        // The content of a list item is indented as far as its text.
        const item = /^ *(?:[-*+]|\d+\.) +/.exec(line);
        if (item) allowed = item[0].length + 3;
        else if (indent === 0) allowed = 3;
      }
    }
    before = line.trim();
  }
  if (open) blocks.push({ kind: 'unclosed', code: '', line: open.line });
  return { prose: prose.join('\n'), blocks };
}

/** A code span, which contains no links. */
const SPAN = /(`+)(?!`)(.*?)(?<!`)\1(?!`)/gs;

/**
 * Returns the code spans of a document.
 *
 * @param {string} prose
 */
export const spans = (prose) => [...prose.matchAll(SPAN)].map(([, , code]) => code.trim());

/**
 * Returns the anchors of the headings of a document.
 *
 * @param {string} prose
 * @returns {Set<string>}
 */
export function anchors(prose) {
  const names = new Set();
  for (const [, heading] of prose.matchAll(/^#{1,6} +(.+?)(?: +#+)?$/gm)) {
    const name = heading
      .replace(/!?\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replace(/[^\p{L}\p{M}\p{N}\p{Pc} -]/gu, '')
      .replaceAll(' ', '-');
    let unique = name;
    for (let count = 1; names.has(unique); count += 1) unique = `${name}-${count}`;
    names.add(unique);
  }
  for (const [, name] of prose.matchAll(/<a (?:id|name)="([^"]+)"/g)) names.add(name);
  return names;
}

/**
 * Returns the targets of links and images of a document.
 *
 * @param {string} prose
 * @returns {string[]}
 */
export function links(prose) {
  const text = prose.replace(SPAN, (span) => '`'.repeat(span.length));
  const inline = /\]\(\s*<?([^)\s>]*)>?(?:\s+"[^"]*")?\s*\)/g;
  const definition = /^ {0,3}\[[^\]]+\]:\s+<?(\S+?)>?(?:\s+"[^"]*")?$/gm;
  const automatic = /<((?:https?|mailto):[^>\s]+)>/g;
  const html = /<(?:a|img)\s[^>]*?(?:href|src)="([^"]*)"/g;
  return [inline, definition, automatic, html].flatMap((pattern) =>
    [...text.matchAll(pattern)].map(([, target]) => target)
  );
}

/**
 * Returns reference links without a definition in the document.
 *
 * @param {string} prose
 * @returns {string[]}
 */
export function undefinedNames(prose) {
  const text = prose.replace(SPAN, (span) => '`'.repeat(span.length));
  const defined = new Set(
    [...text.matchAll(/^ {0,3}\[([^\]]+)\]:\s/gm)].map(([, name]) => name.toLowerCase())
  );
  // Not the optional arguments of a signature: `[data[, mask]][, callback]`.
  return [...text.matchAll(/\[([^\][,]+)\]\[([^\][,]*)\]/g)]
    .map(([, label, name]) => (name || label).toLowerCase())
    .filter((name) => !defined.has(name));
}
