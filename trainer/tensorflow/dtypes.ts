/** Element types of tensors at the boundary and in traced functions. */
export type DType = 'float32' | 'float64' | 'int32' | 'int64' | 'uint8' | 'bfloat16' | 'bool';

interface DTypeFacts {
  /** TensorFlow's number (tensorflow/core/framework/types.proto), which tfjs-node uses too. */
  readonly code: number;
  /** Bytes an element. */
  readonly width: number;
  /** What tfjs, which knows fewer types, is told while tracing. */
  readonly told: 'float32' | 'int32' | 'bool';
}

const facts: Readonly<Record<DType, DTypeFacts>> = {
  float32: { code: 1, width: 4, told: 'float32' },
  float64: { code: 2, width: 8, told: 'float32' },
  int32: { code: 3, width: 4, told: 'int32' },
  uint8: { code: 4, width: 1, told: 'int32' },
  int64: { code: 9, width: 8, told: 'int32' },
  bool: { code: 10, width: 1, told: 'bool' },
  bfloat16: { code: 14, width: 2, told: 'float32' },
};

const byCode = new Map(Object.entries(facts).map(([dtype, { code }]) => [code, dtype as DType]));

/** TensorFlow's number of a dtype. */
export function dtypeCode(dtype: DType): number {
  return facts[dtype].code;
}

/** Bytes of one element. */
export function dtypeWidth(dtype: DType): number {
  return facts[dtype].width;
}

/** The dtype of TensorFlow's number, undefined for one that we don't carry (string, complex64 and so on). */
export function dtypeOfCode(code: number): DType | undefined {
  return byCode.get(code);
}

/** TensorFlow's number of the dtype that tfjs is told for a tensor whose real one has number `code`. */
export function toldCode(code: number): number {
  const dtype = byCode.get(code);
  return dtype === undefined ? code : facts[facts[dtype].told].code;
}
