/** Median of a list that isn't empty; the mean of the middle two when they are even in number. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle];
  if (upper === undefined) throw new RangeError('the median of nothing');
  return sorted.length % 2 === 1 ? upper : (sorted[middle - 1]! + upper) / 2;
}

/** A quotient measured once a round, so that what slows the machine down for a while slows down both sides of it. */
export interface Ratio {
  readonly median: number;
  readonly lowest: number;
  readonly highest: number;
}

/** How many times as fast ours is: `theirs[i] / ours[i]`, both durations of the same round. */
export function speedRatio(ours: readonly number[], theirs: readonly number[]): Ratio {
  if (ours.length !== theirs.length) throw new RangeError('every round needs both sides');
  const ratios = ours.map((duration, i) => theirs[i]! / duration);
  return { median: median(ratios), lowest: Math.min(...ratios), highest: Math.max(...ratios) };
}
