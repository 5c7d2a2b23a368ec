import { messageOf } from '../../api/errors.ts';
import { PreconditionFailedError } from '../../storage/errors.ts';
import type { ObjectStore } from '../../storage/object-store.ts';
import { StaleGenerationError } from './errors.ts';
import { History } from './history.ts';
import type { HistoryRecord, JsonObject } from './json.ts';
import type { Stage } from './manifest.ts';
import type { Checkpoint, CheckpointWarning } from './reader.ts';
import { newestWhole } from './reader.ts';
import type { CheckpointRef } from './register.ts';
import { CommitRegister } from './register.ts';
import { retained, superfluous } from './retention.ts';
import { Views } from './views.ts';
import type { CheckpointContents, WrittenCheckpoint } from './writer.ts';
import { writeCheckpoint } from './writer.ts';

export interface RepositoryOptions {
  readonly store: ObjectStore;
  readonly stage: Stage;
  /** Of the recipe that writes; recorded in each manifest. */
  readonly recipeHash: string;
  /** How many checkpoints stay, at least 1. With 2 or more, a damaged one can be passed over. */
  readonly keep: number;
  /** Wall clock, for the manifests' `createdAt`. Milliseconds since 1970. */
  readonly clock: () => number;
  readonly onWarning?: (warning: CheckpointWarning) => void;
}

export interface CheckpointCommit extends CheckpointContents {
  /** Timings, for `<stage>/timings.jsonl`: kept apart from the history, since no two runs agree in them. */
  readonly timings?: readonly JsonObject[];
  /** The best scores so far, for `<stage>/best.json`. */
  readonly best?: JsonObject;
}

/** Where the stage stands: what is committed on the way to the newest checkpoint, and its history. */
interface Position {
  readonly checkpoints: readonly CheckpointRef[];
  readonly history: History;
}

/**
 * The checkpoints of one stage, for the one process that writes them. Opening it claims the next generation: from then on
 * a former writer, however late it wakes up, can neither commit nor overwrite anything. Call `latest` before the first
 * `commit`: it says where the run goes on from, and the history is cut there.
 */
export class CheckpointRepository {
  readonly #options: RepositoryOptions;
  readonly #register: CommitRegister;
  readonly #views: Views;
  #position: Position | undefined;
  /** Written, and perhaps committed: the swap's outcome is unknown. */
  #unsettled: WrittenCheckpoint | undefined;
  #last: Promise<unknown> = Promise.resolve();

  private constructor(options: RepositoryOptions, register: CommitRegister) {
    this.#options = options;
    this.#register = register;
    this.#views = new Views(options.store, options.stage, (warning) => options.onWarning?.(warning));
  }

  /** Claims the stage's next generation. */
  static async open(options: RepositoryOptions): Promise<CheckpointRepository> {
    return new CheckpointRepository(options, await CommitRegister.claim(options.store, options.stage));
  }

  get generation(): number {
    return this.#register.generation;
  }

  /**
   * The newest whole checkpoint, or `undefined` at a stage's very start. One that is damaged is passed over with a
   * warning for the one before it, and the next commit drops it. The tensors' bytes are views into the files' bytes.
   *
   * @throws NoWholeCheckpointError if there are checkpoints and none is whole
   */
  async latest(): Promise<Checkpoint | undefined> {
    const { checkpoints } = this.#register;
    const found = await newestWhole(this.#options, checkpoints);
    const history = found ? await History.read(this.#options, found.manifest.history) : History.empty;
    this.#position = { checkpoints: found ? checkpoints.slice(0, checkpoints.indexOf(found.ref) + 1) : [], history };
    await this.#views.history(history, () => this.#register.assertOurs());
    return found?.checkpoint;
  }

  /**
   * Writes a checkpoint and then commits it with its history by one swap of the register. If it fails, the next call must
   * carry this one's history again, with its own. Calls run one after the other. The tensors' bytes are not copied, so
   * leave them alone until it settles; the event loop is never held for long. To commit the newest step once more
   * changes nothing, unless there are records that the former commit didn't have.
   *
   * @throws StaleGenerationError if another process has taken over
   * @throws StorageFullError and the other storage errors; what was committed before is untouched
   */
  async commit(commit: CheckpointCommit): Promise<CheckpointRef> {
    const result = this.#last.then(() => this.#commit(commit));
    // The next call waits for this one, but only this one's caller hears of its failure.
    this.#last = result.catch(() => undefined);
    return await result;
  }

  /** The committed records up to and with a step, in order. */
  async history(upToStep?: number): Promise<HistoryRecord[]> {
    await this.#last;
    return this.#positionNow().history.records(upToStep);
  }

  /** At the end of a process's work on the stage: `history.jsonl` has all that is committed. */
  async publish(): Promise<void> {
    await this.#last;
    await this.#views.history(this.#positionNow().history, () => this.#register.assertOurs());
  }

  async #commit(commit: CheckpointCommit): Promise<CheckpointRef> {
    if (this.#unsettled !== undefined) await this.#settle(this.#unsettled);
    const { checkpoints, history } = this.#positionNow();
    const head = checkpoints.at(-1);
    // By the history and not by the checkpoint: linear evaluation may have stopped after an epoch's last step, and its
    // record comes with the next commit, of the same step.
    const fresh = commit.history.filter((record) => record.step > history.lastStep);
    if (head?.step === commit.step && fresh.length === 0) return head;
    assertOrder(commit.step, head?.step ?? -1, fresh);
    await this.#register.assertOurs();
    const written = await this.#write({ ...commit, history: fresh }, history);
    this.#unsettled = written;
    await this.#register.commit(retained([...checkpoints, written.ref], this.#options.keep));
    this.#adopt(written);
    await this.#views.historyAfterCommit(written.history, () => this.#register.assertOurs());
    await this.#views.timings(commit.timings ?? []);
    if (commit.best !== undefined) await this.#views.best(commit.best);
    await this.#removeSuperfluous();
    return written.ref;
  }

  async #write(contents: CheckpointContents, history: History): Promise<WrittenCheckpoint> {
    const { store, stage } = this.#options;
    const { generation } = this;
    const keys: string[] = [];
    try {
      return await writeCheckpoint({ ...this.#options, generation }, contents, history, keys);
    } catch (thrown) {
      // Frees the room at once: a full disk is the likeliest reason, and the caller may try again.
      await this.#remove(keys.toReversed());
      if (!(thrown instanceof PreconditionFailedError)) throw thrown;
      throw new StaleGenerationError(
        `step ${contents.step} of ${stage} in ${store.uri} is being written by another process as generation ` +
          `${generation} too: this one stops; what was committed is kept`,
        { cause: thrown },
      );
    }
  }

  /** Finds out whether a swap that failed was done after all. */
  async #settle(written: WrittenCheckpoint): Promise<void> {
    await this.#register.refresh();
    if (this.#register.checkpoints.some((ref) => ref.key === written.ref.key)) this.#adopt(written);
    else await this.#remove(written.keys.toReversed());
    this.#unsettled = undefined;
  }

  #adopt(written: WrittenCheckpoint): void {
    this.#position = { checkpoints: this.#register.checkpoints, history: written.history };
    this.#unsettled = undefined;
  }

  async #removeSuperfluous(): Promise<void> {
    const { store, stage } = this.#options;
    const { checkpoints, history } = this.#positionNow();
    const listed = [...(await store.list(`${stage}/checkpoints/`)), ...(await store.list(`${stage}/history/`))];
    const keys = listed.map((object) => object.key);
    await this.#remove(superfluous(keys, checkpoints, history.segments, this.generation));
  }

  /** Deletes what isn't needed; room that stays occupied is no reason to end a run. */
  async #remove(keys: readonly string[]): Promise<void> {
    for (const key of keys) {
      try {
        await this.#options.store.delete(key);
      } catch (thrown) {
        this.#options.onWarning?.({ code: 'CLEANUP_FAILED', message: messageOf(thrown) });
      }
    }
  }

  #positionNow(): Position {
    if (this.#position === undefined) throw new Error('CheckpointRepository: call latest() first');
    return this.#position;
  }
}

/** What a commit says of steps must fit, or the history would have lines out of order or of steps not yet committed. */
function assertOrder(step: number, committed: number, history: readonly HistoryRecord[]): void {
  if (!Number.isSafeInteger(step) || step < committed) {
    throw new RangeError(`commit of step ${step} after step ${committed}: steps must grow`);
  }
  let previous = committed;
  for (const record of history) {
    if (!(record.step >= previous && record.step <= step)) {
      throw new RangeError(`history record of step ${record.step} after ${previous} in a commit of step ${step}`);
    }
    previous = record.step;
  }
}
