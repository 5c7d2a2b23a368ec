import { performance } from 'node:perf_hooks';
import type { RunResult } from '../../api/run-result.ts';
import { exitCode, type ExitCode } from '../../api/exit-codes.ts';
import type { JsonObject } from '../checkpoint/json.ts';
import { backboneExtractor } from '../evaluate/network-extractor.ts';
import type { RankChannel } from '../launch/rank-channel.ts';
import type { RankToLauncher, Stage } from '../launch/messages.ts';
import { untilListened } from '../launch/ports.ts';
import { simSiam } from '../model/simsiam.ts';
import { inParts } from '../pretrain/accumulation.ts';
import { Monitors } from '../pretrain/monitors.ts';
import { batchesOfStep, pretrain, type PretrainOptions } from '../pretrain/pretrain.ts';
import { measureBaselines } from './baselines.ts';
import { isRoot, type RankContext } from './context.ts';
import { backboneDigest } from './backbone-digest.ts';
import { environmentOf } from './environment.ts';
import { GpuUnusableError } from './errors.ts';
import { linearStage } from './linear-stage.ts';
import { withMemoryAdvice } from './out-of-memory.ts';
import { resultOf } from './result.ts';
import { RootStore } from './root-store.ts';
import { RunData } from './run-data.ts';
import { takeSample } from './sample.ts';
import { shareFromRoot } from './share.ts';
import { openUnjoined, type Ready } from './standby.ts';

/** Steps are told so often at most, in milliseconds, unless each is wanted. */
const PROGRESS_INTERVAL = 250;

/** How long rank 0 is awaited before TensorFlow's own patience counts, in milliseconds. */
const ROOT_PATIENCE = 30_000;

/** What ranks beside rank 0 tell. */
const ofEveryRank: ReadonlySet<RankToLauncher['type']> = new Set(['stepped', 'wait', 'warning', 'unreadable']);

/**
 * Everything that one rank does, from the launcher's start to its exit code. Rank 0 alone touches the store.
 *
 * @param ready what this process has done ahead
 */
export async function runRank(channel: RankChannel, ready?: Ready): Promise<ExitCode> {
  const { start } = channel;
  const { run, rank, world, addresses, exchange, gpu, threads, loaderThreads, stages, everyStep, former } = start;
  const send: RankContext['send'] = (message) => {
    if (rank === 0 || ofEveryRank.has(message.type)) channel.send(message);
  };
  send({ type: 'phase', phase: 'Starting' });
  const runtime = ready?.runtime ?? openUnjoined(start);
  runtime.join(addresses);
  // Who calls rank 0 before it listens is let wait for a second by gRPC. By way of rank 0 all find each other.
  if (rank > 0 && exchange === undefined) await untilListened(addresses[0]!, ROOT_PATIENCE);
  if (gpu !== null && !runtime.gpu) throw new GpuUnusableError(gpu);
  const clock = (): number => performance.now();
  const progressInterval = everyStep ? 0 : PROGRESS_INTERVAL;
  const context: RankContext = {
    run,
    runtime,
    loaderThreads,
    stop: channel.stop,
    clock,
    progressInterval,
    send,
    former,
    step: ready?.step,
  };
  const root = isRoot(context) ? await RootStore.open(context, environmentOf(world, threads, gpu ?? 'cpu')) : undefined;
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
    await root?.begin(data.indexHashes());
    for (const message of rank === 0 ? data.warnings() : []) send({ type: 'warning', code: 'DATA', message });
    const outcome = await runStages(context, data, root, stages);
    for (const message of data.badImages()) send({ type: 'warning', code: 'DATA_BAD_IMAGES', message });
    return outcome;
  } catch (thrown) {
    throw withMemoryAdvice(thrown, run.spec, world);
  } finally {
    await data.close();
  }
}

/** The batches of a pre-training without epochs. */
const nothing: PretrainOptions['loader'] = { stepsPerEpoch: 0, epoch: async function* () {} };

async function runStages(
  context: RankContext,
  data: RunData,
  root: RootStore | undefined,
  stages: readonly Stage[],
): Promise<ExitCode> {
  const { run, runtime, send } = context;
  const spec = run.spec.pretrain;
  const pretraining = await root?.openStage('pretrain');
  const loader = spec.epochs > 0 ? inParts(data.pretrainLoader(), spec.accumulationSteps ?? 1) : nothing;
  const monitors = new Monitors(context, data.evaluation());
  const carried = (): JsonObject => root!.carried('pretrain');
  const trained = await pretrain({
    ...{ context, loader, monitors, carried, classes: data.train.classes.length },
    repository: pretraining?.repository,
    checkpoint: pretraining?.checkpoint,
  });
  if (trained.outcome === 'stopped') return exitCode.preempted;
  const model = simSiam(spec);
  const extractor = backboneExtractor({ model, spec, state: trained.state });
  await root?.keepSample(trained.step, () => takeSample(context, data, extractor, trained.step));
  // Baselines, linear evaluation and the result of the run are for those who do the last stage.
  if (!stages.includes('linear') && run.spec.linear.epochs > 0) {
    send({ type: 'phase', phase: 'Finished' });
    return exitCode.done;
  }

  const backbone = root ? await backboneDigest(runtime, model, trained.state) : '';
  const evaluating = stages.includes('linear') ? await root?.openLinear(backbone) : undefined;
  const former = evaluating?.checkpoint?.state['baselines'] as RunResult['baselines'] | undefined;
  const known = await shareFromRoot(runtime, former ?? null);
  // Beside a backbone that was only given, the run trained nothing to compare them with.
  const compares = data.evaluation().queries !== undefined && (spec.epochs > 0 || run.spec.linear.baselines);
  const baselines = known ?? (compares ? await measureBaselines(context, data) : undefined);
  if (compares && !baselines) return exitCode.preempted;
  let linear: RunResult['linear'];
  if (stages.includes('linear')) {
    const outcome = await linearStage({
      ...{ context, data, extractor },
      repository: evaluating?.repository,
      checkpoint: evaluating?.checkpoint,
      batches: trained.step * batchesOfStep(spec),
      carried: () => ({
        ...root!.carried('linear'),
        backbone,
        ...(baselines && { baselines: baselines as unknown as JsonObject }),
      }),
    });
    if (outcome.outcome === 'stopped') return exitCode.preempted;
    const { best, epoch } = outcome.state;
    const { backboneLearningRate, labelFraction = 1 } = run.spec.linear;
    if (best)
      linear = {
        ...{ epochs: epoch, top1: best.top1, top5: best.top5 },
        ...(backboneLearningRate !== undefined && { fineTuned: true as const }),
        ...(labelFraction < 1 && { labelFraction }),
      };
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
