import { crc32 } from 'node:zlib';
import { quoted } from '../checkpoint/safetensors-header.ts';
import { ByteReader } from './byte-reader.ts';
import { TorchFileError } from './errors.ts';

const signature = { local: 0x04034b50, central: 0x02014b50, end: 0x06054b50, end64: 0x06064b50, locator64: 0x07064b50 };

const endBytes = 22;

const locatorBytes = 20;

const longestComment = 0xffff;

/** A field of 32 bits that refers to the one of 64 bits. */
const inZip64 = 0xffffffff;

/** PyTorch writes an entry a tensor. */
const maxEntries = 200_000;

/** Whether these are the bytes of a zip archive that begins in the first one. */
export function isZip(bytes: Uint8Array): boolean {
  return bytes.byteLength >= 4 && new ByteReader(bytes, 'the file').u32() === signature.local;
}

/**
 * The entries of a zip archive as PyTorch writes it: stored as they are, so that an archive can't be larger inside than
 * outside. Names are keys of the result and are never used as paths. The bytes are views.
 *
 * @throws TorchFileError for what isn't such an archive: entries that are compressed or encrypted, that overlap, lie
 *   outside the file or differ from their checksum, or a name that occurs twice
 */
export function readZip(bytes: Uint8Array): Map<string, Buffer> {
  const entries = new Map<string, Buffer>();
  const ranges: { begin: number; end: number }[] = [];
  for (const entry of directory(bytes)) {
    if (entries.has(entry.name)) throw new TorchFileError(`the archive has two entries ${quoted(entry.name)}`);
    const { data, begin } = dataOf(bytes, entry);
    ranges.push({ begin, end: begin + data.length });
    entries.set(entry.name, data);
  }
  ranges.sort((a, b) => a.begin - b.begin || a.end - b.end);
  ranges.reduce((end, range) => {
    if (range.begin < end) throw new TorchFileError('entries of the archive overlap');
    return Math.max(end, range.end);
  }, 0);
  return entries;
}

interface DirectoryEntry {
  readonly name: string;
  readonly crc: number;
  readonly size: number;
  /** Where its local header begins. */
  readonly offset: number;
}

function directory(bytes: Uint8Array): DirectoryEntry[] {
  const { count, offset } = findDirectory(bytes);
  if (count > maxEntries) throw new TorchFileError(`the archive has ${count} entries, more than ${maxEntries}`);
  if (offset > bytes.byteLength) throw new TorchFileError('the directory of the archive lies outside of the file');
  const reader = new ByteReader(bytes, 'the directory of the archive', offset);
  return Array.from({ length: count }, () => directoryEntry(reader));
}

function directoryEntry(reader: ByteReader): DirectoryEntry {
  if (reader.u32() !== signature.central) throw new TorchFileError('the directory of the archive is damaged');
  reader.take(4);
  const flags = reader.u16();
  const method = reader.u16();
  reader.take(4);
  const crc = reader.u32();
  const [packed, size] = [reader.u32(), reader.u32()];
  const lengths = { name: reader.u16(), extra: reader.u16(), comment: reader.u16() };
  reader.take(8);
  const offset = reader.u32();
  const name = reader.take(lengths.name).toString('utf8');
  const long = zip64Fields(reader.take(lengths.extra), [size, packed, offset]);
  reader.take(lengths.comment);
  if ((flags & 1) !== 0) throw new TorchFileError(`the archive's entry ${quoted(name)} is encrypted`);
  if (method !== 0 || long[0] !== long[1]) {
    throw new TorchFileError(`the archive's entry ${quoted(name)} is compressed, which PyTorch never does`);
  }
  return { name, crc, size: long[0], offset: long[2] };
}

/** Those of size, packed size and offset that don't fit 32 bits are in the extra field 1, in this order. */
function zip64Fields(extra: Buffer, values: readonly [number, number, number]): [number, number, number] {
  const fields = new ByteReader(extra, 'the directory of the archive');
  while (values.includes(inZip64) && fields.left >= 4) {
    const [id, length] = [fields.u16(), fields.u16()];
    const field = new ByteReader(fields.take(length), 'the directory of the archive');
    if (id === 1) return values.map((value) => (value === inZip64 ? field.u64() : value)) as [number, number, number];
  }
  return [...values];
}

function dataOf(bytes: Uint8Array, { name, crc, size, offset }: DirectoryEntry): { data: Buffer; begin: number } {
  const what = `the archive's entry ${quoted(name)}`;
  if (offset > bytes.byteLength) throw new TorchFileError(`${what} lies outside of the file`);
  const reader = new ByteReader(bytes, what, offset);
  if (reader.u32() !== signature.local) throw new TorchFileError(`${what} is not where the directory says`);
  reader.take(22);
  const lengths = [reader.u16(), reader.u16()] as const;
  reader.take(lengths[0] + lengths[1]);
  const begin = reader.at;
  const data = reader.take(size);
  if (crc32(data) !== crc) throw new TorchFileError(`${what} differs from its checksum: is the file whole?`);
  return { data, begin };
}

/** From the record at the end of the file; its 64-bit form, which PyTorch always writes, goes first. */
function findDirectory(bytes: Uint8Array): { count: number; offset: number } {
  const at = findEnd(bytes);
  const locatorAt = at - locatorBytes;
  if (locatorAt >= 0) {
    const locator = new ByteReader(bytes, 'the end of the archive', locatorAt);
    if (locator.u32() === signature.locator64) {
      locator.take(4);
      return endRecord64(bytes, locator.u64());
    }
  }
  const end = new ByteReader(bytes, 'the end of the archive', at);
  end.take(10);
  const count = end.u16();
  end.take(4);
  return { count, offset: end.u32() };
}

function endRecord64(bytes: Uint8Array, at: number): { count: number; offset: number } {
  if (at > bytes.byteLength) throw new TorchFileError('the directory of the archive lies outside of the file');
  const record = new ByteReader(bytes, 'the end of the archive', at);
  if (record.u32() !== signature.end64) throw new TorchFileError('the end of the archive is damaged');
  record.take(28);
  const count = record.u64();
  record.take(8);
  return { count, offset: record.u64() };
}

function findEnd(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const last = bytes.byteLength - endBytes;
  for (let at = last; at >= Math.max(0, last - longestComment); at -= 1) {
    if (view.getUint32(at, true) === signature.end) return at;
  }
  throw new TorchFileError('the archive has no end: is the file whole?');
}
