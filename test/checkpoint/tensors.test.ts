import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CheckpointMismatchError } from '../../trainer/checkpoint/errors.ts';
import type { TensorOutline } from '../../trainer/checkpoint/tensors.ts';
import { assertSameTensors } from '../../trainer/checkpoint/tensors.ts';

const f32 = (name: string, ...shape: number[]): TensorOutline => ({ name, dtype: 'F32', shape });

describe('assertSameTensors', () => {
  it('takes the same tensors in any order', () => {
    assertSameTensors([f32('a', 2, 3), f32('b')], [f32('b'), f32('a', 2, 3)]);
    assertSameTensors([], []);
  });

  it('names the first differing tensors with both shapes, and counts the rest', () => {
    const expected = [
      f32('a', 2, 3),
      f32('b', 1),
      f32('same', 4),
      f32('gone', 5),
      { ...f32('e', 1), dtype: 'F64' as const },
    ];
    const actual = [f32('same', 4), f32('a', 3, 2), f32('b', 1, 1), f32('e', 1), f32('extra')];
    assert.throws(
      () => assertSameTensors(expected, actual, 'step-4-g1/model.safetensors'),
      (error) => {
        assert.ok(error instanceof CheckpointMismatchError);
        assert.equal(error.exitCode, 64);
        assert.equal(
          error.message,
          'step-4-g1/model.safetensors is of another architecture: a: F32 [2, 3] expected, F32 [3, 2] found; ' +
            'b: F32 [1] expected, F32 [1, 1] found; gone: F32 [5] expected, none found; and 2 more; ' +
            'use the recipe that it was written with, or another storage URI',
        );
        return true;
      },
    );
  });

  it('refuses a tensor too many and another dtype', () => {
    assert.throws(() => assertSameTensors([f32('a')], [f32('a'), f32('b', 2)]), /b: none expected, F32 \[2\] found/);
    assert.throws(
      () => assertSameTensors([f32('a')], [{ ...f32('a'), dtype: 'I32' }]),
      /a: F32 \[\] expected, I32 \[\] found/,
    );
  });
});
