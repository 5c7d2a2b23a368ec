import { readSync } from 'node:fs';

import { ShardError } from './errors.ts';

/** A regular file within a tar. */
export interface TarEntry {
  readonly name: string;
  /** Of the data, in bytes from the beginning of the tar. */
  readonly offset: number;
  readonly size: number;
}

const block = 512;
/** Read at a time while walking over headers: enough for a header, a label and the next header at once. */
const window = 4096;
/** Of a long name or a pax header. */
const mostNameBytes = 65_536;

/**
 * Reads small pieces of a file in ascending order with few system calls. Synchronously: there are millions of headers in
 * a large set, and a promise for each would take ten times as long as the reading.
 */
export class WindowReader {
  readonly #file: number;
  readonly #buffer = Buffer.alloc(window);
  #from = 0;
  #length = 0;

  /** @param file a descriptor that stays open while this is used */
  constructor(file: number) {
    this.#file = file;
  }

  /** Up to `length` bytes at `offset`; fewer at the end of the file. Valid until the next call. */
  read(offset: number, length: number): Buffer {
    if (length > window) {
      const large = Buffer.alloc(length);
      return large.subarray(0, readSync(this.#file, large, 0, length, offset));
    }
    if (offset < this.#from || offset + length > this.#from + this.#length) {
      this.#from = offset;
      this.#length = readSync(this.#file, this.#buffer, 0, window, offset);
    }
    const start = offset - this.#from;
    return this.#buffer.subarray(start, Math.min(start + length, this.#length));
  }
}

/** A wish for up to `length` bytes at `offset`, fewer at the end of the file. */
export interface ReadRequest {
  readonly offset: number;
  readonly length: number;
}

/** Work that asks for bytes as it goes, so that it doesn't matter whether they come from a disk or over a network. */
export type Reading<Result> = Generator<ReadRequest, Result, Buffer>;

/** Does a reading of a file of this machine. */
export function readHere<Result>(reading: Reading<Result>, reader: WindowReader): Result {
  let step = reading.next();
  while (step.done !== true) step = reading.next(reader.read(step.value.offset, step.value.length));
  return step.value;
}

/**
 * The regular files of a tar, by its headers alone (ustar, GNU long names, pax paths and sizes).
 *
 * @param path for messages
 * @throws ShardError when the archive is cut off, or isn't one
 */
export function* readTarIndex(path: string, fileSize: number): Reading<TarEntry[]> {
  const entries: TarEntry[] = [];
  let override: { path?: string; size?: number } = {};
  for (let at = 0; ;) {
    const header = yield { offset: at, length: block };
    if (header.length < block) {
      throw new ShardError(`${path} is cut off after ${entries.length} files: copy it again`);
    }
    if (header.every((byte) => byte === 0)) return entries;
    const size = override.size ?? numberAt(header, 124, 12);
    if (!checksumHolds(header) || !(size >= 0)) {
      throw new ShardError(`${path} is damaged, or not a tar archive (at byte ${at}): copy or pack it again`);
    }
    const kind = String.fromCharCode(header[156] ?? 0);
    const name = override.path ?? nameOf(header);
    const offset = at + block;
    if (offset + size > fileSize) throw new ShardError(`${path} is cut off within ${name}: copy it again`);
    at = offset + Math.ceil(size / block) * block;
    if ((kind === 'L' || kind === 'x') && size > mostNameBytes) {
      throw new ShardError(`${path} holds a name of ${size} bytes (at byte ${offset}): pack it again`);
    }
    if (kind === 'L') {
      override = { ...override, path: textOf(yield { offset, length: size }) };
    } else if (kind === 'x') {
      override = { ...override, ...parsePax(yield { offset, length: size }) };
    } else {
      if (kind === '0' || kind === '\0') entries.push({ name, offset, size });
      override = {};
    }
  }
}

function textOf(bytes: Buffer): string {
  const end = bytes.indexOf(0);
  return bytes.toString('utf8', 0, end < 0 ? bytes.length : end);
}

function nameOf(header: Buffer): string {
  const name = textOf(header.subarray(0, 100));
  const prefix = header.toString('latin1', 257, 263) === 'ustar\0' ? textOf(header.subarray(345, 500)) : '';
  return prefix === '' ? name : `${prefix}/${name}`;
}

/** Octal text, or big-endian with the top bit set (GNU's form of sizes from 8 GiB on). */
function numberAt(header: Buffer, at: number, length: number): number {
  if ((header[at] ?? 0) & 0x80) return header.readUIntBE(at + length - 6, 6);
  return Number.parseInt(
    header
      .toString('latin1', at, at + length)
      .replaceAll('\0', ' ')
      .trim() || '0',
    8,
  );
}

function checksumHolds(header: Buffer): boolean {
  const expected = numberAt(header, 148, 8);
  let sum = 0;
  for (let i = 0; i < block; i++) sum += i >= 148 && i < 156 ? 32 : (header[i] ?? 0);
  return sum === expected;
}

/** Records of the form `<length> <key>=<value>\n`, lengths in bytes. */
function parsePax(bytes: Buffer): { path?: string; size?: number } {
  const found: { path?: string; size?: number } = {};
  for (let at = 0; at < bytes.length;) {
    const length = Number.parseInt(bytes.toString('latin1', at, at + 20), 10);
    if (!(length > 0)) break;
    const record = bytes.toString('utf8', bytes.indexOf(32, at) + 1, at + length - 1);
    const equals = record.indexOf('=');
    const key = record.slice(0, equals);
    if (key === 'path') found.path = record.slice(equals + 1);
    if (key === 'size') found.size = Number(record.slice(equals + 1));
    at += length;
  }
  return found;
}
