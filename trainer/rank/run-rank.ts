import { performance } from 'node:perf_hooks';
import type { RunResult } from '../../api/run-result.ts';
import { exitCode, type ExitCode } from '../../api/exit-codes.ts';
import { recipeHash } from '../../api/recipe.ts';
import { openStore } from '../../storage/open-store.ts';
import type { ObjectStore } from '../../storage/object-store.ts';
import type { Checkpoint } from '../checkpoint/reader.ts';
import { CheckpointRepository } from '../checkpoint/repository.ts';
import { writeResult } from '../checkpoint/result.ts';
import { lookAtRunRecord, openRunRecord } from '../checkpoint/run-record.ts';
import type { JsonObject } from '../checkpoint/json.ts';
import { backboneExtractor } from '../evaluate/network-extractor.ts';
import type { RankChannel } from '../launch/rank-channel.ts';
import type { Stage } from '../launch/messages.ts';
import { simSiam } from '../model/simsiam.ts';
import { Monitors } from '../pretrain/monitors.ts';
import { pretrain } from '../pretrain/pretrain.ts';
import { Runtime } from '../tensorflow/runtime.ts';
import { measureBaselines } from './baselines.ts';
import { isRoot, type RankContext } from './context.ts';
import { differenceFrom, environmentOf, type Environment } from './environment.ts';
import { linearStage } from './linear-stage.ts';
import { resultOf } from './result.ts';
import { RunData } from './run-data.ts';
import { shareFromRoot } from './share.ts';

/** Everything that one rank does, from the launcher's start to its exit code. Rank 0 alone touches the store. */
export async function runRank(channel: RankChannel): Promise<ExitCode> {
  const { run, rank, world, addresses, threads, loaderThreads, stages } = channel.start;
  const send: RankContext['send'] = (message) => {
    if (rank === 0 || message.type === 'warning') channel.send(message);
  };
  send({ type: 'phase', phase: 'Starting' });
  const timeoutSeconds = run.spec.failurePolicy.hangTimeoutSeconds;
  const runtime = Runtime.open({
    threads,
    collective: { hint: 'auto', timeoutSeconds },
    ...(world > 1 ? { cluster: { rank, addresses } } : {}),
  });
  const clock = (): number => performance.now();
  const context: RankContext = { run, runtime, loaderThreads, stop: channel.stop, clock, send };
  const root = isRoot(context)
    ? await RootStore.open(context, environmentOf(world, threads, runtime.gpu ? 'gpu' : 'cpu'))
    : undefined;
  send({ type: 'phase', phase: 'Starting', detail: 'waiting for the other ranks' });
  const complete = await shareFromRoot(runtime, root?.complete ?? null);
  if (complete) {
    send({ type: 'result', result: complete });
    return exitCode.done;
  }
  send({ type: 'phase', phase: 'Starting', detail: 'listing the images' });
  const data = await RunData.open(context);
  try {
    // The URI belongs to the recipe from here on, since it can be trained by.
    await root?.begin();
    for (const message of rank === 0 ? data.warnings() : []) send({ type: 'warning', code: 'DATA', message });
    const outcome = await runStages(context, data, root, stages);
    for (const message of data.badImages()) send({ type: 'warning', code: 'DATA_BAD_IMAGES', message });
    return outcome;
  } finally {
    await data.close();
  }
}

async function runStages(
  context: RankContext,
  data: RunData,
  root: RootStore | undefined,
  stages: readonly Stage[],
): Promise<ExitCode> {
  const { run, runtime, send } = context;
  const spec = run.spec.pretrain;
  const pretraining = await root?.openStage('pretrain');
  const loader = data.pretrainLoader();
  const monitors = new Monitors(context, data.evaluation());
  const carried = (): JsonObject => root!.carried();
  const trained = await pretrain({
    ...{ context, loader, monitors, carried },
    repository: pretraining?.repository,
    checkpoint: pretraining?.checkpoint,
  });
  if (trained.outcome === 'stopped') return exitCode.preempted;

  const evaluating = stages.includes('linear') ? await root?.openStage('linear') : undefined;
  const former = evaluating?.checkpoint?.state['baselines'] as RunResult['baselines'] | undefined;
  const known = await shareFromRoot(runtime, former ?? null);
  const baselines = known ?? (data.validation ? await measureBaselines(context, data) : undefined);
  if (data.validation && !baselines) return exitCode.preempted;
  let linear: RunResult['linear'];
  if (stages.includes('linear')) {
    const extractor = backboneExtractor({ model: simSiam(spec), spec, state: trained.state });
    const outcome = await linearStage({
      ...{ context, data, extractor },
      repository: evaluating?.repository,
      checkpoint: evaluating?.checkpoint,
      carried: () => ({ ...carried(), baselines: baselines as unknown as JsonObject }),
    });
    if (outcome.outcome === 'stopped') return exitCode.preempted;
    const { best, epoch } = outcome.state;
    if (best) linear = { epochs: epoch, top1: best.top1, top5: best.top5 };
  }
  if (root && pretraining) {
    const history = await pretraining.repository.history();
    const result = resultOf({
      ...{ run, history, linear, baselines },
      collapse: trained.collapse,
      ranks: runtime.world,
      durationSeconds: root.elapsed(),
    });
    await root.writeResult(result);
    send({ type: 'result', result });
  }
  send({ type: 'phase', phase: 'Finished' });
  return exitCode.done;
}

/** Rank 0's hold on the run's URI. */
class RootStore {
  /** The result of a run that is finished already. */
  readonly complete: RunResult | undefined;
  readonly #context: RankContext;
  readonly #store: ObjectStore;
  readonly #environment: Environment;
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
    const store = openStore(context.run.spec.storage);
    const start = await lookAtRunRecord(store, context.run);
    return new RootStore(context, store, environment, start.kind === 'complete' ? start.result : undefined);
  }

  /** Takes the URI for the recipe. */
  async begin(): Promise<void> {
    await openRunRecord(this.#store, this.#context.run);
  }

  async openStage(stage: Stage): Promise<{ repository: CheckpointRepository; checkpoint: Checkpoint | undefined }> {
    const { run, send } = this.#context;
    const repository = await CheckpointRepository.open({
      ...{ store: this.#store, stage, recipeHash: recipeHash(run), keep: run.spec.checkpoint.keep, clock: Date.now },
      onWarning: ({ code, message }) => send({ type: 'warning', code, message }),
    });
    const checkpoint = await repository.latest();
    if (checkpoint) this.#goOnFrom(checkpoint);
    return { repository, checkpoint };
  }

  /** What every checkpoint says of how it was made. */
  carried(): JsonObject {
    return { environment: this.#environment, elapsedSeconds: this.elapsed() };
  }

  /** Seconds of this run in all its starts. */
  elapsed(): number {
    return this.#formerSeconds + this.#context.clock() / 1000;
  }

  async writeResult(result: RunResult): Promise<void> {
    await writeResult(this.#store, result, recipeHash(this.#context.run));
  }

  #goOnFrom({ state }: Checkpoint): void {
    const { environment, elapsedSeconds } = state as unknown as { environment: Environment; elapsedSeconds: number };
    this.#formerSeconds = Math.max(this.#formerSeconds, elapsedSeconds);
    const difference = differenceFrom(environment, this.#environment);
    if (difference === undefined) return;
    const message = `the checkpoint was made elsewhere (${difference}): the run goes on, but not bit for bit as undisturbed`;
    this.#context.send({ type: 'warning', code: 'ENVIRONMENT_CHANGED', message });
  }
}
