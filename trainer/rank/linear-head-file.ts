import type { LinearSpec } from '../../api/run.ts';
import { assertSameTensors, bytesOf, floatsOf, type NamedTensor } from '../checkpoint/tensors.ts';
import type { FeatureExtractor } from '../evaluate/extractor.ts';
import type { HeadValues } from '../evaluate/linear-head.ts';
import { initialLinearState, type LinearState } from '../evaluate/linear-state.ts';
import { readNetwork } from '../interchange/read-network.ts';
import { LinearResumeError } from './errors.ts';

/**
 * Where a linear evaluation begins that goes on from a file of another one; undefined without a file.
 * @throws LinearResumeError, CheckpointMismatchError where it has no classifier of that shape, and the errors of reading it
 */
export async function headToStartFrom(
  { resumeFrom: file, epochs, evaluateOnly }: LinearSpec,
  { dimension }: Pick<FeatureExtractor, 'dimension'>,
  classes: number,
): Promise<LinearState | undefined> {
  if (file === undefined) return undefined;
  const { tensors, momenta, epoch = 0 } = await readNetwork(file);
  const where = `spec.linear.resumeFrom: ${file}`;
  if (epoch >= epochs && evaluateOnly !== true)
    throw new LinearResumeError(`${where} has ${epoch} epochs and spec.linear.epochs is ${epochs}: raise it`);
  const state = initialLinearState(requireHead(tensors, { dimension, classes }, where));
  return {
    ...state,
    epoch,
    ...(momenta.length > 0 && { momenta: requireHead(momenta, { dimension, classes }, where) }),
  };
}

/** @throws CheckpointMismatchError */
function requireHead(
  tensors: readonly NamedTensor[],
  { dimension, classes }: { readonly dimension: number; readonly classes: number },
  where: string,
): HeadValues {
  const head = tensors.filter(({ name }) => name === 'fc.weight' || name === 'fc.bias');
  const expected = [
    { name: 'fc.weight', dtype: 'F32', shape: [classes, dimension] },
    { name: 'fc.bias', dtype: 'F32', shape: [classes] },
  ] as const;
  assertSameTensors(expected, head, where);
  return headOf(head);
}

/** The classifier in the graph's layout. */
export function headOf(tensors: readonly NamedTensor[]): HeadValues {
  const tensor = (name: string): NamedTensor => tensors.find((tensor) => tensor.name === name)!;
  const weight = tensor('fc.weight');
  return {
    weight: floatsOf(transposed(floatsOf(weight.bytes), weight.shape[1]!)),
    bias: floatsOf(tensor('fc.bias').bytes),
  };
}

/** Row-major [rows, columns] → [columns, rows]: PyTorch's layout of the weight is the transpose of the graph's. */
export function transposed(values: Float32Array, columns: number): Uint8Array {
  const rows = values.length / columns;
  const result = new Float32Array(values.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) result[column * rows + row] = values[row * columns + column]!;
  }
  return bytesOf(result);
}
