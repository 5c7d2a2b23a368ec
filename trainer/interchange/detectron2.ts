import type { NamedTensor, TensorDType } from '../checkpoint/tensors.ts';
import { ConvertError } from './errors.ts';
import { pickle, pyGlobal, type PyNode, pyTuple, type PyValue } from './pickler.ts';

/**
 * Detectron2's name of a tensor of a torchvision ResNet: stages are counted from 2, a batch norm belongs to its
 * convolution, and what comes before the stages is the stem.
 */
export function detectron2Name(name: string): string {
  const located = /^layer(\d)\.(.*)$/.exec(name);
  const renamed = located ? `res${Number(located[1]) + 1}.${located[2]}` : `stem.${name}`;
  return renamed
    .replace(/\.bn(\d)\./, '.conv$1.norm.')
    .replace('.downsample.0.', '.shortcut.')
    .replace('.downsample.1.', '.shortcut.norm.');
}

/**
 * The `.pkl` that detectron2 reads as a model to start from: numpy arrays by its names, matched to the model's by their
 * ends. Readable by numpy 1 and 2.
 *
 * @param backbone by torchvision's names
 */
export function toDetectron2(backbone: readonly NamedTensor[]): Uint8Array[] {
  const model = new Map(backbone.map((tensor) => [detectron2Name(tensor.name), arrayOf(tensor)]));
  const file = new Map<string, PyValue>([
    ['model', model],
    ['__author__', 'simsiam-operator'],
    ['matching_heuristics', true],
  ]);
  return [pickle(file, 3)];
}

/** numpy's dtypes and the byte orders that it writes for them. */
const numpyTypes: Readonly<Record<TensorDType, readonly [string, '<' | '|'] | undefined>> = {
  F32: ['f4', '<'],
  F64: ['f8', '<'],
  F16: ['f2', '<'],
  BF16: undefined,
  I32: ['i4', '<'],
  I64: ['i8', '<'],
  U8: ['u1', '|'],
  BOOL: ['b1', '|'],
};

/** As numpy pickles an array: made empty, then given version, shape, dtype, Fortran order and bytes. */
function arrayOf({ name, dtype, shape, bytes }: NamedTensor): PyNode {
  const type = numpyTypes[dtype];
  if (type === undefined) throw new ConvertError(`${name} is of ${dtype}, which numpy doesn't have`);
  const [code, order] = type;
  const numpyType: PyNode = {
    kind: 'call',
    callee: pyGlobal('numpy', 'dtype'),
    args: [code, false, true],
    state: pyTuple(3, order, null, null, null, -1, -1, 0),
  };
  return {
    kind: 'call',
    callee: pyGlobal('numpy.core.multiarray', '_reconstruct'),
    args: [pyGlobal('numpy', 'ndarray'), pyTuple(0), Buffer.from('b')],
    state: pyTuple(1, pyTuple(...shape), numpyType, false, bytes),
  };
}
