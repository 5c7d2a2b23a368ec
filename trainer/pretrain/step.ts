import type { PretrainSpec } from '../../api/run.ts';
import { outputMoments, outputStd } from '../evaluate/output-std.ts';
import type { Scope } from '../model/layer.ts';
import { objectiveOf, type Objective } from '../model/objective.ts';
import { normalizePixels } from '../model/pixels.ts';
import { byName, createScope, required } from '../model/scope.ts';
import { isPredictor, type SimSiam } from '../model/simsiam.ts';
import { graphSpecs, groupEntries, type StateGroups } from '../model/state.ts';
import { GradientBuckets } from '../optimize/gradient-buckets.ts';
import { sgd } from '../optimize/sgd.ts';
import { collectiveSeconds } from '../tensorflow/collective-wait.ts';
import { allReduceSum, world } from '../tensorflow/collectives.ts';
import { rawOp } from '../tensorflow/raw-op.ts';
import type { GraphFunction, Runtime, TensorSpec } from '../tensorflow/runtime.ts';
import { tf, type Tensor } from '../tensorflow/tfjs.ts';
import { probeSpecs, probeStep, type OnlineProbe } from './online-probe.ts';

/** What the step needs of the specification. */
export type StepSpec = Pick<PretrainSpec, 'momentum' | 'weightDecay' | 'precision' | 'ablation' | 'normalize'>;

export interface StepOptions {
  readonly runtime: Runtime;
  readonly model: SimSiam;
  readonly spec: StepSpec;
  /** Images of a view on this rank, of one part where a batch has several. */
  readonly batch: number;
  readonly imageSize: number;
  /** What a view's images are: bytes that are normalised here, or numbers taken as they are. Default uint8. */
  readonly imageType?: 'uint8' | 'float32';
  /** Parts that a batch is computed in; default 1. The step is of the last one, after the others (accumulation.ts). */
  readonly parts?: number;
  /** The online linear probe, if there is one. It learns from the last part of a batch. */
  readonly probe?: OnlineProbe | undefined;
}

/** Places in the step's last input, float32 [4]. The signals are 0 or 1 and added up over the ranks. */
export const control = { learningRate: 0, predictorLearningRate: 1, stop: 2, checkpoint: 3 } as const;

/** Places in the step's last output, float32 [6]. All but the last are over the whole batch and equal on all ranks. */
export const metric = {
  loss: 0,
  /** Mean over the dimensions of the standard deviation of z₁/‖z₁‖ over the batch, unbiased. Healthy: about 1/√dim. */
  outputStd: 1,
  /** How many ranks want to stop after this step. */
  stop: 2,
  /** How many ranks want a checkpoint after this step. */
  checkpoint: 3,
  /** Euclidean length of all gradients together, of the batch's mean loss and before weight decay. */
  gradientNorm: 4,
  /** Seconds that this rank was in collectives, waiting for others mostly; NaN where it isn't known, as on GPUs. */
  collectiveSeconds: 5,
} as const;

/** Both kinds of signal lie side by side in the inputs and in the outputs. */
const SIGNALS = 2;

/**
 * One step of pre-training as one graph function: the views' forward passes, backward, synchronised batch norm, averaging of
 * the gradients over ranks and SGD (SimSiam algorithm 1).
 *
 * In: [trainable, momenta, statistics, frozen, the objective's views of uint8 [batch, s, s, 3], [{@link control}]], and
 * with several parts what {@link traceAccumulation} gave of those before: gradients and figures. With a probe its tensors
 * and the labels come last.
 * Out: [trainable, momenta, statistics, [{@link metric}]], and the probe's tensors. The state is never changed in place.
 */
export function tracePretrainStep(options: StepOptions): GraphFunction {
  const { runtime, model, spec, probe, parts = 1 } = options;
  const groups = groupEntries(model.entries);
  const { trainable, statistics, frozen, views } = stepSpecs(options, groups);
  const sums = parts === 1 ? [] : [trainable, accumulatedFigures(options)];
  const controls: TensorSpec[] = [{ dtype: 'float32', shape: [4] }];
  const labels: TensorSpec = { dtype: 'int32', shape: [options.batch] };
  const forProbe = probe ? [probeSpecs(probe), [labels]] : [];
  const inputs = [trainable, trainable, statistics, frozen, views, controls, ...sums, ...forProbe];

  return runtime.trace('pretrain_step', inputs, (...groupsIn) => {
    const [parameters, momenta, statisticsIn, frozenIn, images, controls] = groupsIn as [
      ...[Tensor[], Tensor[], Tensor[], Tensor[], Tensor[], [Tensor]],
    ];
    const [gradientsIn, figuresIn] = parts === 1 ? [] : groupsIn.slice(6, 8);
    const [probeIn, labelsIn] = probe ? groupsIn.slice(-2) : [];
    const buckets = new GradientBuckets(gradientsIn && byName(groups.trainable, gradientsIn), parts);
    const constants = byName(groups.frozen, frozenIn);
    const running = byName(groups.statistics, statisticsIn);
    let figures: Tensor | undefined;
    let seen: Tensor | undefined;
    tf.valueAndGrads((...watched: Tensor[]) => {
      const named = byName(groups.trainable, watched);
      const scope = trainingScope(
        spec,
        (name) => constants.get(name) ?? buckets.watch(name, required(named, name)),
        running,
      );
      const { loss, z, features } = forward(options, scope, images);
      seen = tf.keep(features);
      const own = addTo(figuresIn, figuresOf(loss, z));
      figures = tf.keep(overRanks(own, tf.slice(controls[0], [control.stop], [SIGNALS]), z.shape[0], parts));
      return loss as never;
    })(parameters);
    const averaged = buckets.finish();
    const gradients = groups.trainable.map(({ name }) => required(averaged, name));
    const rate = (index: number): Tensor => tf.slice(controls[0], [index], [1]).reshape([]);
    const [encoderRate, predictorRate] = [rate(control.learningRate), rate(control.predictorLearningRate)];
    const updated = sgd({
      parameters,
      momenta,
      gradients,
      learningRates: groups.trainable.map((entry) => (isPredictor(entry) ? predictorRate : encoderRate)),
      momentum: spec.momentum,
      weightDecay: spec.weightDecay,
    });
    const moved = groups.statistics.map(({ name }) => required(running, name));
    const probed = probe ? [probeStep(probe, probeIn!, { features: seen!, labels: labelsIn![0]! })] : [];
    const all = tf.concat([figures!, lengthOf(gradients), collectiveSeconds()], 0);
    return [updated.parameters, updated.momenta, moved, [all], ...probed] as Tensor[][];
  });
}

/**
 * A part of a batch before its last one: forward and backward at the same weights, nothing updated but the running
 * statistics. Batch norm is over the part, on all ranks together.
 *
 * In: [trainable, statistics, frozen, views as in the step, gradients so far, figures so far]; both begin as zeros.
 * Out: [statistics, gradients, figures], of this rank alone.
 */
export function traceAccumulation(options: StepOptions): GraphFunction {
  const { runtime, model, spec } = options;
  const groups = groupEntries(model.entries);
  const { trainable, statistics, frozen, views } = stepSpecs(options, groups);
  const inputs = [trainable, statistics, frozen, views, trainable, accumulatedFigures(options)];
  return runtime.trace('pretrain_accumulate', inputs, (...groupsIn) => {
    const [parameters, statisticsIn, frozenIn, images, gradientsIn, figuresIn] = groupsIn as [
      ...[Tensor[], Tensor[], Tensor[], Tensor[], Tensor[], Tensor[]],
    ];
    const constants = byName(groups.frozen, frozenIn);
    const running = byName(groups.statistics, statisticsIn);
    let figures: Tensor[] = [];
    const { grads } = tf.valueAndGrads((...watched: Tensor[]) => {
      const named = byName(groups.trainable, watched);
      const scope = trainingScope(spec, (name) => constants.get(name) ?? required(named, name), running);
      const { loss, z } = forward(options, scope, images);
      figures = addTo(figuresIn, figuresOf(loss, z)).map((figure) => tf.keep(figure));
      return loss as never;
    })(parameters);
    const gradients = (grads as Tensor[]).map((gradient, i) => tf.add(gradientsIn[i]!, gradient));
    return [groups.statistics.map(({ name }) => required(running, name)), gradients, figures];
  });
}

/** Shapes of what adds up over the parts besides the gradients: loss and output moments. */
export function accumulatedFigures({ model }: Pick<StepOptions, 'model'>): TensorSpec[] {
  const vector: TensorSpec = { dtype: 'float32', shape: [model.dim] };
  return [{ dtype: 'float32', shape: [1] }, vector, vector, vector];
}

function stepSpecs(
  { spec, batch, imageSize, imageType = 'uint8' }: StepOptions,
  groups: StateGroups,
): Record<'trainable' | 'statistics' | 'frozen' | 'views', TensorSpec[]> {
  const view: TensorSpec = { dtype: imageType, shape: [batch, imageSize, imageSize, 3] };
  return {
    trainable: graphSpecs(groups.trainable),
    statistics: graphSpecs(groups.statistics),
    frozen: graphSpecs(groups.frozen),
    views: Array.from({ length: objectiveOf(spec.ablation).views }, () => view),
  };
}

function trainingScope(
  { precision }: StepSpec,
  parameter: (name: string) => Tensor,
  statistics: Map<string, Tensor>,
): Scope {
  return createScope({
    training: true,
    computeType: precision === 'bf16' ? 'bfloat16' : 'float32',
    parameter,
    statistics,
  });
}

function forward(
  { model, spec, imageType = 'uint8' }: StepOptions,
  scope: Scope,
  images: readonly Tensor[],
): { loss: Tensor; z: Tensor; features: Tensor } {
  const { backbone, projector, predictor } = model;
  const objective: Objective = objectiveOf(spec.ablation);
  const views = images.map((x) => (imageType === 'uint8' ? normalizePixels(x, spec.normalize) : x));
  const features = backbone.apply(scope, views);
  const z = projector.apply(scope, features);
  const p = predictor.apply(
    scope,
    objective.predicting.map((view) => z[view]!),
  );
  return { loss: objective.loss(p, z), z: z[0]!, features: features[0]! };
}

/** What adds up over ranks and parts. */
function figuresOf(loss: Tensor, z: Tensor): Tensor[] {
  return [tf.reshape(loss, [1]), ...outputMoments(z)];
}

function addTo(before: readonly Tensor[] | undefined, figures: Tensor[]): Tensor[] {
  return before ? figures.map((figure, i) => tf.add(before[i]!, figure)) : figures;
}

/** All figures of a step cross the ranks in one message. */
function overRanks([loss, ...moments]: Tensor[], signals: Tensor, rows: number, parts: number): Tensor {
  const summed = allReduceSum([loss!, signals, ...moments]) as [Tensor, Tensor, ...Tensor[]];
  const [totalLoss, signalled, ...all] = summed;
  const groups = world() * parts;
  return tf.concat([tf.div(totalLoss, groups), tf.reshape(outputStd(all, rows, groups), [1]), signalled], 0);
}

/** Of tensors as if they were one vector: [1]. L2Loss is half a sum of squares, in one kernel. */
function lengthOf(tensors: readonly Tensor[]): Tensor {
  const halves = tensors.map((tensor) => tf.reshape(rawOp('L2Loss', [tensor]), [1]));
  return tf.sqrt(tf.mul(tf.sum(tf.concat(halves, 0), 0, true), 2));
}
