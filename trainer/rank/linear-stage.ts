import type { Scores } from '../../api/run-result.ts';
import type { CheckpointRepository } from '../checkpoint/repository.ts';
import type { Checkpoint } from '../checkpoint/reader.ts';
import type { HistoryRecord, JsonObject } from '../checkpoint/json.ts';
import { assertSameTensors, bytesOf, type NamedTensor } from '../checkpoint/tensors.ts';
import type { FeatureExtractor } from '../evaluate/extractor.ts';
import { evaluateLinearly, type LinearOutcome } from '../evaluate/linear-evaluation.ts';
import { initialHead, type HeadValues } from '../evaluate/linear-head.ts';
import { disposeBackbone, initialLinearState, type LinearRecord, type LinearState } from '../evaluate/linear-state.ts';
import { scaledLearningRate } from '../optimize/schedule.ts';
import type { CheckpointTensors } from '../pretrain/checkpoint-tensors.ts';
import { CounterRandom, purpose } from '../random.ts';
import { isRoot, type RankContext } from './context.ts';
import { FineTunedBackbone } from './fine-tuned-backbone.ts';
import { headOf, headToStartFrom, transposed } from './linear-head-file.ts';
import { LinearProgress } from './linear-progress.ts';
import type { RunData } from './run-data.ts';
import { shareFromRoot } from './share.ts';

/** Everything of a linear evaluation but who records it. */
interface LinearRunOptions {
  readonly context: RankContext;
  readonly data: RunData;
  readonly extractor: FeatureExtractor;
  readonly from: LinearState;
  readonly onEpoch?: (record: LinearRecord, snapshot: () => Promise<LinearState>) => Promise<void>;
  /** Whether steps show as progress of the stage. */
  readonly shown: boolean;
}

/** A linear evaluation by the run's recipe: the one of the trained backbone and those of the baselines are the same. */
export async function runLinear(options: LinearRunOptions): Promise<LinearOutcome> {
  const { context, data, extractor, from, onEpoch, shown } = options;
  const { runtime, run, stop, send } = context;
  const { linear, pretrain } = run.spec;
  const train = data.linearLoader();
  const evaluation = data.evaluation();
  const progress = shown ? new LinearProgress(context, train.stepsPerEpoch) : undefined;
  let stepped = false;
  return await evaluateLinearly({
    runtime,
    extractor,
    classes: evaluation.classes,
    trainShape: { batchSize: linear.batchSize / runtime.world, imageSize: pretrain.imageSize },
    evaluationShape: evaluation.shape,
    optimizer: linear.optimizer,
    momentum: linear.momentum,
    weightDecay: linear.weightDecay,
    train,
    validation: evaluation.validation!,
    epochs: linear.epochs,
    learningRate: scaledLearningRate(linear.learningRate, linear.batchSize),
    backboneLearningRate: scaledLearningRate(linear.backboneLearningRate ?? 0, linear.batchSize),
    from,
    ...(linear.evaluateOnly === true && { evaluateOnly: true }),
    clock: context.clock,
    stopRequested: () => stop.aborted,
    onStep: (report) => {
      if (!stepped) send({ type: 'stepped' });
      stepped = true;
      send({ type: 'alive' });
      progress?.afterStep(report);
    },
    onValidationBatch: ({ batch, images, milliseconds, ...figures }) => {
      send({ type: 'alive' });
      if (!shown || images === 0 || context.progressInterval > 0) return;
      const batches = evaluation.validationBatches!();
      send({ type: 'validation', batch, batches, ...figures, seconds: milliseconds / 1000 });
    },
    onEpoch: async (record, _isBest, snapshot) => {
      progress?.afterEpoch(record);
      await onEpoch?.(record, snapshot);
    },
  });
}

/** Where a classifier of these features starts. */
export function startOf(context: RankContext, extractor: FeatureExtractor, classes: number): LinearState {
  const random = new CounterRandom(context.run.spec.pretrain.seed, purpose.linearHead);
  return initialLinearState(initialHead(extractor.dimension, classes, random));
}

/** What the run trains together with the classifier; undefined where the backbone stays frozen, or there is none. */
export function fineTunedOf(
  { run, runtime }: RankContext,
  { backbone }: FeatureExtractor,
): FineTunedBackbone | undefined {
  const tunes = run.spec.linear.backboneLearningRate !== undefined;
  return tunes && backbone ? new FineTunedBackbone(runtime, backbone) : undefined;
}

export interface LinearStageOptions {
  readonly context: RankContext;
  readonly data: RunData;
  readonly extractor: FeatureExtractor;
  /** On rank 0. */
  readonly repository: CheckpointRepository | undefined;
  readonly checkpoint: Checkpoint | undefined;
  /** What each checkpoint carries along. */
  readonly carried: () => JsonObject;
  /** That batch norm has seen in pre-training. */
  readonly batches: number;
}

/** The stage `linear` on one rank, with a checkpoint after each epoch that is due and at a stop. */
export async function linearStage(options: LinearStageOptions): Promise<LinearOutcome> {
  const { context, data, extractor, repository, checkpoint, carried } = options;
  const fineTuned = fineTunedOf(context, extractor);
  const { run, runtime, send } = context;
  const classes = data.train.classes.length;
  const begun = checkpoint && fromCheckpoint(checkpoint, [extractor.dimension, classes]);
  const given = begun || !isRoot(context) ? undefined : await headToStartFrom(run.spec.linear, extractor, classes);
  const classifier = await shareFromRoot(runtime, begun ?? given ?? startOf(context, extractor, classes));
  const backbone = await fineTuned?.start(checkpoint && withoutHead(checkpoint));
  const from = { ...classifier, ...(backbone && { backbone }) };
  const { stepsPerEpoch } = data.linearLoader();
  const step = stepsPerEpoch * from.epoch + from.step;
  const resumed = begun ? { detail: `resumed at epoch ${from.epoch}` } : {};
  send({ type: 'phase', phase: 'LinearEvaluation', ...resumed, step, stepsPerEpoch });
  let records: HistoryRecord[] = [];
  const commit = async (state: LinearState, stopped: boolean): Promise<void> => {
    const step = data.linearLoader().stepsPerEpoch * state.epoch + state.step;
    if (state.backbone) await fineTuned?.assertSound(state.backbone, step);
    const network =
      repository && state.backbone && (await fineTuned?.toTensors(state.backbone, options.batches + step));
    disposeBackbone(state.backbone);
    if (!repository) return;
    const history = records;
    records = [];
    const best: { best?: JsonObject } = state.best ? { best: { ...state.best } } : {};
    const head = headTensors(state);
    const { key } = await repository.commit({
      step,
      model: [...(network?.model ?? []), ...head.model],
      optimizer: [...(network?.optimizer ?? []), ...head.optimizer],
      state: { ...stateJson(state), ...carried(), stopped },
      history,
      ...best,
    });
    const scores = state.best && { best: { top1: state.best.top1, top5: state.best.top5 } };
    send({ type: 'checkpoint', stage: 'linear', step, uri: `${run.spec.storage.uri}/${key}`, ...scores });
  };
  const outcome = await runLinear({
    ...{ context, data, extractor, from, shown: true },
    onEpoch: async (record, snapshot) => {
      const step = data.linearLoader().stepsPerEpoch * (record.epoch + 1);
      records.push({ step, ...record });
      const done = record.epoch + 1;
      if (done % run.spec.checkpoint.everyEpochs === 0 || done === run.spec.linear.epochs)
        await commit(await snapshot(), false);
    },
  });
  if (outcome.outcome === 'stopped') await commit(outcome.state, true);
  for (const state of [from, outcome.state]) disposeBackbone(state.backbone);
  return outcome;
}

/** Top-1 of a finished linear evaluation. */
export function scoreOf({ state }: LinearOutcome): Pick<Scores, 'linearTop1'> {
  return state.best ? { linearTop1: state.best.top1 } : {};
}

function headTensors({ head, momenta }: LinearState): CheckpointTensors {
  const tensors = ({ weight, bias }: HeadValues): NamedTensor[] => [
    {
      name: 'fc.weight',
      dtype: 'F32',
      shape: [bias.length, weight.length / bias.length],
      bytes: transposed(weight, bias.length),
    },
    { name: 'fc.bias', dtype: 'F32', shape: [bias.length], bytes: bytesOf(bias) },
  ];
  return { model: tensors(head), optimizer: tensors(momenta) };
}

function isOfHead({ name }: NamedTensor): boolean {
  return name.startsWith('fc.');
}

/** The backbone's part of a checkpoint of fine-tuning. */
function withoutHead({ model, optimizer }: CheckpointTensors): CheckpointTensors {
  return {
    model: model.filter((tensor) => !isOfHead(tensor)),
    optimizer: optimizer.filter((tensor) => !isOfHead(tensor)),
  };
}

function stateJson({ epoch, step, sums, best }: LinearState): JsonObject {
  return { epoch, epochStep: step, sums: [...sums], best: best && { ...best } };
}

function fromCheckpoint(checkpoint: Checkpoint, [dimension, classes]: readonly [number, number]): LinearState {
  const expected = [
    { name: 'fc.weight', dtype: 'F32', shape: [classes, dimension] },
    { name: 'fc.bias', dtype: 'F32', shape: [classes] },
  ] as const;
  const values = (tensors: readonly NamedTensor[]): HeadValues => {
    const head = tensors.filter(isOfHead);
    assertSameTensors(expected, head, 'the linear checkpoint');
    return headOf(head);
  };
  const { epoch, epochStep, sums, best } = checkpoint.state as unknown as LinearState & { epochStep: number };
  return { epoch, step: epochStep, sums, best, head: values(checkpoint.model), momenta: values(checkpoint.optimizer) };
}
