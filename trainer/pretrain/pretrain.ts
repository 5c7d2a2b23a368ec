import type { PretrainSpec, SimSiamRun } from '../../api/run.ts';
import type { CheckpointRepository } from '../checkpoint/repository.ts';
import type { Checkpoint } from '../checkpoint/reader.ts';
import type { JsonObject } from '../checkpoint/json.ts';
import { simSiam, type SimSiam } from '../model/simsiam.ts';
import { isRoot, type RankContext } from '../rank/context.ts';
import { shareFromRoot } from '../rank/share.ts';
import type { Runtime, TensorList } from '../tensorflow/runtime.ts';
import { fromTensors } from './checkpoint-tensors.ts';
import { Accumulation } from './accumulation.ts';
import { CheckpointTimer } from './checkpoint-timer.ts';
import { DigestCheck } from './digest.ts';
import type { CollapseKind } from '../evaluate/collapse.ts';
import { Health } from './health.ts';
import { epochToStartFrom, valuesToStartFrom } from './init-from.ts';
import { Journal } from './journal.ts';
import { trainLoop, type StepReport, type ViewsBatch } from './loop.ts';
import type { Monitors, MonitorFigures } from './monitors.ts';
import { initialProbe, onlineProbeOf, probeFromTensors, probeNames, type OnlineProbe } from './online-probe.ts';
import { PartTimer } from './part-timer.ts';
import { planSteps } from './progress.ts';
import { shareState } from './share-state.ts';
import { StateCodec, type PretrainState, type PretrainValues } from './state.ts';
import { graphSpecs } from '../model/state.ts';
import { tracePretrainStep } from './step.ts';
import { WaitReport } from './wait-report.ts';

export interface PretrainOptions {
  readonly context: RankContext;
  readonly loader: {
    readonly stepsPerEpoch: number;
    epoch(epoch: number, fromStep?: number): AsyncIterable<ViewsBatch>;
  };
  readonly monitors: Monitors;
  /** On rank 0: where the checkpoints are. It has claimed its generation. */
  readonly repository: CheckpointRepository | undefined;
  /** On rank 0: where to go on from. */
  readonly checkpoint: Checkpoint | undefined;
  /** What each checkpoint carries along. */
  readonly carried: () => JsonObject;
  /** Of the training images, for the online probe. */
  readonly classes: number;
}

export interface PretrainOutcome {
  readonly outcome: 'finished' | 'stopped';
  /** To be disposed by the caller. */
  readonly state: PretrainState;
  readonly step: number;
  /** The alarm that stood at the end; known on rank 0 alone. */
  readonly collapse: CollapseKind | null;
}

/** The stage `pretrain` on one rank, from its last checkpoint or its start to its end or to a stop. */
export async function pretrain(options: PretrainOptions): Promise<PretrainOutcome> {
  const { context, loader, repository } = options;
  const { run, runtime, send } = context;
  const spec = run.spec.pretrain;
  const model = simSiam(spec);
  const codec = new StateCodec(runtime, model);
  const { checkpoint } = options;
  const given = checkpoint || !isRoot(context) ? undefined : await valuesToStartFrom(spec, model.entries);
  const network = await (isRoot(context) ? networkToStartFrom(model, codec, options, given?.values) : codec.blank());
  const probe = onlineProbeOf(spec, options.classes);
  const own = { ...network, ...(probe && { probe: probeToStartFrom(runtime, probe, spec.seed, checkpoint) }) };
  const first = checkpoint?.step ?? epochToStartFrom(spec, given?.epoch) * loader.stepsPerEpoch;
  const start = { state: await shareState(runtime, own), step: await shareFromRoot(runtime, first) };
  const plan = planSteps(spec, loader.stepsPerEpoch);
  const health = new Health(context, checkpoint?.state['health'] as JsonObject | undefined);
  if (start.step >= plan.totalSteps) return { outcome: 'finished', ...start, collapse: health.raised };

  send({ type: 'phase', phase: 'Starting', detail: 'tracing the step' });
  const parts = spec.accumulationSteps ?? 1;
  const stepOptions = stepOptionsOf(run, runtime, model, probe);
  const step = context.step ?? tracePretrainStep(stepOptions);
  const accumulation = parts > 1 ? new Accumulation(stepOptions, graphSpecs(codec.groups.trainable)) : undefined;
  const resumed = start.step > 0 ? { detail: `resumed at step ${start.step}` } : {};
  const { stepsPerEpoch } = loader;
  send({ type: 'phase', phase: 'Pretraining', ...resumed, step: start.step, stepsPerEpoch });
  const { trainable, statistics } = codec.groups;
  const names = [...trainable, ...trainable, ...statistics].map(({ name }) => name).concat(probe ? probeNames : []);
  const digests = new DigestCheck(runtime, start.state, names);
  const recorder = repository && new RootRecorder(options, repository, model, codec, health, start.step);
  const timer = new CheckpointTimer(run.spec.checkpoint, context.clock);
  const waits = runtime.world > 1 ? new WaitReport(context) : undefined;
  let stopped = false;
  const training = trainLoop({
    context,
    step,
    accumulation,
    plan,
    start,
    batches: (epoch, fromStep) => loader.epoch(epoch, fromStep),
    checkpointDue: () => isRoot(context) && timer.isDue(),
    afterStep: async (report, state) => {
      if (report.step === start.step + 1) send({ type: 'stepped' });
      waits?.afterStep(report.collectiveSeconds);
      const finishedAt = context.clock();
      const figures = report.epochEnd ? await options.monitors.measure(report.epoch, state) : {};
      const measuredAt = context.clock();
      recorder?.parts.add('evaluation', measuredAt - finishedAt);
      recorder?.afterStep(report, figures, { totalSteps: plan.totalSteps, finishedAt });
      const last = report.step === plan.totalSteps;
      stopped = report.stop && !last;
      if (!report.checkpoint && !stopped && !last && !(report.epochEnd && timer.isDueAfter(report.epoch))) return;
      await digests.assertSound(state, report.step);
      timer.committed();
      await recorder?.commit(state, report.step, { totalSteps: plan.totalSteps, stopped });
      recorder?.parts.add('checkpoint', context.clock() - measuredAt);
    },
  });
  let end: Awaited<typeof training>;
  try {
    end = await training;
  } finally {
    // Whatever ends the training: a checkpoint that is being written is finished, not lost.
    await recorder?.settled();
  }
  await repository?.publish();
  step.dispose();
  accumulation?.dispose();
  digests.dispose();
  return { outcome: stopped ? 'stopped' : 'finished', ...end, collapse: health.raised };
}

/** What the step of a run is traced for. */
export function stepOptionsOf({ spec }: SimSiamRun, runtime: Runtime, model: SimSiam, probe?: OnlineProbe) {
  const { batchSize, imageSize, accumulationSteps: parts = 1 } = spec.pretrain;
  return { runtime, model, spec: spec.pretrain, batch: batchSize / parts / runtime.world, imageSize, parts, probe };
}

/** Batches that batch norm sees in a step: two views, each in one part or more. */
export function batchesOfStep({ accumulationSteps = 1 }: Pick<PretrainSpec, 'accumulationSteps'>): number {
  return 2 * accumulationSteps;
}

async function networkToStartFrom(
  { entries }: SimSiam,
  codec: StateCodec,
  { context, checkpoint }: PretrainOptions,
  given: PretrainValues | undefined,
): Promise<PretrainState> {
  if (checkpoint) return await codec.build(fromTensors(entries, checkpoint, placeOf(checkpoint)));
  return await (given ? codec.build(given) : codec.initial(context.run.spec.pretrain.seed));
}

function placeOf({ step, generation }: Checkpoint): string {
  return `checkpoint step-${step}-g${generation}`;
}

function probeToStartFrom(
  runtime: Runtime,
  probe: OnlineProbe,
  seed: number,
  checkpoint: Checkpoint | undefined,
): TensorList {
  return checkpoint
    ? probeFromTensors(runtime, probe, checkpoint.optimizer, placeOf(checkpoint))
    : initialProbe(runtime, probe, seed);
}

/** Rank 0's side of a step: history, health, messages, checkpoints. */
class RootRecorder {
  /** Of the epoch that runs. What comes after an epoch's last step counts to the next one, evaluation apart. */
  readonly parts = new PartTimer();
  readonly #options: PretrainOptions;
  readonly #journal: Journal;
  readonly #health: Health;
  #shown: { readonly at: number; readonly step: number };
  /** Of the epoch's steps in this process, without what is measured at its end. */
  #epoch = { milliseconds: 0, steps: 0 };
  #figures: MonitorFigures = {};

  constructor(
    options: PretrainOptions,
    repository: CheckpointRepository,
    model: SimSiam,
    codec: StateCodec,
    health: Health,
    from: number,
  ) {
    const { context } = options;
    const { run, send } = context;
    this.#options = options;
    this.#shown = { at: context.clock(), step: from };
    this.#journal = new Journal({
      repository,
      codec,
      entries: model.entries,
      batchesOfStep: batchesOfStep(run.spec.pretrain),
      onCommitted: ({ step, key }) =>
        send({ type: 'checkpoint', stage: 'pretrain', step, uri: `${run.spec.storage.uri}/${key}` }),
    });
    this.#health = health;
  }

  afterStep(report: StepReport, figures: MonitorFigures, place: { totalSteps: number; finishedAt: number }): void {
    const { step, epoch, loss, learningRate, outputStd, gradientNorm, milliseconds } = report;
    this.parts.add('data', milliseconds.data);
    this.parts.add('step', milliseconds.step);
    this.#journal.assertHealthy();
    this.#journal.record({ step, epoch, loss, learningRate, outputStd, gradientNorm, ...plain(figures) });
    this.#figures = { ...this.#figures, ...figures };
    this.#health.afterStep(outputStd);
    this.#show(report, place);
    if (report.epochEnd) this.#health.afterEpoch(epoch, figures.rank);
  }

  async commit(state: PretrainState, step: number, place: { totalSteps: number; stopped: boolean }): Promise<void> {
    const health = this.#health.toJson();
    await this.#journal.commit(state, step, { ...this.#options.carried(), ...place, health });
  }

  async settled(): Promise<void> {
    await this.#journal.settled();
  }

  #show(report: StepReport, { totalSteps, finishedAt }: { totalSteps: number; finishedAt: number }): void {
    const { context } = this.#options;
    const { batchSize, epochs } = context.run.spec.pretrain;
    const milliseconds = finishedAt - this.#shown.at;
    if (milliseconds < context.progressInterval && !report.epochEnd && report.step !== totalSteps) return;
    const { step, epoch, epochEnd, loss, learningRate, outputStd, gradientNorm } = report;
    const steps = step - this.#shown.step;
    const rate = (passed: { steps: number; milliseconds: number }): number =>
      (1000 * passed.steps * batchSize) / passed.milliseconds;
    const samplesPerSecond = rate({ steps, milliseconds });
    this.#shown = { at: context.clock(), step };
    this.#epoch = { milliseconds: this.#epoch.milliseconds + milliseconds, steps: this.#epoch.steps + steps };
    if (epochEnd) {
      this.#journal.recordTiming({ step, epoch, samplesPerSecond: rate(this.#epoch), seconds: this.parts.take() });
      this.#epoch = { milliseconds: 0, steps: 0 };
    }
    const figures = plain(this.#figures);
    context.send({
      ...{ type: 'progress', stage: 'pretrain', epoch, epochs, step, totalSteps, loss, learningRate, outputStd },
      ...{ gradientNorm, ...figures, samplesPerSecond, seconds: this.parts.total(), epochEnd },
    });
  }
}

/** Monitor figures as they stand in the history. */
function plain({ rank, knnTop1, probeTop1, onlineTop1 }: MonitorFigures): {
  effectiveRank?: number;
  knnTop1?: number;
  probeTop1?: number;
  onlineTop1?: number;
} {
  return {
    ...(rank ? { effectiveRank: rank.effectiveRank, effectiveRankSamples: rank.samples } : {}),
    ...(knnTop1 === undefined ? {} : { knnTop1 }),
    ...(probeTop1 === undefined ? {} : { probeTop1 }),
    ...(onlineTop1 === undefined ? {} : { onlineTop1 }),
  };
}
