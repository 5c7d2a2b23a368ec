import { crc32 } from 'node:zlib';
import { TorchFileError } from './errors.ts';

export interface ZipEntry {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** PyTorch maps tensors into memory; data begins at multiples of this in its files. */
const alignment = 64;

const localBytes = 30;

/** The id of PyTorch's padding in a header's extra field: "FB". */
const paddingId = 0x4246;

/** Without the 64-bit records of the format, which a larger file needs. */
const maxBytes = 0xffffffff;

const maxEntries = 0xffff;

/** Version 2.0 of the format; names in UTF-8; no time, so that equal contents make equal files. */
const common = { version: 20, flags: 0x0800 } as const;

/**
 * A zip archive as PyTorch writes it: entries stored as they are, their data aligned. The entries' bytes aren't copied.
 *
 * @throws TorchFileError beyond 4 GiB or 65,535 entries
 */
export function writeZip(entries: readonly ZipEntry[]): Uint8Array[] {
  const parts: Uint8Array[] = [];
  const directory: Buffer[] = [];
  let at = 0;
  for (const entry of entries) {
    const name = Buffer.from(entry.name);
    const checksum = crc32(entry.bytes);
    const header = localHeader(name, checksum, entry.bytes.byteLength, at);
    directory.push(directoryRecord(name, checksum, entry.bytes.byteLength, at));
    parts.push(header, entry.bytes);
    at += header.length + entry.bytes.byteLength;
    if (at > maxBytes || directory.length > maxEntries) {
      throw new TorchFileError(
        'the file would be larger than 4 GiB or have more than 65,535 entries: write safetensors',
      );
    }
  }
  const records = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(entries.length, 8);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(records.length, 12);
  end.writeUInt32LE(at, 16);
  return [...parts, records, end];
}

function localHeader(name: Buffer, checksum: number, size: number, at: number): Buffer {
  const unpadded = at + localBytes + name.length + 4;
  const padding = (alignment - (unpadded % alignment)) % alignment;
  const header = Buffer.alloc(localBytes + name.length + 4 + padding);
  header.writeUInt32LE(0x04034b50, 0);
  header.writeUInt16LE(common.version, 4);
  header.writeUInt16LE(common.flags, 6);
  header.writeUInt32LE(checksum, 14);
  header.writeUInt32LE(size, 18);
  header.writeUInt32LE(size, 22);
  header.writeUInt16LE(name.length, 26);
  header.writeUInt16LE(4 + padding, 28);
  name.copy(header, localBytes);
  header.writeUInt16LE(paddingId, localBytes + name.length);
  header.writeUInt16LE(padding, localBytes + name.length + 2);
  return header;
}

function directoryRecord(name: Buffer, checksum: number, size: number, offset: number): Buffer {
  const record = Buffer.alloc(46);
  record.writeUInt32LE(0x02014b50, 0);
  record.writeUInt16LE(common.version, 4);
  record.writeUInt16LE(common.version, 6);
  record.writeUInt16LE(common.flags, 8);
  record.writeUInt32LE(checksum, 16);
  record.writeUInt32LE(size, 20);
  record.writeUInt32LE(size, 24);
  record.writeUInt16LE(name.length, 28);
  record.writeUInt32LE(offset, 42);
  return Buffer.concat([record, name]);
}
