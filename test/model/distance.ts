/** The distance of a from b over the length of b, as vectors. */
export function distance(a: readonly number[], b: readonly number[]): number {
  const length = (values: readonly number[]): number => Math.sqrt(values.reduce((sum, x) => sum + x * x, 0));
  return length(a.map((value, i) => value - b[i]!)) / length(b);
}
