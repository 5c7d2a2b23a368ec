import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { FileStore } from '../../storage/file-store.ts';
import { exportTensorBoard } from '../../trainer/report/tensorboard.ts';
import { storeRun } from './fixtures/stored-run.ts';

/** CRC-32C bit by bit, as RFC 3720 defines it, and masked as TFRecord's description says. */
function maskedCrc(bytes: Uint8Array): number {
  return (((crc(bytes) >>> 15) | (crc(bytes) << 17)) + 0xa282ead8) >>> 0;
}

function crc(bytes: Uint8Array): number {
  let remainder = 0xffffffff;
  for (const byte of bytes) {
    remainder ^= byte;
    for (let bit = 0; bit < 8; bit++) remainder = (remainder >>> 1) ^ (remainder & 1 ? 0x82f63b78 : 0);
  }
  return ~remainder >>> 0;
}

/** The records of a file, each checked against its two checksums. */
function recordsOf(file: Buffer): Buffer[] {
  const records: Buffer[] = [];
  for (let at = 0; at < file.length;) {
    const length = Number(file.readBigUInt64LE(at));
    assert.equal(file.readUInt32LE(at + 8), maskedCrc(file.subarray(at, at + 8)), `length at ${at}`);
    const data = file.subarray(at + 12, at + 12 + length);
    assert.equal(data.length, length);
    assert.equal(file.readUInt32LE(at + 12 + length), maskedCrc(data), `data at ${at}`);
    records.push(data);
    at += 16 + length;
  }
  return records;
}

/** Fields of a protobuf message by number: numbers of varints, bytes of all else. */
function fieldsOf(message: Buffer): [field: number, value: number | Buffer][] {
  const fields: [number, number | Buffer][] = [];
  let at = 0;
  const varint = (): number => {
    let [value, factor] = [0, 1];
    for (;;) {
      const byte = message[at++]!;
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
      factor *= 128;
    }
  };
  while (at < message.length) {
    const key = varint();
    if ((key & 7) === 0) fields.push([key >>> 3, varint()]);
    else {
      const length = { 1: 8, 2: -1, 5: 4 }[key & 7]!;
      const size = length < 0 ? varint() : length;
      fields.push([key >>> 3, message.subarray(at, at + size)]);
      at += size;
    }
  }
  return fields;
}

const bytesIn = (message: Buffer, field: number): Buffer[] =>
  fieldsOf(message).flatMap(([number, value]) => (number === field && value instanceof Buffer ? [value] : []));

interface Scalar {
  readonly step: number;
  readonly tag: string;
  readonly value: number;
  readonly wallTime: number;
}

function scalarsOf(record: Buffer): Scalar[] {
  const wallTime = bytesIn(record, 1)[0]!.readDoubleLE();
  const step = fieldsOf(record).find(([field]) => field === 2)?.[1] ?? 0;
  return bytesIn(record, 5)
    .flatMap((summary) => bytesIn(summary, 1))
    .map((value) => ({
      ...{ wallTime, step: step as number },
      tag: bytesIn(value, 1)[0]!.toString(),
      value: bytesIn(value, 2)[0]!.readFloatLE(),
    }));
}

describe("TensorBoard's event files", () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'simsiam-events-'));
  });
  after(() => rm(folder, { recursive: true }));

  test('the reader of this test knows the checksum of the standard', () => {
    assert.equal(crc(Buffer.from('123456789')), 0xe3069283);
  });

  test('hold all figures of both stages, a folder a run', async () => {
    const stores = ['a', 'b'].map((name) => new FileStore(join(folder, name)));
    for (const store of stores) await storeRun(store, { epochs: 4 });
    const files = await exportTensorBoard(stores, join(folder, 'events'), assert.fail);
    assert.deepEqual(
      files.map((file) => file.slice(folder.length)),
      ['a', 'b'].map((name) => `/events/tiny_${name}_/events.out.tfevents.simsiam`),
    );
    const [version, ...records] = recordsOf(await readFile(files[0]!));
    assert.equal(bytesIn(version!, 3)[0]!.toString(), 'brain.Event:2');
    const scalars = records.flatMap(scalarsOf);
    const of = (tag: string): Scalar[] => scalars.filter((scalar) => scalar.tag === tag);
    assert.deepEqual(
      of('pretrain/loss').map(({ step }) => step),
      Array.from({ length: 32 }, (_, i) => i + 1),
    );
    assert.equal(of('pretrain/loss').at(-1)!.value, Math.fround(-0.8));
    assert.deepEqual(
      of('pretrain/knnTop1').map(({ step, value }) => [step, value]),
      [8, 16, 24, 32].map((step) => [step, Math.fround(60 + (30 * step) / 32)]),
    );
    assert.deepEqual(
      of('linear/top1').map(({ step, value }) => [step, value]),
      [
        [11, 70],
        [22, 75],
        [33, 80],
      ],
    );
    assert.equal(of('pretrain/samplesPerSecond').length, 4);
    const times = of('pretrain/loss').map(({ wallTime }) => wallTime);
    assert.deepEqual(
      times,
      times.toSorted((a, b) => a - b),
    );
    assert.equal(times.at(-1), Date.UTC(2026, 0, 1) / 1000);
  });
});
