/**
 * The safetensors format (https://github.com/huggingface/safetensors, "Format"): eight bytes with the header's length
 * (unsigned, little-endian), the header in JSON, then the tensors' bytes without gaps. Any tool that knows the format
 * reads our checkpoints; what we read is checked as strictly as by its reference implementation.
 */
import { messageOf } from '../../api/errors.ts';
import { SafetensorsError } from './errors.ts';
import type { HeaderTensor } from './safetensors-header.ts';
import { parseHeader, quoted } from './safetensors-header.ts';
import type { NamedTensor, TensorDType, TensorOutline } from './tensors.ts';
import { byteLengthOf, elementBytes, outline } from './tensors.ts';

const lengthBytes = 8;

/** The reference implementation's limit. */
const maxHeaderBytes = 100_000_000;

/** The header is padded to this, so that a tensor list of one dtype is aligned for typed arrays. */
const headerAlignment = 8;

/**
 * Encodes tensors in the order given. The tensors' bytes aren't copied: the result is the header and then their own
 * arrays.
 *
 * @param metadata free strings, such as `{format: 'pt'}`
 * @throws SafetensorsError if two tensors share a name, or bytes and shape disagree
 */
export function encodeSafetensors(
  tensors: readonly NamedTensor[],
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array[] {
  for (const { name, dtype, shape, bytes } of tensors) {
    if (bytes.byteLength !== byteLengthOf(dtype, shape)) {
      throw new SafetensorsError(`tensor ${name}: ${bytes.byteLength} bytes aren't ${outline({ dtype, shape })}`);
    }
  }
  return [safetensorsHead(tensors, metadata), ...tensors.map((tensor) => tensor.bytes)];
}

/**
 * What a file begins with, before the tensors' bytes.
 *
 * @param reserved bytes that it has at least, so that a file can be begun before the shapes are known
 */
export function safetensorsHead(
  tensors: readonly TensorOutline[],
  metadata: Readonly<Record<string, string>> = {},
  reserved = 0,
): Buffer {
  const names = new Set<string>(['__metadata__']);
  // Joined by hand, since an object would move names that look like numbers to the front.
  const entries: string[] = Object.keys(metadata).length > 0 ? [`"__metadata__":${JSON.stringify(metadata)}`] : [];
  let begin = 0;
  for (const { name, dtype, shape } of tensors) {
    if (names.has(name)) throw new SafetensorsError(`two tensors are named ${quoted(name)}`);
    names.add(name);
    const end = begin + byteLengthOf(dtype, shape);
    entries.push(`${JSON.stringify(name)}:${JSON.stringify({ dtype, shape, data_offsets: [begin, end] })}`);
    begin = end;
  }
  const text = Buffer.from(`{${entries.join(',')}}`);
  const padded = Math.ceil(Math.max(text.length, reserved - lengthBytes) / headerAlignment) * headerAlignment;
  if (padded > maxHeaderBytes)
    throw new SafetensorsError(`a header of ${padded} bytes is longer than the format allows`);
  const head = Buffer.alloc(lengthBytes + padded, ' ');
  head.writeBigUInt64LE(BigInt(padded));
  text.copy(head, lengthBytes);
  return head;
}

/**
 * Decodes a whole file. The tensors' bytes are views into `bytes`, in the order in which they lie there.
 *
 * @throws SafetensorsError for anything that isn't exactly the format: a header length beyond the file or 100 MB, text
 *   that isn't UTF-8 or isn't such a header, a name twice, an unknown dtype, offsets that don't fit the shape, overlap,
 *   leave a gap or lie outside the file
 */
export function decodeSafetensors(bytes: Uint8Array): {
  tensors: NamedTensor[];
  metadata: Readonly<Record<string, string>>;
} {
  if (bytes.byteLength < lengthBytes) throw new SafetensorsError(`${bytes.byteLength} bytes are too few for a header`);
  const length = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true);
  if (length > BigInt(maxHeaderBytes) || length > BigInt(bytes.byteLength - lengthBytes)) {
    throw new SafetensorsError(`a header of ${length} bytes can't be: the file has ${bytes.byteLength}`);
  }
  const dataStart = lengthBytes + Number(length);
  const header = parseHeader(decodeUtf8(bytes.subarray(lengthBytes, dataStart)));
  const data = bytes.subarray(dataStart);
  let expected = 0;
  const tensors = header.tensors.toSorted(byPosition).map((entry) => {
    const tensor = tensorOf(entry, data, expected);
    expected = entry.end;
    return tensor;
  });
  if (expected !== data.byteLength) {
    throw new SafetensorsError(`the tensors end at byte ${expected} of ${data.byteLength}`);
  }
  return { tensors, metadata: header.metadata };
}

/** Empty tensors come before the one that begins where they lie. */
function byPosition(a: HeaderTensor, b: HeaderTensor): number {
  return a.begin - b.begin || a.end - b.end;
}

function tensorOf(entry: HeaderTensor, data: Uint8Array, expected: number): NamedTensor {
  const { name, dtype, shape, begin, end } = entry;
  const title = quoted(name);
  if (!isDType(dtype))
    throw new SafetensorsError(`tensor ${title} is of dtype ${quoted(dtype)}, which is not supported`);
  if (begin !== expected) throw new SafetensorsError(`tensor ${title} starts at byte ${begin} instead of ${expected}`);
  if (end > data.byteLength) throw new SafetensorsError(`tensor ${title} ends at byte ${end} of ${data.byteLength}`);
  if (end - begin !== byteLengthOf(dtype, shape)) {
    throw new SafetensorsError(`tensor ${title}: ${end - begin} bytes aren't ${outline({ dtype, shape })}`);
  }
  return { name, dtype, shape, bytes: data.subarray(begin, end) };
}

function isDType(dtype: string): dtype is TensorDType {
  return Object.hasOwn(elementBytes, dtype);
}

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (thrown) {
    throw new SafetensorsError(`the header is not UTF-8: ${messageOf(thrown)}`, { cause: thrown });
  }
}
