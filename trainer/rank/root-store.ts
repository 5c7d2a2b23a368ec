import { recipeHash } from '../../api/recipe.ts';
import type { RunResult } from '../../api/run-result.ts';
import { StorageError } from '../../storage/errors.ts';
import { openStore } from '../../storage/open-store.ts';
import type { ObjectStore } from '../../storage/object-store.ts';
import type { JsonObject } from '../checkpoint/json.ts';
import { sampleStep, writeSample, type Sample } from '../checkpoint/sample.ts';
import { readLatest, type Checkpoint } from '../checkpoint/reader.ts';
import { CheckpointRepository } from '../checkpoint/repository.ts';
import { writeResult } from '../checkpoint/result.ts';
import { discardLinear, lookAtRunRecord, openRunRecord } from '../checkpoint/run-record.ts';
import { withStart, type Start } from '../checkpoint/starts.ts';
import type { Stage } from '../launch/messages.ts';
import type { RankContext } from './context.ts';
import { differenceFrom, type Environment } from './environment.ts';
import { DataChangedError } from './errors.ts';
import type { ImageHashes } from './run-data.ts';

interface OpenStage {
  readonly repository: CheckpointRepository;
  readonly checkpoint: Checkpoint | undefined;
}

/** What every checkpoint says of how it was made. */
interface Carried {
  readonly environment: Environment;
  readonly images: ImageHashes;
  /** Of the run in all its starts up to the checkpoint. */
  readonly elapsedSeconds: number;
}

/** Rank 0's hold on the run's URI. */
export class RootStore {
  /** The result of a run that is finished already. */
  readonly complete: RunResult | undefined;
  readonly #context: RankContext;
  readonly #store: ObjectStore;
  readonly #environment: Environment;
  readonly #starts = new Map<Stage, readonly Start[]>();
  #images: ImageHashes | undefined;
  #formerSeconds = 0;

  private constructor(
    context: RankContext,
    store: ObjectStore,
    environment: Environment,
    complete: RunResult | undefined,
  ) {
    this.#context = context;
    this.#store = store;
    this.#environment = environment;
    this.complete = complete;
  }

  /**
   * Looks at the URI and writes nothing.
   * @throws RecipeMismatchError when it belongs to another recipe.
   */
  static async open(context: RankContext, environment: Environment): Promise<RootStore> {
    const store = await openStore(context.run.spec.storage);
    const start = await lookAtRunRecord(store, context.run);
    return new RootStore(context, store, environment, start.kind === 'complete' ? start.result : undefined);
  }

  /** Takes the URI for the recipe, trained on these images. */
  async begin(images: ImageHashes): Promise<void> {
    this.#images = images;
    await openRunRecord(this.#store, this.#context.run);
  }

  /**
   * Linear evaluation of one backbone goes on; that of another one, which this run had before, is given up.
   * @param backbone Digest of the weights.
   */
  async openLinear(backbone: string): Promise<OpenStage> {
    const former = await readLatest({ store: this.#store, stage: 'linear' });
    if (former && former.state['backbone'] !== backbone) {
      const message = 'the linear evaluation at the URI is of other weights: it begins anew';
      this.#context.send({ type: 'warning', code: 'LINEAR_DISCARDED', message });
      await discardLinear(this.#store);
    }
    return await this.openStage('linear');
  }

  /** @throws DataChangedError when the run began with other images. */
  async openStage(stage: Stage): Promise<OpenStage> {
    const { run, send } = this.#context;
    const repository = await CheckpointRepository.open({
      ...{ store: this.#store, stage, recipeHash: recipeHash(run), keep: run.spec.checkpoint.keep, clock: Date.now },
      onWarning: ({ code, message }) => send({ type: 'warning', code, message }),
    });
    const checkpoint = await repository.latest();
    const start = { generation: repository.generation, step: checkpoint?.step ?? 0, at: new Date().toISOString() };
    this.#starts.set(stage, withStart(checkpoint?.state, start, this.#context.former));
    if (checkpoint) this.#goOnFrom(checkpoint);
    return { repository, checkpoint };
  }

  /** What every checkpoint says of how it was made. */
  carried(stage: Stage): JsonObject {
    const starts = (this.#starts.get(stage) ?? []).map((start) => ({ ...start }));
    return { environment: this.#environment, images: { ...this.#images }, elapsedSeconds: this.elapsed(), starts };
  }

  /** Seconds of this run in all its starts. */
  elapsed(): number {
    return this.#formerSeconds + this.#context.clock() / 1000;
  }

  /** Takes the sample of the trained network that reports show, unless the run has it already. */
  async keepSample(step: number, take: () => Promise<Sample>): Promise<void> {
    try {
      if ((await sampleStep(this.#store)) !== step) await writeSample(this.#store, await take());
    } catch (thrown) {
      if (!(thrown instanceof StorageError)) throw thrown;
      const message = `reports will show no images: ${thrown.message}`;
      this.#context.send({ type: 'warning', code: 'VIEW_NOT_WRITTEN', message });
    }
  }

  async writeResult(result: RunResult): Promise<void> {
    await writeResult(this.#store, result, recipeHash(this.#context.run));
  }

  #goOnFrom({ state }: Checkpoint): void {
    const { environment, images, elapsedSeconds } = state as unknown as Carried;
    const changed = (['train', 'val'] as const).find((set) => images[set] !== this.#images?.[set]);
    if (changed) throw new DataChangedError(this.#context.run.spec.data[changed] ?? `data.${changed}`);
    this.#formerSeconds = Math.max(this.#formerSeconds, elapsedSeconds);
    const difference = differenceFrom(environment, this.#environment);
    if (difference === undefined) return;
    const message = `the checkpoint was made elsewhere (${difference}): the run goes on, but not bit for bit as undisturbed`;
    this.#context.send({ type: 'warning', code: 'ENVIRONMENT_CHANGED', message });
  }
}
