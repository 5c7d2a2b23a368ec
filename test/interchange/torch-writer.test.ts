import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { fc } from '../support/property.ts';

import { elementBytes } from '../../trainer/checkpoint/tensors.ts';
import { TensorReference } from '../../trainer/interchange/pickle-values.ts';
import { pyFloat, type PyValue } from '../../trainer/interchange/pickler.ts';
import { readTorchFile } from '../../trainer/interchange/torch-reader.ts';
import { TorchWriter } from '../../trainer/interchange/torch-writer.ts';
import { readZip } from '../../trainer/interchange/zip-reader.ts';

const dtypes = Object.keys(elementBytes) as (keyof typeof elementBytes)[];

const tensors = fc.array(
  fc
    .record({
      name: fc.string({ unit: 'grapheme' }),
      dtype: fc.constantFrom(...dtypes),
      shape: fc.array(fc.nat(4), { maxLength: 4 }),
    })
    .chain(({ name, dtype, shape }) => {
      const length = shape.reduce((product, size) => product * size, elementBytes[dtype]);
      return fc
        .uint8Array({ minLength: length, maxLength: length })
        .map((bytes) => ({ name, dtype, shape, bytes: new Uint8Array(bytes) }));
    }),
  { maxLength: 8 },
);

describe('files for PyTorch', () => {
  test('tensors come back as they were, in order, whatever their names, dtypes and shapes', () =>
    fc.assert(
      fc.property(tensors, (list) => {
        const named = new Map(list.map((tensor) => [tensor.name, tensor]));
        const writer = new TorchWriter();
        const value = new Map([...named].map(([name, tensor]) => [name, writer.tensor(tensor)] as const));
        const file = readTorchFile(Buffer.concat(writer.file(value)));
        assert.ok(file.value instanceof Map);
        const read = [...file.value].map(([name, tensor]) => {
          assert.ok(tensor instanceof TensorReference);
          const { storage, shape } = tensor;
          return { name, dtype: storage.dtype, shape, bytes: new Uint8Array(file.bytesOf(tensor)) };
        });
        assert.deepEqual(read, [...named.values()]);
      }),
    ));

  test('plain values come back as they were', () => {
    const values: PyValue = [
      null,
      true,
      false,
      0,
      -1,
      2 ** 31,
      -(2 ** 40),
      'ü',
      pyFloat(0.1),
      pyFloat(3),
      [],
      new Map(),
    ];
    const read = readTorchFile(Buffer.concat(new TorchWriter().file(values))).value;
    assert.deepEqual(read, [null, true, false, 0, -1, 2 ** 31, -(2 ** 40), 'ü', 0.1, 3, [], new Map()]);
  });

  test('a number that is no int is refused where an int stands', () =>
    assert.throws(() => new TorchWriter().file([0.5]), /use pyFloat/));

  test('equal values make equal files, whose tensors lie at multiples of 64 bytes', () => {
    const file = (): Buffer => {
      const writer = new TorchWriter();
      const tensor = (length: number) => writer.tensor({ dtype: 'U8', shape: [length], bytes: new Uint8Array(length) });
      return Buffer.concat(writer.file([tensor(3), tensor(100), tensor(1)]));
    };
    const bytes = file();
    assert.deepEqual(bytes, file());
    const entries = readZip(bytes);
    assert.deepEqual([...entries.keys()].length, 6);
    for (const entry of entries.values()) assert.equal((entry.byteOffset - bytes.byteOffset) % 64, 0);
  });
});
