import type { StateEntry } from '../model/layer.ts';
import { byName, createScope, evaluationScope, required } from '../model/scope.ts';
import { graphSpecs } from '../model/state.ts';
import { GradientBuckets } from '../optimize/gradient-buckets.ts';
import { sgd } from '../optimize/sgd.ts';
import { world } from '../tensorflow/collectives.ts';
import { differentiable } from '../tensorflow/differentiable.ts';
import { tf, type Tensor } from '../tensorflow/tfjs.ts';
import type { TrainableBackbone } from './extractor.ts';
import {
  controls,
  headSpecs,
  labelledSpecs,
  type LinearFunctionOptions,
  type LinearFunctions,
} from './linear-functions.ts';
import { classify, headStep, headSums, type LabelledFeatures } from './linear-head.ts';

/**
 * A classifier that is trained together with the backbone before it (semi-supervised evaluation: SimCLR, Chen et al.
 * 2020, §6; Barlow Twins, Zbontar et al. 2021, §3.2). The backbone is in training mode, with batch norm over all ranks;
 * it takes steps of SGD at a rate of its own, whatever the classifier's optimiser. Measured is in eval mode.
 *
 * Batch norm sees all slots of a batch, those with mask 0 too, so a loader fills them with images.
 */
export function traceFineTuning(options: LinearFunctionOptions, backbone: TrainableBackbone): LinearFunctions {
  const { runtime, extractor, trainShape, evaluationShape, momentum, weightDecay } = options;
  const { trainable, statistics, computeType } = backbone;
  const specs = [...headSpecs(options), ...graphSpecs(trainable)];
  const running = graphSpecs(statistics);
  const step = runtime.trace(
    `fine_tune_${extractor.name}_step`,
    [[], specs, specs, running, labelledSpecs(trainShape), controls],
    (_, [weight, bias, ...network], momenta, runningIn, [images, labels, mask], [rate, backboneRate, signal]) => {
      const buckets = new GradientBuckets();
      const moved = byName(statistics, runningIn);
      let features: Tensor | undefined;
      tf.valueAndGrads((...watched: Tensor[]) => {
        const named = byName(trainable, watched);
        const parameter = (name: string): Tensor => buckets.watch(name, required(named, name));
        const scope = createScope({ training: true, computeType, parameter, statistics: moved });
        features = tf.keep(backbone.features(scope, images!));
        return summedLoss({ features, labels: labels!, mask: mask! }, weight!, bias!) as never;
      })(network);
      const [weightMomentum, biasMomentum, ...networkMomenta] = momenta;
      const batch = { features: features!, labels: labels!, mask: mask!, learningRate: rate!, signal: signal! };
      const head = headStep({ ...batch, head: [weight!, bias!], momenta: [weightMomentum!, biasMomentum!] }, options);
      const tuned = sgd({
        parameters: network,
        momenta: networkMomenta,
        gradients: meanGradients(buckets, trainable, head.sums),
        learningRates: trainable.map(() => backboneRate!),
        momentum,
        weightDecay,
      });
      return [
        [...head.parameters, ...tuned.parameters],
        [...head.momenta, ...tuned.momenta],
        statistics.map(({ name }) => required(moved, name)),
        [head.sums, head.signal],
      ];
    },
  );
  const evaluate = runtime.trace(
    `fine_tune_${extractor.name}_evaluate`,
    [[], specs, running, labelledSpecs(evaluationShape)],
    (_, [weight, bias, ...network], runningIn, [images, labels, mask]) => {
      const tensors = new Map([...byName(trainable, network), ...byName(statistics, runningIn)]);
      const features = backbone.features(evaluationScope(tensors, computeType), images!);
      return [[classify({ features, labels: labels!, mask: mask! }, weight!, bias!).sums]];
    },
  );
  return { step, evaluate, constants: runtime.tensors([]) };
}

/** The loss added up over this rank's images, as a function of their features alone: `headStep` moves the classifier. */
function summedLoss({ features, ...rest }: LabelledFeatures, weight: Tensor, bias: Tensor): Tensor {
  return differentiable([features], (features) => {
    const { sums, slope } = classify({ features, ...rest }, weight, bias);
    return {
      value: tf.reshape(tf.slice(sums, headSums.loss, 1), []),
      saved: [slope],
      gradient: () => [tf.matMul(slope, weight, false, true)],
    };
  });
}

/** Of the mean loss over the images of all ranks, however they are spread. */
function meanGradients(buckets: GradientBuckets, trainable: readonly StateEntry[], sums: Tensor): Tensor[] {
  const averages = buckets.finish();
  const scale = tf.div(world(), tf.maximum(tf.slice(sums, headSums.count, 1), 1));
  return trainable.map(({ name }) => tf.mul(required(averages, name), scale));
}
