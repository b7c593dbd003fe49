// A figure of the page: a number, and a chart of the last minute. page.js calls it.

const SAMPLES = 60;
const SVG = 'http://www.w3.org/2000/svg';
/** Margin for the width of the line and the dot at its end. */
const MARGIN = 5;

/** Draws into a `.figure` element that holds `.value`, `.note` and an `svg`. */
export class Figure {
  #values = [];
  #pointed;
  #format;
  #root;
  #value;
  #note;
  #svg;
  #area = document.createElementNS(SVG, 'path');
  #line = document.createElementNS(SVG, 'path');
  #dot = document.createElementNS(SVG, 'circle');

  /**
   * @param {HTMLElement} root
   * @param {(value: number) => string} format a value as text, without its unit
   */
  constructor(root, format) {
    this.#root = root;
    this.#format = format;
    this.#value = root.querySelector('.value');
    this.#note = root.querySelector('.note span');
    this.#svg = root.querySelector('svg');
    this.#area.classList.add('area');
    this.#line.classList.add('trace');
    this.#dot.classList.add('dot');
    this.#svg.append(this.#area, this.#line, this.#dot);

    this.#svg.addEventListener('pointermove', (event) => {
      const { left, width } = this.#svg.getBoundingClientRect();
      this.#pointed = Math.round((1 - (event.clientX - left) / width) * (SAMPLES - 1));
      this.#draw();
    });
    this.#svg.addEventListener('pointerleave', () => {
      this.#pointed = undefined;
      this.#draw();
    });
    new ResizeObserver(() => this.#draw()).observe(this.#svg);
  }

  /**
   * Adds the value of this second.
   *
   * @param {number | null} value null: no value, a gap in the line
   */
  push(value) {
    this.#values.push(value);
    if (this.#values.length > SAMPLES) this.#values.shift();
    this.#value.textContent = value === null ? '\u2013' : this.#format(value);
    this.#root.dataset.samples = String(Number(this.#root.dataset.samples ?? 0) + 1);
    this.#draw();
  }

  #draw() {
    const { clientWidth: width, clientHeight: height } = this.#svg;
    const known = this.#values.filter((value) => value !== null);
    if (known.length === 0 || width === 0) return;

    // The axis begins at zero, so that noise is not magnified.
    const top = Math.max(...known) || 1;
    const x = (age) => MARGIN + (1 - age / (SAMPLES - 1)) * (width - 2 * MARGIN);
    const y = (value) => height - 1 - (value / top) * (height - 1 - MARGIN);
    const points = this.#values.map((value, index) => {
      const age = this.#values.length - 1 - index;
      return value === null ? null : { age, value, x: x(age), y: y(value) };
    });

    const { line, area } = outline(points, height);
    this.#line.setAttribute('d', line);
    this.#area.setAttribute('d', area);

    const shown = points.find((point) => point?.age === this.#pointed);
    const marked = shown ?? points.findLast((point) => point !== null);
    this.#dot.setAttribute('r', 3.5);
    this.#dot.setAttribute('cx', marked.x);
    this.#dot.setAttribute('cy', marked.y);

    const { unit } = this.#root.dataset;
    const [least, most] = [Math.min(...known), Math.max(...known)].map(this.#format);
    const range = least === most ? most : `${least} to ${most}`;
    this.#note.textContent = shown
      ? `${this.#format(shown.value)} ${unit}, ${shown.age} s ago`
      : `${range} ${unit}`;
    this.#svg.setAttribute('aria-label', `Last minute: ${this.#note.textContent}`);
  }
}

/** Returns SVG path data for the line and the area under it, with gaps for missing points. */
function outline(points, height) {
  let line = '';
  let area = '';
  let previous = null;
  for (const point of [...points, null]) {
    if (point !== null) {
      const at = `${point.x.toFixed(1)} ${point.y.toFixed(1)}`;
      line += previous === null ? `M${at}` : `L${at}`;
      area += previous === null ? `M${point.x.toFixed(1)} ${height}L${at}` : `L${at}`;
    } else if (previous !== null) {
      area += `L${previous.x.toFixed(1)} ${height}Z`;
    }
    previous = point;
  }
  return { line, area };
}
