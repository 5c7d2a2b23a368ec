import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fc } from '../support/property.ts';
import { SafetensorsError } from '../../trainer/checkpoint/errors.ts';
import { decodeSafetensors, encodeSafetensors } from '../../trainer/checkpoint/safetensors.ts';
import type { NamedTensor, TensorDType } from '../../trainer/checkpoint/tensors.ts';
import { byteLengthOf, elementBytes } from '../../trainer/checkpoint/tensors.ts';

function fileOf(header: string | Buffer, data: Uint8Array = new Uint8Array(0), length?: bigint): Buffer {
  const text = Buffer.from(header);
  const head = Buffer.alloc(8);
  head.writeBigUInt64LE(length ?? BigInt(text.length));
  return Buffer.concat([head, text, data]);
}

const anyTensors = fc
  .uniqueArray(
    fc.record({
      name: fc.oneof(
        fc.string({ unit: 'binary' }),
        fc.constantFrom('0', '12', '__proto__', 'constructor', 'a.b', '"', '\\', '\n', 'ä', '\u{1F600}', ''),
      ),
      dtype: fc.constantFrom(...(Object.keys(elementBytes) as TensorDType[])),
      shape: fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 4 }),
    }),
    { selector: ({ name }) => name, maxLength: 6 },
  )
  .filter((outlines) => outlines.every(({ name }) => name !== '__metadata__'))
  .chain((outlines) =>
    fc.tuple(
      ...outlines.map((outline) => {
        const length = byteLengthOf(outline.dtype, outline.shape);
        return fc
          .uint8Array({ minLength: length, maxLength: length })
          .map((bytes): NamedTensor => ({ ...outline, bytes }));
      }),
    ),
  );

function inOrderOfPosition(tensors: readonly NamedTensor[]): NamedTensor[] {
  // Where empty tensors share a position with another, the file has no order for them.
  return tensors
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .map((tensor) => ({ ...tensor, bytes: Uint8Array.from(tensor.bytes) }));
}

describe('safetensors', () => {
  it('is the published format, byte for byte', () => {
    const header =
      '{"__metadata__":{"format":"pt"},' +
      '"bb":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"a":{"dtype":"U8","shape":[],"data_offsets":[8,9]}}';
    assert.equal(header.length, 137);
    const bytes = Buffer.concat([
      Buffer.from([144, 0, 0, 0, 0, 0, 0, 0]),
      Buffer.from(`${header}       `, 'latin1'),
      Buffer.from([0x00, 0x00, 0x80, 0x3f, 0x00, 0x00, 0x00, 0xc0]),
      Buffer.from([7]),
    ]);
    const tensors: NamedTensor[] = [
      { name: 'bb', dtype: 'F32', shape: [2], bytes: new Uint8Array(Float32Array.of(1, -2).buffer) },
      { name: 'a', dtype: 'U8', shape: [], bytes: Uint8Array.of(7) },
    ];
    assert.deepEqual(Buffer.concat(encodeSafetensors(tensors, { format: 'pt' })), bytes);
    assert.deepEqual(decodeSafetensors(Uint8Array.from(bytes)), { tensors, metadata: { format: 'pt' } });
  });

  it('reads what other writers may write: blanks, other orders of fields and tensors, escapes, no padding', () => {
    const header =
      '{ "late" : {"shape":[1], "data_offsets" : [1 ,2], "dtype":"U8"},\n"\\u0061\\"":{"data_offsets":[0,1],"dtype":"U8","shape":[1]} }   ';
    const { tensors, metadata } = decodeSafetensors(fileOf(header, Uint8Array.of(5, 6)));
    assert.deepEqual(
      tensors.map(({ name, bytes }) => [name, ...bytes]),
      [
        ['a"', 5],
        ['late', 6],
      ],
    );
    assert.deepEqual(metadata, {});
  });

  it('gives back any tensors bit for bit', () => {
    fc.assert(
      fc.property(
        anyTensors,
        fc.dictionary(fc.constantFrom('format', 'x', 'y z'), fc.string()),
        (tensors, metadata) => {
          const decoded = decodeSafetensors(Buffer.concat(encodeSafetensors(tensors, metadata)));
          assert.deepEqual(inOrderOfPosition(decoded.tensors), inOrderOfPosition(tensors));
          assert.deepEqual({ ...decoded.metadata }, { ...metadata });
        },
      ),
      { numRuns: 200 },
    );
  });

  it('copies no tensor', () => {
    const bytes = new Uint8Array(16);
    assert.equal(encodeSafetensors([{ name: 'a', dtype: 'F32', shape: [4], bytes }])[1], bytes);
    const file = Buffer.concat(encodeSafetensors([{ name: 'a', dtype: 'F32', shape: [4], bytes }]));
    assert.equal(decodeSafetensors(file).tensors[0]!.bytes.buffer, file.buffer);
  });

  it('refuses to write tensors that contradict themselves', () => {
    const tensor: NamedTensor = { name: 'a', dtype: 'F32', shape: [2], bytes: new Uint8Array(8) };
    assert.throws(() => encodeSafetensors([tensor, tensor]), SafetensorsError);
    assert.throws(() => encodeSafetensors([{ ...tensor, shape: [3] }]), SafetensorsError);
    assert.throws(() => encodeSafetensors([{ ...tensor, name: '__metadata__' }]), SafetensorsError);
  });

  const entry = (fields: string): string => `{"a":{${fields}}}`;
  const good = '"dtype":"U8","shape":[2],"data_offsets":[0,2]';
  const two = (first: string, second: string): string =>
    `{"a":{"dtype":"U8","shape":[2],"data_offsets":${first}},"b":{"dtype":"U8","shape":[2],"data_offsets":${second}}}`;
  const hostile: Readonly<Record<string, Buffer>> = {
    'an empty file': Buffer.alloc(0),
    'seven bytes': Buffer.alloc(7),
    'a header length beyond the file': fileOf('{}', undefined, 3n),
    'a header length of 2^63': fileOf('{}', undefined, 1n << 63n),
    'a header length of 2^64 - 1': fileOf('{}', undefined, (1n << 64n) - 1n),
    'a header of no bytes': fileOf(''),
    'a blank before the brace': fileOf(' {}'),
    'a byte order mark': fileOf('\ufeff{}'),
    'text that is not UTF-8': fileOf(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d])),
    'no object': fileOf('[]'),
    'a header that stops': fileOf('{"a":{"dtype"'),
    'something after the header': fileOf('{}x'),
    'a trailing comma': fileOf('{"__metadata__":{},}'),
    'a name twice': fileOf(`{"a":{${good}},"a":{${good}}}`, Buffer.alloc(2)),
    'a name twice, once escaped': fileOf(`{"a":{${good}},"\\u0061":{${good}}}`, Buffer.alloc(2)),
    'a field twice': fileOf(entry(`${good},"dtype":"U8"`), Buffer.alloc(2)),
    'metadata twice': fileOf('{"__metadata__":{},"__metadata__":{}}'),
    'metadata that is not strings': fileOf('{"__metadata__":{"a":1}}'),
    'an unknown field': fileOf(entry(`${good},"stride":[1]`), Buffer.alloc(2)),
    'a missing field': fileOf(entry('"dtype":"U8","shape":[2]'), Buffer.alloc(2)),
    'an unknown dtype': fileOf(entry('"dtype":"F4","shape":[2],"data_offsets":[0,2]'), Buffer.alloc(2)),
    'a dtype that objects inherit': fileOf(
      entry('"dtype":"toString","shape":[2],"data_offsets":[0,2]'),
      Buffer.alloc(2),
    ),
    'one offset': fileOf(entry('"dtype":"U8","shape":[2],"data_offsets":[0]'), Buffer.alloc(2)),
    'three offsets': fileOf(entry('"dtype":"U8","shape":[2],"data_offsets":[0,2,2]'), Buffer.alloc(2)),
    'a negative size': fileOf(entry('"dtype":"U8","shape":[-2],"data_offsets":[0,2]'), Buffer.alloc(2)),
    'two negative sizes': fileOf(entry('"dtype":"U8","shape":[-1,-2],"data_offsets":[0,2]'), Buffer.alloc(2)),
    'a fraction': fileOf(entry('"dtype":"U8","shape":[2.0],"data_offsets":[0,2]'), Buffer.alloc(2)),
    'an exponent': fileOf(entry('"dtype":"U8","shape":[2],"data_offsets":[0,2e0]'), Buffer.alloc(2)),
    'a number beyond 2^53': fileOf(
      entry('"dtype":"U8","shape":[9007199254740993],"data_offsets":[0,2]'),
      Buffer.alloc(2),
    ),
    'a shape whose product overflows': fileOf(
      entry('"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]'),
    ),
    'offsets that end before they begin': fileOf(
      entry('"dtype":"U8","shape":[2],"data_offsets":[2,0]'),
      Buffer.alloc(2),
    ),
    'offsets beyond the file': fileOf(entry('"dtype":"U8","shape":[3],"data_offsets":[0,3]'), Buffer.alloc(2)),
    'offsets that do not fit the shape': fileOf(
      entry('"dtype":"F32","shape":[1],"data_offsets":[0,2]'),
      Buffer.alloc(2),
    ),
    'tensors that overlap': fileOf(two('[0,2]', '[1,3]'), Buffer.alloc(3)),
    'tensors in one place': fileOf(two('[0,2]', '[0,2]'), Buffer.alloc(2)),
    'a gap between tensors': fileOf(two('[0,2]', '[3,5]'), Buffer.alloc(5)),
    'a gap before the first': fileOf(entry('"dtype":"U8","shape":[2],"data_offsets":[1,3]'), Buffer.alloc(3)),
    'bytes after the last': fileOf(entry(good), Buffer.alloc(3)),
    'bytes and no tensor': fileOf('{}', Buffer.alloc(1)),
    'a name of many megabytes': fileOf(`{"${'a'.repeat(2e7)}":1}`),
    'a name of many escapes': fileOf(`{"${'\\n'.repeat(1e7)}":1}`),
    'a string that never ends': fileOf(`{"${'\\"'.repeat(1e6)}`),
    'a control character in a name': fileOf('{"a\n":{}}'),
    'a bad escape in a name': fileOf('{"\\x":{}}'),
    'a shape of many sizes': fileOf(
      entry(`"dtype":"U8","shape":[${'1,'.repeat(1e6)}1],"data_offsets":[0,2]`),
      Buffer.alloc(2),
    ),
    'deep nesting': fileOf('{"a":'.repeat(100_000)),
  };
  for (const [what, bytes] of Object.entries(hostile)) {
    it(`refuses ${what}`, () => {
      assert.throws(
        () => decodeSafetensors(bytes),
        (error) => error instanceof SafetensorsError && error.message.length < 1000,
      );
    });
  }

  it('meets any damage with its own error or an intact reading, never another one', () => {
    const whole = Buffer.concat(
      encodeSafetensors([
        { name: 'a', dtype: 'F32', shape: [2, 2], bytes: new Uint8Array(16) },
        { name: 'b', dtype: 'I64', shape: [], bytes: new Uint8Array(8) },
      ]),
    );
    const position = fc.nat(whole.length - 1);
    fc.assert(
      fc.property(fc.array(fc.tuple(position, fc.nat(255)), { maxLength: 4 }), fc.option(position), (edits, cut) => {
        const bytes = Buffer.from(whole.subarray(0, cut ?? whole.length));
        for (const [at, value] of edits) if (at < bytes.length) bytes[at] = value;
        try {
          for (const { dtype, shape, bytes: held } of decodeSafetensors(bytes).tensors) {
            assert.equal(held.byteLength, byteLengthOf(dtype, shape));
          }
        } catch (thrown) {
          if (!(thrown instanceof SafetensorsError)) throw thrown;
        }
      }),
      { numRuns: 2000 },
    );
  });
});
