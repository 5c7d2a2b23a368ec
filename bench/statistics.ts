/** The value that the fraction `q` of a list lies below, interpolated between neighbours; 0.5 is the median. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const place = (sorted.length - 1) * q;
  const lower = sorted[Math.floor(place)];
  if (lower === undefined) throw new RangeError('the quantile of nothing');
  return lower + (sorted[Math.ceil(place)]! - lower) * (place % 1);
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

export function mean(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError('the mean of nothing');
  return values.reduce((a, b) => a + b) / values.length;
}

/** A quotient measured once a round, so that what slows the machine down for a while slows down both sides of it. */
export interface Ratio {
  readonly median: number;
  /** Half of the rounds lie between the quartiles. */
  readonly quartiles: readonly [number, number];
}

/** How many times as fast ours is: `theirs[i] / ours[i]`, both durations of the same round. */
export function speedRatio(ours: readonly number[], theirs: readonly number[]): Ratio {
  if (ours.length !== theirs.length) throw new RangeError('every round needs both sides');
  const ratios = ours.map((duration, i) => theirs[i]! / duration);
  return { median: median(ratios), quartiles: [quantile(ratios, 0.25), quantile(ratios, 0.75)] };
}

/** The median with the quartiles behind it: `1.20 (1.15–1.24)`. */
export function formatRatio({ median, quartiles }: Ratio, unit = ''): string {
  return `${median.toFixed(2)}${unit} (${quartiles.map((value) => value.toFixed(2)).join('–')})`;
}
