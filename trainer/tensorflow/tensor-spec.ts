import { type DType, dtypeWidth } from './dtypes.ts';

/** What is known of a tensor without its values. Shapes are always whole: no unknown dimensions. */
export interface TensorSpec {
  readonly dtype: DType;
  readonly shape: readonly number[];
}

/** Number of elements: 1 for a scalar. */
export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, dimension) => product * dimension, 1);
}

/** Bytes of a tensor's values. */
export function byteLength(spec: TensorSpec): number {
  return elementCount(spec.shape) * dtypeWidth(spec.dtype);
}

export function sameSpec(a: TensorSpec, b: TensorSpec): boolean {
  return a.dtype === b.dtype && sameShape(a.shape, b.shape);
}

export function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((dimension, i) => dimension === b[i]);
}

/** `float32[16,224,224,3]`, for messages. */
export function describeSpec(spec: TensorSpec): string {
  return `${spec.dtype}[${spec.shape.join(',')}]`;
}
