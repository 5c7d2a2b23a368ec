import { CheckpointMismatchError } from './errors.ts';

/** Bytes of one element by the dtype's name in the safetensors format. */
export const elementBytes = { F32: 4, F64: 8, F16: 2, BF16: 2, I32: 4, I64: 8, U8: 1, BOOL: 1 } as const;

export type TensorDType = keyof typeof elementBytes;

/** A tensor at rest. */
export interface NamedTensor {
  /** As in a PyTorch state_dict: `encoder.layer1.0.conv1.weight`. */
  readonly name: string;
  readonly dtype: TensorDType;
  /** `[]` is a scalar. */
  readonly shape: readonly number[];
  /** Elements in row-major order, little-endian; of any alignment. */
  readonly bytes: Uint8Array;
}

/** What a tensor is without its values. */
export type TensorOutline = Pick<NamedTensor, 'name' | 'dtype' | 'shape'>;

/** Bytes that a tensor of this dtype and shape has; not a safe integer if the shape is absurd. */
export function byteLengthOf(dtype: TensorDType, shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, elementBytes[dtype]);
}

/** A tensor's bytes in place, not copied. */
export function bytesOf({ buffer, byteOffset, byteLength }: Float32Array | Int32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** Bytes of F32 as floats, copied: a tensor's bytes are a view into a whole file's, at any address. */
export function floatsOf(bytes: Uint8Array): Float32Array {
  return new Float32Array(new Uint8Array(bytes).buffer);
}

const namedAtMost = 3;

const maxSizesShown = 8;

/**
 * Refuses a checkpoint of another architecture: names, shapes and dtypes must be the same, in any order.
 *
 * @param where what was read, for the message: `file:///runs/a/pretrain/checkpoints/step-120-g1/model.safetensors`
 * @throws CheckpointMismatchError that names the first differing tensors with both shapes
 */
export function assertSameTensors(
  expected: readonly TensorOutline[],
  actual: readonly TensorOutline[],
  where = 'the checkpoint',
): void {
  const held = new Map(actual.map((tensor) => [tensor.name, tensor]));
  const wanted = new Set(expected.map((tensor) => tensor.name));
  const differences = [
    ...expected.flatMap((tensor) => {
      const other = held.get(tensor.name);
      if (other === undefined) return [`${tensor.name}: ${outline(tensor)} expected, none found`];
      if (isSame(other, tensor)) return [];
      return [`${tensor.name}: ${outline(tensor)} expected, ${outline(other)} found`];
    }),
    ...actual
      .filter((tensor) => !wanted.has(tensor.name))
      .map((tensor) => `${tensor.name}: none expected, ${outline(tensor)} found`),
  ];
  if (differences.length === 0) return;
  const more = differences.length > namedAtMost ? `; and ${differences.length - namedAtMost} more` : '';
  throw new CheckpointMismatchError(
    `${where} is of another architecture: ${differences.slice(0, namedAtMost).join('; ')}${more}; ` +
      'use the recipe that it was written with, or another storage URI',
  );
}

function isSame(a: TensorOutline, b: TensorOutline): boolean {
  return (
    a.dtype === b.dtype && a.shape.length === b.shape.length && a.shape.every((size, axis) => size === b.shape[axis])
  );
}

/** `F32 [64, 3, 7, 7]`, and not longer than a line whatever a file says. */
export function outline({ dtype, shape }: Omit<TensorOutline, 'name'>): string {
  const sizes = shape.length > maxSizesShown ? [...shape.slice(0, maxSizesShown), '…'] : shape;
  return `${dtype} [${sizes.join(', ')}]`;
}
