import { UMAP } from 'umap-js';

import { CounterRandom } from '../../random.ts';
import type { Point } from '../chart/min-max.ts';
import type { Neighbours } from './neighbours.ts';

/** Neighbours that UMAP joins an image with; its authors' default. */
export const mapNeighbours = 15;

/** Fewer images than this are no map. */
const fewest = 8;

/**
 * A place in the plane for each image, near images near each other: UMAP (McInnes et al. 2018) on cosine distances. The
 * same neighbours give the same map. Distances between groups mean little, and the axes nothing.
 */
export function mapOf({ indices, similarities }: Neighbours): readonly Point[] | undefined {
  const n = indices.length;
  if (n < fewest) return undefined;
  const random = new CounterRandom(0);
  // UMAP counts each image as the first of its own neighbours.
  const nNeighbors = Math.min(mapNeighbours, indices[0]!.length - 1) + 1;
  const umap = new UMAP({ nComponents: 2, nNeighbors, minDist: 0.15, random: () => random.uniform() });
  umap.setPrecomputedKNN(
    indices.map((nearest, i) => [i, ...nearest.slice(0, nNeighbors - 1)]),
    similarities.map((nearest) => [0, ...nearest.slice(0, nNeighbors - 1).map((value) => Math.max(0, 1 - value))]),
  );
  // It only counts the vectors, since the neighbours are known.
  return umap.fit(indices.map(() => [0])).map(([x, y]) => ({ x: x!, y: y! }));
}
