import { byteLengthOf, elementBytes } from '../checkpoint/tensors.ts';
import { TorchFileError } from './errors.ts';
import type { TensorReference } from './pickle-values.ts';

/**
 * The bytes of a tensor in row-major order: a view of its storage where they lie so, else a copy.
 *
 * @param storage the bytes of the tensor's storage
 * @throws TorchFileError where the tensor reaches beyond its storage, or has more elements than that
 */
export function bytesOfTensor({ storage, offset, shape, strides }: TensorReference, bytes: Uint8Array): Uint8Array {
  const size = elementBytes[storage.dtype];
  const elements = byteLengthOf(storage.dtype, shape) / size;
  if (elements === 0) return bytes.subarray(0, 0);
  const last = shape.reduce((sum, length, axis) => sum + (length - 1) * strides[axis]!, offset);
  if (!(last < storage.elements)) {
    throw new TorchFileError(`a tensor reaches to element ${last} of a storage of ${storage.elements}`);
  }
  if (elements > storage.elements) {
    throw new TorchFileError(`a tensor of ${elements} elements repeats those of a storage of ${storage.elements}`);
  }
  const begin = offset * size;
  if (isRowMajor(shape, strides)) return bytes.subarray(begin, begin + elements * size);
  return gather(bytes.subarray(begin), { shape, strides, elements, size });
}

/** Axes of length 1 may have any stride. */
function isRowMajor(shape: readonly number[], strides: readonly number[]): boolean {
  let expected = 1;
  for (let axis = shape.length - 1; axis >= 0; axis -= 1) {
    if (shape[axis] !== 1 && strides[axis] !== expected) return false;
    expected *= shape[axis]!;
  }
  return true;
}

interface Strided {
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  readonly elements: number;
  /** Bytes of an element. */
  readonly size: number;
}

/** Counts through the indices as an odometer does. */
function gather(bytes: Uint8Array, { shape, strides, elements, size }: Strided): Uint8Array {
  const gathered = new Uint8Array(elements * size);
  const index = shape.map(() => 0);
  let from = 0;
  for (let to = 0; to < gathered.length; to += size) {
    for (let byte = 0; byte < size; byte += 1) gathered[to + byte] = bytes[from * size + byte]!;
    for (let axis = shape.length - 1; axis >= 0; axis -= 1) {
      index[axis] = index[axis]! + 1;
      from += strides[axis]!;
      if (index[axis]! < shape[axis]!) break;
      from -= index[axis]! * strides[axis]!;
      index[axis] = 0;
    }
  }
  return gathered;
}
