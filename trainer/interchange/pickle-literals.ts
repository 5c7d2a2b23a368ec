import { quoted } from '../checkpoint/safetensors-header.ts';
import type { ByteReader } from './byte-reader.ts';
import { TorchFileError } from './errors.ts';
import { PickleTuple, type PickleValue } from './pickle-values.ts';

/** The legacy format's magic number has ten. */
const maxIntegerBytes = 16;

/** What the opcodes of a pickle that carry a value, or begin a container, put on its stack. */
export const literals: Readonly<Record<number, (reader: ByteReader) => PickleValue>> = {
  0x4e: () => null, // NONE
  0x88: () => true, // NEWTRUE
  0x89: () => false, // NEWFALSE
  0x4a: (reader) => reader.i32(), // BININT
  0x4b: (reader) => reader.u8(), // BININT1
  0x4d: (reader) => reader.u16(), // BININT2
  0x8a: (reader) => integer(reader.take(reader.u8())), // LONG1
  0x8b: (reader) => integer(reader.take(reader.u32())), // LONG4
  0x47: (reader) => reader.f64(), // BINFLOAT
  0x58: (reader) => text(reader.take(reader.u32())), // BINUNICODE
  0x8c: (reader) => text(reader.take(reader.u8())), // SHORT_BINUNICODE
  0x8d: (reader) => text(reader.take(reader.u64())), // BINUNICODE8
  0x54: (reader) => text(reader.take(reader.u32())), // BINSTRING: text of Python 2
  0x55: (reader) => text(reader.take(reader.u8())), // SHORT_BINSTRING
  0x42: (reader) => reader.take(reader.u32()), // BINBYTES
  0x43: (reader) => reader.take(reader.u8()), // SHORT_BINBYTES
  0x5d: () => [], // EMPTY_LIST
  0x29: () => new PickleTuple([]), // EMPTY_TUPLE
  0x7d: () => new Map(), // EMPTY_DICT
};

/** Two's complement, little-endian. */
function integer(bytes: Buffer): number | bigint {
  if (bytes.length > maxIntegerBytes) throw new TorchFileError(`an integer of ${bytes.length} bytes is too long`);
  if (bytes.length === 0) return 0;
  const unsigned = BigInt(`0x${Buffer.from(bytes).reverse().toString('hex')}`);
  const value = BigInt.asIntN(8 * bytes.length, unsigned);
  return Number.isSafeInteger(Number(value)) ? Number(value) : value;
}

function text(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (thrown) {
    const start = quoted(bytes.subarray(0, 40).toString('latin1'));
    throw new TorchFileError(`the text that begins with ${start} is not UTF-8`, { cause: thrown });
  }
}
