/**
 * The .npy format (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html), as far as matrices of
 * float32 need it.
 */
import { FeatureFileError } from './errors.ts';
import { floatsOf } from '../checkpoint/tensors.ts';

const magic = Buffer.from('\u0093NUMPY', 'latin1');

/** Enough for any shape, and a multiple of 64 as the format wants it. */
const headBytes = 128;

/** What a float32 [rows, columns] in row-major order begins with: as many bytes for any shape. */
export function npyHead(rows: number, columns: number): Buffer {
  const head = Buffer.alloc(headBytes, ' ');
  magic.copy(head);
  head.writeUInt16LE(0x0001, magic.length);
  head.writeUInt16LE(headBytes - magic.length - 4, magic.length + 2);
  head.write(`{'descr': '<f4', 'fortran_order': False, 'shape': (${rows}, ${columns}), }`, magic.length + 4, 'latin1');
  head.write('\n', headBytes - 1, 'latin1');
  return head;
}

export interface NpyMatrix {
  readonly rows: number;
  readonly columns: number;
  readonly values: Float32Array;
}

/** @throws FeatureFileError unless it is a float32 matrix in row-major order, whole and with nothing behind it */
export function decodeNpy(bytes: Buffer, path: string): NpyMatrix {
  const major = bytes[magic.length];
  if (!bytes.subarray(0, magic.length).equals(magic) || (major !== 1 && major !== 2 && major !== 3)) {
    throw new FeatureFileError(`${path} is no .npy file`);
  }
  const lengthAt = magic.length + 2;
  const begin = lengthAt + (major === 1 ? 2 : 4);
  const length = begin > bytes.length ? 0 : major === 1 ? bytes.readUInt16LE(lengthAt) : bytes.readUInt32LE(lengthAt);
  const text = bytes.toString('latin1', begin, begin + length);
  const shape = /'shape': \((\d{1,15}), (\d{1,15})\)/.exec(text);
  if (!text.includes("'descr': '<f4'") || !text.includes("'fortran_order': False") || shape === null) {
    throw new FeatureFileError(`${path} is no float32 matrix in row-major order: save features.astype('float32')`);
  }
  const [rows, columns] = [Number(shape[1]), Number(shape[2])];
  const data = bytes.subarray(begin + length);
  if (data.length !== rows * columns * 4) {
    throw new FeatureFileError(`${path} has ${data.length} bytes of data, not those of ${rows} × ${columns} float32`);
  }
  return { rows, columns, values: floatsOf(data) };
}
