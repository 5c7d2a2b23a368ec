import type { PretrainSpec } from '../../api/run.ts';
import { outputMoments, outputStd } from '../evaluate/output-std.ts';
import type { Scope } from '../model/layer.ts';
import { objectiveOf, type Objective } from '../model/objective.ts';
import { normalizePixels } from '../model/pixels.ts';
import { byName, createScope, required } from '../model/scope.ts';
import { isPredictor, type SimSiam } from '../model/simsiam.ts';
import { graphSpecs, groupEntries } from '../model/state.ts';
import { sgd } from '../optimize/sgd.ts';
import { allReduceSum, world } from '../tensorflow/collectives.ts';
import { rawOp } from '../tensorflow/raw-op.ts';
import type { GraphFunction, Runtime, TensorSpec } from '../tensorflow/runtime.ts';
import { tf, type Tensor } from '../tensorflow/tfjs.ts';
import { GradientBuckets } from './gradient-buckets.ts';

/** What the step needs of the specification. */
export type StepSpec = Pick<PretrainSpec, 'momentum' | 'weightDecay' | 'precision' | 'ablation' | 'normalize'>;

interface StepOptions {
  readonly runtime: Runtime;
  readonly model: SimSiam;
  readonly spec: StepSpec;
  /** Images of a view on this rank. */
  readonly batch: number;
  readonly imageSize: number;
  /** What a view's images are: bytes that are normalised here, or numbers taken as they are. Default uint8. */
  readonly imageType?: 'uint8' | 'float32';
}

/** Places in the step's last input, float32 [4]. The signals are 0 or 1 and added up over the ranks. */
export const control = { learningRate: 0, predictorLearningRate: 1, stop: 2, checkpoint: 3 } as const;

/** Places in the step's last output, float32 [5]. All are over the whole batch and equal on all ranks. */
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
} as const;

/** Both kinds of signal lie side by side in the inputs and in the outputs. */
const SIGNALS = 2;

/**
 * One step of pre-training as one graph function: the views' forward passes, backward, synchronised batch norm, averaging of
 * the gradients over ranks and SGD (SimSiam algorithm 1).
 *
 * In: [trainable, momenta, statistics, frozen, the objective's views of uint8 [batch, s, s, 3], [{@link control}]].
 * Out: [trainable, momenta, statistics, [{@link metric}]]. The state is never changed in place.
 */
export function tracePretrainStep(options: StepOptions): GraphFunction {
  const { runtime, model, spec, batch, imageSize, imageType = 'uint8' } = options;
  const groups = groupEntries(model.entries);
  const [trainable, statistics, frozen] = [groups.trainable, groups.statistics, groups.frozen].map(graphSpecs);
  const objective = objectiveOf(spec.ablation);
  const view: TensorSpec = { dtype: imageType, shape: [batch, imageSize, imageSize, 3] };
  const views = Array.from({ length: objective.views }, () => view);
  const inputs = [trainable!, trainable!, statistics!, frozen!, views, [{ dtype: 'float32', shape: [4] }]];

  return runtime.trace('pretrain_step', inputs as TensorSpec[][], (...groupsIn) => {
    const [parameters, momenta, statisticsIn, frozenIn, images, controls] = groupsIn as [
      ...[Tensor[], Tensor[], Tensor[], Tensor[], Tensor[], [Tensor]],
    ];
    const buckets = new GradientBuckets();
    const constants = byName(groups.frozen, frozenIn);
    const running = byName(groups.statistics, statisticsIn);
    let figures: Tensor | undefined;
    tf.valueAndGrads((...watched: Tensor[]) => {
      const named = byName(groups.trainable, watched);
      const scope = createScope({
        training: true,
        computeType: spec.precision === 'bf16' ? 'bfloat16' : 'float32',
        parameter: (name) => constants.get(name) ?? buckets.watch(name, required(named, name)),
        statistics: running,
      });
      const views = images.map((x) => (imageType === 'uint8' ? normalizePixels(x, spec.normalize) : x));
      const { loss, z } = forward(model, scope, views, objective);
      figures = tf.keep(figuresOf(loss, z, tf.slice(controls[0], [control.stop], [SIGNALS])));
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
    const all = tf.concat([figures!, lengthOf(gradients)], 0);
    return [updated.parameters, updated.momenta, moved, [all]] as Tensor[][];
  });
}

function forward(
  { backbone, projector, predictor }: SimSiam,
  scope: Scope,
  images: readonly Tensor[],
  objective: Objective,
): { loss: Tensor; z: Tensor } {
  const z = projector.apply(scope, backbone.apply(scope, images));
  const p = predictor.apply(
    scope,
    objective.predicting.map((view) => z[view]!),
  );
  return { loss: objective.loss(p, z), z: z[0]! };
}

/** All figures of a step cross the ranks in one message. */
function figuresOf(loss: Tensor, z: Tensor, signals: Tensor): Tensor {
  const local = [tf.reshape(loss, [1]), signals, ...outputMoments(z)];
  const [totalLoss, signalled, ...moments] = allReduceSum(local) as [Tensor, Tensor, ...Tensor[]];
  const std = outputStd(moments, z.shape[0], world());
  return tf.concat([tf.div(totalLoss, world()), tf.reshape(std, [1]), signalled], 0);
}

/** Of tensors as if they were one vector: [1]. L2Loss is half a sum of squares, in one kernel. */
function lengthOf(tensors: readonly Tensor[]): Tensor {
  const halves = tensors.map((tensor) => tf.reshape(rawOp('L2Loss', [tensor]), [1]));
  return tf.sqrt(tf.mul(tf.sum(tf.concat(halves, 0), 0, true), 2));
}
