import { CounterRandom, purpose } from '../random.ts';
import type { Dataset } from './dataset.ts';

/**
 * A part of a labelled set with the same fraction of each class, at least one image of it: indices in order. Drawn from
 * (seed, class), so that a smaller fraction is a part of a larger one.
 * @param fraction (0, 1]
 */
export function labelledPart(
  dataset: Pick<Dataset, 'size' | 'classes' | 'label'>,
  fraction: number,
  seed: number,
): Int32Array {
  const members = dataset.classes.map((): number[] => []);
  for (let index = 0; index < dataset.size; index++) members[dataset.label(index)]?.push(index);
  const chosen = members.flatMap((images, number) => {
    const order = new CounterRandom(seed, purpose.subset, number).permutation(images.length);
    const count = images.length === 0 ? 0 : Math.max(1, Math.round(fraction * images.length));
    return Array.from(order.subarray(0, count), (position) => images[position]!);
  });
  return Int32Array.from(chosen).sort();
}
