/** The way a name is read when it is compared: `batch_size`, `Batch-Size` and `batchSize` are one. */
function bare(name: string): string {
  return name.toLowerCase().replaceAll(/[-_ ]/g, '');
}

/** Letters to insert, delete, replace or swap with their neighbour to make `b` of `a` (optimal string alignment). */
function distance(a: string, b: string): number {
  let before: number[] = [];
  let above = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const replaced = above[column - 1]! + (a[row - 1] === b[column - 1] ? 0 : 1);
      let least = Math.min(replaced, above[column]! + 1, current[column - 1]! + 1);
      if (row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]) {
        least = Math.min(least, before[column - 2]! + 1);
      }
      current.push(least);
    }
    [before, above] = [above, current];
  }
  return above[b.length]!;
}

/** The candidate that `name` was probably meant to be, or undefined where none is near: at most a third of it wrong. */
export function nearestName(name: string, candidates: readonly string[]): string | undefined {
  const wanted = bare(name.slice(0, 64));
  let best: string | undefined;
  let least = Math.max(1, Math.floor(wanted.length / 3)) + 1;
  for (const candidate of candidates) {
    const wrong = distance(wanted, bare(candidate));
    if (wrong < least) [best, least] = [candidate, wrong];
  }
  return best;
}
