import type { Sample } from '../../checkpoint/sample.ts';

/** The images most like each image of a sample, the nearest first, itself not among them. */
export interface Neighbours {
  /** [n][k]: places in the sample. */
  readonly indices: readonly (readonly number[])[];
  /** [n][k]: cosine similarities of the features. */
  readonly similarities: readonly (readonly number[])[];
}

/** Compares all images with all. Of equally similar ones the earlier comes first. */
export function neighboursOf(
  { features, dimension, names }: Pick<Sample, 'features' | 'dimension' | 'names'>,
  k: number,
): Neighbours {
  const n = names.length;
  const unit = unitRows(features, dimension);
  const indices: number[][] = [];
  const similarities: number[][] = [];
  const others = Array.from({ length: n }, (_, i) => i);
  const toAll = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) toAll[j] = product(unit, i * dimension, j * dimension, dimension);
    const nearest = others
      .filter((j) => j !== i)
      .sort((a, b) => toAll[b]! - toAll[a]! || a - b)
      .slice(0, k);
    indices.push(nearest);
    similarities.push(nearest.map((j) => toAll[j]!));
  }
  return { indices, similarities };
}

/** Percent of the labelled images whose nearest neighbour is of their class; `undefined` without labels. */
export function sameClassPercent(labels: Int32Array, { indices }: Neighbours): number | undefined {
  const labelled = indices.filter((nearest, i) => labels[i]! >= 0 && nearest.length > 0).length;
  const same = indices.filter((nearest, i) => labels[i]! >= 0 && labels[nearest[0]!] === labels[i]).length;
  return labelled === 0 ? undefined : (100 * same) / labelled;
}

function unitRows(features: Float32Array, dimension: number): Float32Array {
  const unit = new Float32Array(features.length);
  for (let from = 0; from < features.length; from += dimension) {
    const length = Math.sqrt(product(features, from, from, dimension)) || 1;
    for (let d = 0; d < dimension; d++) unit[from + d] = features[from + d]! / length;
  }
  return unit;
}

function product(values: Float32Array, a: number, b: number, dimension: number): number {
  let sum = 0;
  for (let d = 0; d < dimension; d++) sum += values[a + d]! * values[b + d]!;
  return sum;
}
