import { quoted } from '../checkpoint/safetensors-header.ts';
import { TorchClassError, TorchFileError } from './errors.ts';
import type { PickleValue, TorchDType } from './pickle-values.ts';
import { PickleGlobal, PickleTuple, StorageReference, storageClasses, TensorReference } from './pickle-values.ts';

const dtypesByClass = new Map(
  Object.entries(storageClasses).map(([dtype, name]) => [`torch.${name}`, dtype as TorchDType]),
);

/** What may be called, and what that gives. Everything else that a pickle names ends the reading. */
const functions: Readonly<Record<string, (args: readonly PickleValue[]) => PickleValue>> = {
  'collections.OrderedDict': orderedDict,
  'torch._utils._rebuild_tensor_v2': rebuildTensor,
  'torch._utils._rebuild_parameter': rebuildParameter,
};

/** @throws TorchClassError unless it is a part of tensors and plain containers */
export function globalNamed(module: string, name: string): PickleGlobal {
  const full = `${module}.${name}`;
  if (Object.hasOwn(functions, full) || dtypesByClass.has(full)) return new PickleGlobal(full);
  throw new TorchClassError(
    `the file names ${quoted(full)}, which is neither a tensor nor a plain container; nothing was run. ` +
      'Only state_dicts, lists, dicts, numbers and strings are read: save those from PyTorch, without it',
  );
}

/** What calling a global gives. */
export function call(callee: PickleValue | undefined, args: PickleValue | undefined): PickleValue {
  const build = callee instanceof PickleGlobal && Object.hasOwn(functions, callee.name) && functions[callee.name];
  if (!build || !(args instanceof PickleTuple)) throw new TorchFileError('the pickle calls what is no function');
  return build(args.items);
}

/** Python 3 fills an empty one afterwards; Python 2 gives its pairs. */
function orderedDict(args: readonly PickleValue[]): PickleValue {
  const [pairs = []] = args;
  if (args.length > 1 || !Array.isArray(pairs)) throw new TorchFileError('an OrderedDict of the pickle is malformed');
  return new Map(
    pairs.map((pair) => {
      const items = pair instanceof PickleTuple ? pair.items : pair;
      if (!Array.isArray(items) || items.length !== 2) {
        throw new TorchFileError('an OrderedDict of the pickle is malformed');
      }
      return [keyOf(items[0]), items[1] as PickleValue];
    }),
  );
}

/** Keys that are equal where Python's are. */
export function keyOf(value: PickleValue | undefined): string | number | bigint | boolean | null {
  if (value === null || ['string', 'number', 'bigint', 'boolean'].includes(typeof value)) return value as string;
  throw new TorchFileError('a dict of the pickle has a key that is neither text nor a number');
}

function rebuildTensor(args: readonly PickleValue[]): PickleValue {
  const [storage, offset, shape, strides] = args;
  const [sizes, steps] = [wholeNumbers(shape), wholeNumbers(strides)];
  if (!(storage instanceof StorageReference) || !isCount(offset) || sizes?.length !== steps?.length || !sizes || !steps)
    throw new TorchFileError('a tensor of the pickle is malformed');
  return new TensorReference(storage, offset, sizes, steps);
}

function rebuildParameter([data]: readonly PickleValue[]): PickleValue {
  if (!(data instanceof TensorReference)) throw new TorchFileError('a parameter of the pickle is malformed');
  return data;
}

/** The persistent id of a storage: ('storage', class, key, device, elements), with a view of it in old files. */
export function storageOf(id: PickleValue | undefined): StorageReference {
  const [kind, storageClass, key, , elements, view = null] = id instanceof PickleTuple ? id.items : [];
  const dtype = storageClass instanceof PickleGlobal ? dtypesByClass.get(storageClass.name) : undefined;
  if (kind !== 'storage' || dtype === undefined || typeof key !== 'string' || !isCount(elements)) {
    throw new TorchFileError('a storage of the pickle is malformed');
  }
  if (view !== null) throw new TorchFileError('views of storages, as PyTorch before 0.4 saved them, are not supported');
  return new StorageReference(dtype, key, elements);
}

const maxDimensions = 64;

function wholeNumbers(value: PickleValue | undefined): readonly number[] | undefined {
  if (!(value instanceof PickleTuple) || value.items.length > maxDimensions) return undefined;
  const { items } = value;
  return items.every(isCount) ? items : undefined;
}

function isCount(value: PickleValue | undefined): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
