import { quoted } from '../checkpoint/safetensors-header.ts';
import { byteLengthOf } from '../checkpoint/tensors.ts';
import { ByteReader } from './byte-reader.ts';
import { TorchFileError } from './errors.ts';
import type { PickleValue, StorageReference, TensorReference } from './pickle-values.ts';
import { bytesOfTensor } from './strided.ts';
import { unpickle } from './unpickler.ts';
import { isZip, readZip } from './zip-reader.ts';

/** A file that `torch.save` wrote. */
export interface TorchFile {
  readonly value: PickleValue;
  /** Bytes of each tensor in `value`, row-major and little-endian. */
  readonly bytesOf: (tensor: TensorReference) => Uint8Array;
}

/** Tensors may share storages; a file whose tensors say the same bytes over and over is hostile. */
const maxSharing = 8;

/** Begins the files of PyTorch before 1.6 (and with `_use_new_zipfile_serialization=False`). */
const legacyMagic = 0x1950a86a20f9469cfc6cn;

const legacyProtocol = 1001;

/**
 * Reads what `torch.save` writes, in its zip format and the one before it. Nothing in the file is run, and no name in it
 * is used as a path.
 *
 * @throws TorchClassError for a class other than tensors and plain containers
 * @throws TorchFileError for anything that is damaged or hostile
 */
export function readTorchFile(bytes: Uint8Array): TorchFile {
  return isZip(bytes) ? readZipFormat(bytes) : readLegacyFormat(bytes);
}

function readZipFormat(bytes: Uint8Array): TorchFile {
  const entries = readZip(bytes);
  const pickles = [...entries.keys()].filter((name) => /^[^/]*\/data\.pkl$/.test(name));
  if (pickles.length !== 1) throw new TorchFileError('this zip archive is not a file of PyTorch: it has no data.pkl');
  const folder = pickles[0]!.slice(0, -'data.pkl'.length);
  const order = entries.get(`${folder}byteorder`)?.toString('latin1') ?? 'little';
  if (order !== 'little')
    throw new TorchFileError(`the byte order of the file is ${quoted(order)}; only little is read`);
  const { value, storages, tensors } = unpickle(entries.get(pickles[0]!)!, 'data.pkl');
  return fileOf(value, tensors, storages, ({ key }) => entries.get(`${folder}data/${key}`));
}

/** Magic number, protocol and machine as pickles, the object, the keys of its storages, then their lengths and bytes. */
function readLegacyFormat(bytes: Uint8Array): TorchFile {
  const notTorch = 'this is not a file of PyTorch: it is neither a zip archive nor begins with the magic number';
  if (bytes[0] !== 0x80) throw new TorchFileError(notTorch);
  const magic = unpickle(bytes, 'the file');
  if (magic.value !== legacyMagic) throw new TorchFileError(notTorch);
  const protocol = unpickle(bytes, 'the file', magic.end);
  if (protocol.value !== legacyProtocol)
    throw new TorchFileError('this old format of PyTorch is of an unknown version');
  const system = unpickle(bytes, 'the file', protocol.end);
  if (!(system.value instanceof Map) || system.value.get('little_endian') !== true) {
    throw new TorchFileError('only files of little-endian machines are read');
  }
  const { value, storages, tensors, end } = unpickle(bytes, 'the file', system.end);
  const keys = unpickle(bytes, 'the file', end);
  const found = legacyStorages(new ByteReader(bytes, 'the file', keys.end), keys.value, storages);
  return fileOf(value, tensors, storages, ({ key }) => found.get(key));
}

function legacyStorages(
  reader: ByteReader,
  keys: PickleValue,
  storages: readonly StorageReference[],
): ReadonlyMap<string, Uint8Array> {
  const byKey = new Map(storages.map((storage) => [storage.key, storage]));
  const found = new Map<string, Uint8Array>();
  for (const key of Array.isArray(keys) ? keys : []) {
    const storage = typeof key === 'string' ? byKey.get(key) : undefined;
    if (storage === undefined) throw new TorchFileError('the file has a storage that no tensor uses');
    if (reader.u64() !== storage.elements)
      throw new TorchFileError(`storage ${quoted(storage.key)} has another length`);
    found.set(storage.key, reader.take(byteLengthOf(storage.dtype, [storage.elements])));
  }
  return found;
}

/** Checks the storages, and reads all tensors, so that what is wrong is told before anything is done with the file. */
function fileOf(
  value: PickleValue,
  tensors: readonly TensorReference[],
  storages: readonly StorageReference[],
  find: (storage: StorageReference) => Uint8Array | undefined,
): TorchFile {
  const found = new Map<StorageReference, Uint8Array>();
  const sizes = new Map<string, number>();
  for (const storage of storages) {
    const bytes = find(storage);
    const wanted = byteLengthOf(storage.dtype, [storage.elements]);
    if (bytes?.byteLength !== wanted) {
      const has = bytes === undefined ? 'is missing' : `has ${bytes.byteLength} bytes instead of ${wanted}`;
      throw new TorchFileError(`storage ${quoted(storage.key)} ${has}`);
    }
    found.set(storage, bytes);
    sizes.set(storage.key, wanted);
  }
  const all = [...sizes.values()].reduce((sum, size) => sum + size, 0);
  const read = new Map<TensorReference, Uint8Array>();
  let total = 0;
  for (const tensor of tensors) {
    total += byteLengthOf(tensor.storage.dtype, tensor.shape);
    if (total > maxSharing * all) {
      throw new TorchFileError(`tensors of more than ${total} bytes share storages of ${all}: no checkpoint does`);
    }
    read.set(tensor, bytesOfTensor(tensor, found.get(tensor.storage)!));
  }
  return { value, bytesOf: (tensor) => read.get(tensor)! };
}
