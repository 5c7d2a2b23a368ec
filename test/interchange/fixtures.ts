import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What PyTorch wrote: fixtures/make.py. */
export const fixtures = join(import.meta.dirname, '../../../test/interchange/fixtures');

export function fixture(name: string): Buffer {
  return readFileSync(join(fixtures, name));
}

/** A tensor as PyTorch describes it. */
export interface ExpectedTensor {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly sha256: string;
}

export const expected = JSON.parse(fixture('expected.json').toString()) as {
  readonly plain: { readonly tensors: Readonly<Record<string, ExpectedTensor>> };
  readonly pretrain: Readonly<Record<'tensors' | 'momenta', Readonly<Record<string, ExpectedTensor>>>> & {
    /** Of its backbone in eval mode, for the images that `make.py` describes. */
    readonly features: readonly (readonly number[])[];
  };
};

const torchNames: Readonly<Record<string, string>> = {
  F32: 'float32',
  F64: 'float64',
  F16: 'float16',
  BF16: 'bfloat16',
  I64: 'int64',
  I32: 'int32',
  U8: 'uint8',
  BOOL: 'bool',
};

/** A tensor of ours as `make.py` describes its own. */
export function described(dtype: string, shape: readonly number[], bytes: Uint8Array): ExpectedTensor {
  return { dtype: torchNames[dtype]!, shape, sha256: createHash('sha256').update(bytes).digest('hex') };
}
