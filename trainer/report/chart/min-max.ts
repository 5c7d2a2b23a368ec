export interface Point {
  readonly x: number;
  readonly y: number;
}

interface Column {
  first: Point;
  least: Point;
  greatest: Point;
  last: Point;
}

/**
 * Thins a long series so that a line through what is left looks the same at a width of so many columns: of each column
 * it keeps the first, the least, the greatest and the last point (M4, Jugel et al. 2014). All points that it gives are
 * points of the series, and no peak is lost. Points come one at a time, in ascending order of x, and aren't kept.
 */
export class MinMaxSampler {
  readonly #from: number;
  readonly #to: number;
  readonly #columns: Column[] = [];
  readonly #count: number;

  /** For x in [from, to], by `count` columns; what lies outside goes to the first or the last one. */
  constructor(from: number, to: number, count: number) {
    this.#from = from;
    this.#to = to;
    this.#count = count;
  }

  add(x: number, y: number): void {
    const point = { x, y };
    const place = Math.floor(((x - this.#from) / (this.#to - this.#from || 1)) * this.#count);
    const index = Math.min(this.#count - 1, Math.max(0, place));
    const column = this.#columns[index];
    if (column === undefined) {
      this.#columns[index] = { first: point, least: point, greatest: point, last: point };
      return;
    }
    if (y < column.least.y) column.least = point;
    if (y > column.greatest.y) column.greatest = point;
    column.last = point;
  }

  /** In ascending order of x. */
  points(): Point[] {
    // Object.values leaves out the columns without any point.
    return Object.values(this.#columns).flatMap(({ first, least, greatest, last }) =>
      [...new Set([first, least, greatest, last])].sort((a, b) => a.x - b.x),
    );
  }
}
