import type { CheckpointRepository } from '../checkpoint/repository.ts';
import type { HistoryRecord, JsonObject } from '../checkpoint/json.ts';
import type { CheckpointRef } from '../checkpoint/register.ts';
import type { StateEntry } from '../model/layer.ts';
import { toTensors } from './checkpoint-tensors.ts';
import { probeTensors } from './online-probe.ts';
import { disposeTrained, holdState, type PretrainState, type StateCodec } from './state.ts';

interface JournalOptions {
  readonly repository: CheckpointRepository;
  readonly codec: StateCodec;
  readonly entries: readonly StateEntry[];
  /** Batches that a step has for batch norm: two views, each of one part or more. */
  readonly batchesOfStep: number;
  readonly onCommitted: (ref: CheckpointRef) => void;
}

/**
 * What rank 0 writes of a pre-training: a record a step, and checkpoints that carry the records since the last one.
 * Uploads run in the background, one at a time; steps go on meanwhile on states of their own.
 */
export class Journal {
  readonly #options: JournalOptions;
  #records: HistoryRecord[] = [];
  #timings: JsonObject[] = [];
  #upload: Promise<void> = Promise.resolve();
  #failure: { readonly error: unknown } | undefined;

  constructor(options: JournalOptions) {
    this.#options = options;
  }

  record(record: HistoryRecord): void {
    this.#records.push(record);
  }

  /** Figures that no two runs agree in; they go to a file of their own. */
  recordTiming(timing: JsonObject): void {
    this.#timings.push(timing);
  }

  /**
   * Begins a checkpoint of the state after `step`, once the one before is committed.
   * @throws What made the one before fail.
   */
  async commit(state: PretrainState, step: number, extra: JsonObject): Promise<void> {
    const snapshot = holdState(state);
    await this.settled();
    const [history, timings] = [this.#records, this.#timings];
    [this.#records, this.#timings] = [[], []];
    this.#upload = this.#write(snapshot, { step, history, timings, extra }).catch((error: unknown) => {
      this.#failure = { error };
    });
  }

  /**
   * Waits until nothing is under way.
   * @throws What made a checkpoint fail.
   */
  async settled(): Promise<void> {
    await this.#upload;
    this.assertHealthy();
  }

  /** @throws What made a checkpoint fail, so that a run doesn't go on for long with nothing to fall back on. */
  assertHealthy(): void {
    if (this.#failure) throw this.#failure.error;
  }

  async #write(
    snapshot: PretrainState,
    commit: { step: number; history: HistoryRecord[]; timings: JsonObject[]; extra: JsonObject },
  ): Promise<void> {
    const { codec, entries, batchesOfStep, repository, onCommitted } = this.#options;
    const read = Promise.all([codec.values(snapshot), snapshot.probe ? probeTensors(snapshot.probe) : []]);
    const [values, probe] = await read.finally(() => {
      disposeTrained(snapshot);
      snapshot.frozen.dispose();
    });
    const { step, history, timings, extra } = commit;
    const { model, optimizer } = toTensors(entries, values, step * batchesOfStep);
    const tensors = { model, optimizer: [...optimizer, ...probe] };
    onCommitted(await repository.commit({ step, ...tensors, state: { step, ...extra }, history, timings }));
  }
}
