/**
 * Moves labels apart: the places nearest to the wanted ones (in any order) at which no two are closer than `gap`, within
 * [from, to] as long as there is room.
 */
export function dodge(wanted: readonly number[], gap: number, from: number, to: number): number[] {
  const order = wanted.map((place, index) => ({ place, index })).sort((a, b) => a.place - b.place);
  const placed: number[] = [];
  for (const { place } of order) placed.push(Math.max(place, (placed.at(-1) ?? from - gap) + gap));
  let limit = to;
  for (let i = placed.length - 1; i >= 0; i--) {
    placed[i] = Math.max(from, Math.min(placed[i]!, limit));
    limit = placed[i]! - gap;
  }
  const result: number[] = [];
  order.forEach(({ index }, i) => (result[index] = placed[i]!));
  return result;
}
