/**
 * What a pickle may hold here: plain values, containers, and tensors that aren't read yet.
 * int → number, or bigint where a number isn't exact; float → number; str → string; bytes → Uint8Array; list → array;
 * dict and OrderedDict → Map.
 */
export type PickleValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | PickleValue[]
  | PickleTuple
  | PickleDict
  | PickleGlobal
  | StorageReference
  | TensorReference;

export type PickleDict = Map<PickleValue, PickleValue>;

export class PickleTuple {
  readonly items: readonly PickleValue[];

  constructor(items: readonly PickleValue[]) {
    this.items = items;
  }
}

/** A class or function by its name. It stands for itself and is never looked up. */
export class PickleGlobal {
  /** `collections.OrderedDict` */
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }
}

/** Elements that tensors are views of. */
export class StorageReference {
  readonly dtype: TorchDType;
  readonly key: string;
  readonly elements: number;

  constructor(dtype: TorchDType, key: string, elements: number) {
    this.dtype = dtype;
    this.key = key;
    this.elements = elements;
  }
}

/** A tensor as a pickle describes it, unchecked: a view of a storage, in elements. */
export class TensorReference {
  readonly storage: StorageReference;
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];

  constructor(storage: StorageReference, offset: number, shape: readonly number[], strides: readonly number[]) {
    this.storage = storage;
    this.offset = offset;
    this.shape = shape;
    this.strides = strides;
  }
}

/** PyTorch's storage classes by our names of their dtypes. */
export const storageClasses = {
  F32: 'FloatStorage',
  F64: 'DoubleStorage',
  F16: 'HalfStorage',
  BF16: 'BFloat16Storage',
  I64: 'LongStorage',
  I32: 'IntStorage',
  U8: 'ByteStorage',
  BOOL: 'BoolStorage',
} as const;

export type TorchDType = keyof typeof storageClasses;
