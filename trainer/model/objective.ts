import type { AblationSpec } from '../../api/run.ts';
import { tf, type Tensor } from '../tensorflow/tfjs.ts';
import { crossEntropy, negativeCosine, type Similarity, stopGradient } from './similarity.ts';

/** Which view's prediction is compared with which view's projection. */
type Pairs = readonly (readonly [from: number, to: number])[];

const pairsOf = {
  symmetric: [
    [0, 1],
    [1, 0],
  ],
  asymmetric: [[0, 1]],
  asymmetric2x: [
    [0, 1],
    [2, 3],
  ],
} as const satisfies Record<AblationSpec['symmetry'], Pairs>;

const similarities = { cosine: negativeCosine, crossEntropy } as const satisfies Record<
  AblationSpec['similarity'],
  Similarity
>;

/** What pre-training minimises. */
export interface Objective {
  /** Views of each image that it needs: 2 or 4. */
  readonly views: number;
  /** The views that a prediction is made of. */
  readonly predicting: readonly number[];
  /**
   * The mean of D(p, z) over the pairs of views (SimSiam eq. 2), a scalar.
   * @param p Predictions [n, dim] of the views `predicting`, in that order.
   * @param z Projections [n, dim] of all views.
   */
  loss(p: readonly Tensor[], z: readonly Tensor[]): Tensor;
}

export function objectiveOf({
  stopGradient: stops,
  similarity,
  symmetry,
}: Pick<AblationSpec, 'stopGradient' | 'similarity' | 'symmetry'>): Objective {
  const pairs: Pairs = pairsOf[symmetry];
  const distance = similarities[similarity];
  const target = stops ? stopGradient : (x: Tensor): Tensor => x;
  return {
    views: 1 + Math.max(...pairs.flat()),
    predicting: pairs.map(([from]) => from),
    loss: (p, z) => {
      const distances = pairs.map(([, to], i) => distance(p[i]!, target(z[to]!)));
      return tf.mul(
        distances.reduce((a, b) => tf.add(a, b)),
        1 / pairs.length,
      );
    },
  };
}
