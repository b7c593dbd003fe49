/**
 * Random changes to inputs, and shrinking of a failing input. An input is a JSON value: its strings are mostly bytes as
 * Latin-1, its numbers select among a target's alternatives. The format of a target's texts is known by the dictionary only.
 */

/** @typedef {import('./random.mjs').Random} Random */
/** @typedef {null | boolean | number | string | any[] | Record<string, any>} Json */

/** Delimiters and control characters of header fields. */
const SPECIAL = '\t\r\n ,;="\\:()/?#@%[]\0\x7f\x80\xe9\xff';
/** Maximum length of a text. */
const LONGEST = 4096;

/**
 * Changes a text in one place.
 *
 * @param {string} text
 * @param {Random} random
 * @param {readonly string[]} dictionary words of the format
 * @param {string} other a text to copy a piece from
 * @returns {string}
 */
export function mutateText(text, random, dictionary, other) {
  const at = random.below(text.length + 1);
  const end = Math.min(text.length, at + 1 + random.below(random.pick([1, 4, 16, 64])));
  const before = text.slice(0, at);
  const piece = text.slice(at, end);
  const after = text.slice(end);
  switch (random.below(9)) {
    case 0:
      return before + after;
    case 1:
      return before + piece.repeat(2 + random.below(3)) + after;
    case 2:
      return before + random.pick(SPECIAL) + after;
    case 3:
      return before + random.pick(SPECIAL) + piece + after;
    case 4:
      return before + String.fromCharCode(random.below(random.pick([128, 256]))) + after;
    case 5:
      return before + flipCase(piece) + after;
    case 6:
      return before + random.pick(dictionary) + after;
    case 7:
      return before + random.pick(dictionary) + piece + after;
    default: {
      const from = random.below(other.length + 1);
      return before + other.slice(from, from + 1 + random.below(32)) + after;
    }
  }
}

/** @param {string} text */
const flipCase = (text) => (text === text.toLowerCase() ? text.toUpperCase() : text.toLowerCase());

/** A place in an input that can be changed. @typedef {{ holder: any, key: any }} Place */

/**
 * @param {Json} value
 * @param {Place} place of the value
 * @param {Place[]} [places] added to
 * @returns {Place[]} every place of the value, itself first
 */
function placesOf(value, place, places = []) {
  places.push(place);
  if (typeof value === 'object' && value !== null) {
    for (const [key, element] of Object.entries(value)) {
      placesOf(element, { holder: value, key: Array.isArray(value) ? Number(key) : key }, places);
    }
  }
  return places;
}

/**
 * Changes a copy of an input in a few places.
 *
 * @param {Json} input
 * @param {Random} random
 * @param {readonly string[]} dictionary
 * @param {Json} other another input of the target
 * @returns {Json}
 */
export function mutate(input, random, dictionary, other) {
  const root = { input: structuredClone(input) };
  const texts = placesOf(other, { holder: { other }, key: 'other' })
    .map(({ holder, key }) => holder[key])
    .filter((value) => typeof value === 'string');
  for (let times = 1 + random.below(random.pick([1, 3, 6])); times > 0; times--) {
    const { holder, key } = random.pick(placesOf(root.input, { holder: root, key: 'input' }));
    const value = holder[key];
    if (typeof value === 'string') {
      const donor = texts.length > 0 ? random.pick(texts) : '';
      holder[key] = mutateText(value, random, dictionary, donor).slice(0, LONGEST);
    } else if (typeof value === 'number') {
      holder[key] = random.oneIn(8) ? random.pick([-1, 0.5, 256]) : random.below(24);
    } else if (typeof value === 'boolean') {
      holder[key] = !value;
    } else if (Array.isArray(value)) {
      mutateList(value, random);
    }
  }
  return root.input;
}

/**
 * @param {any[]} list changed
 * @param {Random} random
 */
function mutateList(list, random) {
  if (list.length === 0) return;
  const from = random.below(list.length);
  const to = random.below(list.length);
  switch (random.below(3)) {
    case 0:
      list.splice(from, 1);
      break;
    case 1:
      if (list.length < 16) list.splice(to, 0, structuredClone(list[from]));
      break;
    default:
      [list[from], list[to]] = [list[to], list[from]];
  }
}

/**
 * Shrinks a failing input while it fails: removes pieces of texts and elements of lists.
 *
 * @param {Json} input
 * @param {(input: Json) => Promise<boolean>} fails
 * @param {number} tries at most
 * @returns {Promise<Json>}
 */
export async function shrink(input, fails, tries) {
  let smallest = input;
  for (let progress = true; progress;) {
    progress = false;
    for (const candidate of smallerOnes(smallest)) {
      if (tries-- <= 0) return smallest;
      if (await fails(candidate)) {
        smallest = candidate;
        progress = true;
        break;
      }
    }
  }
  return smallest;
}

/**
 * @param {Json} input
 * @returns {Generator<Json>} copies with a piece removed, large pieces first
 */
function* smallerOnes(input) {
  const count = placesOf(input, { holder: null, key: null }).length;
  for (let size = LONGEST * 4; size >= 1; size = Math.floor(size / 2)) {
    for (let index = 0; index < count; index++) {
      const value = placeIn({ input }, index);
      const { length } = value.holder[value.key] ?? '';
      if (!(length >= size)) continue;
      for (let at = 0; at + size <= length; at += size) {
        const root = { input: structuredClone(input) };
        const { holder, key } = placeIn(root, index);
        if (Array.isArray(holder[key])) holder[key].splice(at, size);
        else holder[key] = holder[key].slice(0, at) + holder[key].slice(at + size);
        yield root.input;
      }
    }
  }
}

/**
 * @param {{ input: Json }} root
 * @param {number} index
 * @returns {Place}
 */
const placeIn = (root, index) => placesOf(root.input, { holder: root, key: 'input' })[index];
