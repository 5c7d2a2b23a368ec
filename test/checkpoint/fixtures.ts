import type { ObjectStore } from '../../storage/object-store.ts';
import type { HistoryRecord } from '../../trainer/checkpoint/json.ts';
import type { CheckpointWarning } from '../../trainer/checkpoint/reader.ts';
import type { CheckpointCommit, RepositoryOptions } from '../../trainer/checkpoint/repository.ts';
import { CheckpointRepository } from '../../trainer/checkpoint/repository.ts';
import type { NamedTensor } from '../../trainer/checkpoint/tensors.ts';

/** A tensor whose every byte depends on the step, so that a mixture of two steps shows. */
export function tensorOf(name: string, step: number, elements: number): NamedTensor {
  const values = Float32Array.from({ length: elements }, (_, index) => step + index / elements);
  return { name, dtype: 'F32', shape: [elements], bytes: new Uint8Array(values.buffer) };
}

export function commitOf(step: number, history: readonly HistoryRecord[], elements = 64): CheckpointCommit {
  return {
    step,
    model: [tensorOf('encoder.conv1.weight', step, elements), tensorOf('encoder.bn1.weight', -step, 3)],
    optimizer: [tensorOf('momentum.encoder.conv1.weight', 2 * step, elements)],
    state: { step, lanes: [step, step + 1], best: { knnTop1: step / 7 } },
    history,
  };
}

/** The records of the steps after `from` up to `to`. */
export function recordsOf(from: number, to: number): HistoryRecord[] {
  return Array.from({ length: to - from }, (_, index) => ({ step: from + index + 1, loss: -1 / (from + index + 1) }));
}

export async function openRepository(
  store: ObjectStore,
  overrides: Partial<RepositoryOptions> = {},
): Promise<{ repository: CheckpointRepository; warnings: CheckpointWarning[] }> {
  const warnings: CheckpointWarning[] = [];
  const repository = await CheckpointRepository.open({
    store,
    stage: 'pretrain',
    recipeHash: 'r1',
    keep: 3,
    clock: () => Date.UTC(2026, 0, 1),
    onWarning: (warning) => warnings.push(warning),
    ...overrides,
  });
  return { repository, warnings };
}

/** The lines of a stage's `history.jsonl`, or `undefined` if there is none. */
export async function publishedHistory(store: ObjectStore): Promise<unknown[] | undefined> {
  const text = (await store.get('pretrain/history.jsonl'))?.bytes.toString();
  return text
    ?.split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as unknown);
}
