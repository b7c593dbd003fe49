/** Imports between the files of src and of lib. Used by figures.mjs. */

import { posix } from 'node:path';

/** @typedef {Map<string, string>} Files texts by paths below the root */
/** @typedef {Map<string, Set<string>>} Graph the files that each file imports */

/** True for Rust that only tests compile. @param {string} name */
const isRustTest = (name) => /^tests\/|\/tests?\/|\/tests?\.rs$/.test(name);

/** Imports between files of lib. @param {Files} files @returns {Graph} */
export function libGraph(files) {
  const names = [...files.keys()].filter((name) => name.startsWith('lib/'));
  return new Map(
    names.map((name) => {
      const targets = [...String(files.get(name)).matchAll(/require\('(\.[^']*)'\)/g)].flatMap(
        ([, to = '']) => {
          const path = posix.join(posix.dirname(name), to);
          return [path, `${path}.js`, `${path}/index.js`].filter((file) => files.has(file));
        }
      );
      return [name, new Set(targets)];
    })
  );
}

/** The paths of a `use` tree without its braces. @param {string} tree @returns {string[]} */
function expand(tree) {
  const match = /^([^{]*)\{([^]*)\}$/.exec(tree.trim());
  if (!match) return [tree.trim().replace(/\s+as\s+\w+$/, '')];
  const [, prefix = '', inner = ''] = match;
  let depth = 0;
  const parts = [''];
  for (const char of inner) {
    depth += Number(char === '{') - Number(char === '}');
    if (char === ',' && depth === 0) parts.push('');
    else parts[parts.length - 1] += char;
  }
  return parts.filter((part) => part.trim() !== '').flatMap((part) => expand(prefix + part.trim()));
}

/** Imports between files of src, through re-exports, without tests. @param {Files} files @returns {Graph} */
export function rustGraph(files) {
  /** @param {string} name */
  const moduleOf = (name) =>
    name
      .replace(/^src\/|\.rs$/g, '')
      .replace(/(?:^|\/)(?:mod|lib)$/, '')
      .split('/')
      .filter(Boolean);
  /** @type {Map<string, string>} */
  const fileOf = new Map();
  for (const name of files.keys()) {
    if (/^src\/.*\.rs$/.test(name) && !isRustTest(name))
      fileOf.set(moduleOf(name).join('::'), name);
  }
  /** @type {Map<string, string[][]>} absolute paths by file */
  const uses = new Map();
  /** @type {Map<string, string[]>} the path of a name that a file has from elsewhere, by `file name` */
  const names = new Map();
  for (const [module, name] of fileOf) {
    const text = String(files.get(name))
      .replace(/#\[cfg\(test\)\]\s*mod \w+ \{[^]*$/, '')
      .replace(/\/\/.*/g, '');
    /** @param {string} path */
    const absolute = (path) => {
      const [first = '', ...rest] = path.split('::');
      const here = module === '' ? [] : module.split('::');
      if (first === 'crate') return rest;
      if (first === 'super')
        return rest[0] === 'super'
          ? [...here.slice(0, -2), ...rest.slice(1)]
          : [...here.slice(0, -1), ...rest];
      return first === 'self' ? [...here, ...rest] : [...here, first, ...rest];
    };
    /** @type {string[][]} */
    const found = [];
    for (const [, isPublic, tree = ''] of text.matchAll(
      /^\s*(pub(?:\([^)]*\))? )?use ([^;]+);/gm
    )) {
      for (const path of expand(tree.replace(/\s+/g, ' '))) {
        names.set(`${name} ${path.split('::').at(-1)}`, absolute(path));
        if (!isPublic) found.push(absolute(path));
      }
    }
    const rest = text.replace(/^\s*(?:pub(?:\([^)]*\))? )?use [^;]+;/gm, '');
    for (const [path] of rest.matchAll(/\b(?:crate|super|self)(?:::\w+)+/g))
      found.push(absolute(path));
    uses.set(name, found);
  }
  /** The file that defines a path. @param {string[]} path @param {number} [hops] @returns {string | undefined} */
  const resolve = (path, hops = 0) => {
    for (let length = path.length; length >= 0; length -= 1) {
      const file = fileOf.get(path.slice(0, length).join('::'));
      if (file === undefined) continue;
      const forwarded = names.get(`${file} ${path[length]}`);
      return forwarded && hops < 5
        ? (resolve([...forwarded, ...path.slice(length + 1)], hops + 1) ?? file)
        : file;
    }
    return undefined;
  };
  return new Map(
    [...uses].map(([name, paths]) => [
      name,
      new Set(
        paths
          .flatMap((path) => resolve(path) ?? [])
          .filter((to) => to !== name && to !== 'src/lib.rs')
      )
    ])
  );
}

/** Groups of files that import each other, directly or not. @param {Graph} graph */
export function circles(graph) {
  /** @param {string} from */
  const reached = (from) => {
    const seen = new Set();
    const open = [from];
    for (let name = open.pop(); name !== undefined; name = open.pop()) {
      const targets = [...(graph.get(name) ?? [])].filter((to) => !seen.has(to));
      for (const to of targets) seen.add(to);
      open.push(...targets);
    }
    return seen;
  };
  const all = new Map([...graph.keys()].map((name) => [name, reached(name)]));
  const groups = new Map();
  for (const [name, seen] of all) {
    if (!seen.has(name)) continue;
    const group = [...seen].filter((to) => all.get(to)?.has(name)).sort();
    groups.set(group.join(', '), group);
  }
  return [...groups.values()];
}
