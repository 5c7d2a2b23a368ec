import type { GraphFunction, Runtime, TensorSpec } from '../tensorflow/runtime.ts';
import type { BatchShape } from './batches.ts';
import type { FeatureExtractor } from './extractor.ts';
import { classify, headStep, type HeadStepOptions } from './linear-head.ts';
import { imageSpec } from './tensors.ts';

export interface LinearFunctionOptions extends HeadStepOptions {
  readonly extractor: FeatureExtractor;
  readonly classes: number;
  /** This rank's part of a training batch, and of an evaluation batch. */
  readonly trainShape: BatchShape;
  readonly evaluationShape: BatchShape;
}

const SCALAR: TensorSpec = { dtype: 'float32', shape: [] };

/** Weight and bias, or their momentum buffers. */
export function headSpecs({ extractor, classes }: Pick<LinearFunctionOptions, 'extractor' | 'classes'>): TensorSpec[] {
  return [
    { dtype: 'float32', shape: [extractor.dimension, classes] },
    { dtype: 'float32', shape: [classes] },
  ];
}

/** Images uint8, labels int32, mask float32. */
export function labelledSpecs(shape: BatchShape): [TensorSpec, TensorSpec, TensorSpec] {
  const vector = [shape.batchSize];
  return [imageSpec(shape), { dtype: 'int32', shape: vector }, { dtype: 'float32', shape: vector }];
}

/**
 * (extractor state, head, momenta, batch, [learning rate, signal]) → (head, momenta, [sums over all ranks, signal]).
 * The features get no gradient, so an extractor in eval mode stays exactly as it is.
 */
export function traceLinearStep(runtime: Runtime, options: LinearFunctionOptions): GraphFunction {
  const { extractor, trainShape } = options;
  const head = headSpecs(options);
  return runtime.trace(
    `linear_${extractor.name}_step`,
    [extractor.state.specs, head, head, labelledSpecs(trainShape), [SCALAR, SCALAR]],
    (state, [weight, bias], [weightMomentum, biasMomentum], [images, labels, mask], [learningRate, signal]) => {
      const features = extractor.features(state, images!);
      const batch = { features, labels: labels!, mask: mask!, learningRate: learningRate!, signal: signal! };
      const updated = headStep(
        { ...batch, head: [weight!, bias!], momenta: [weightMomentum!, biasMomentum!] },
        options,
      );
      return [updated.parameters, updated.momenta, [updated.sums, updated.signal]];
    },
  );
}

/** (extractor state, head, batch) → ([sums of this rank]); no collective, so ranks may have different numbers of batches. */
export function traceLinearEvaluation(runtime: Runtime, options: LinearFunctionOptions): GraphFunction {
  const { extractor, evaluationShape } = options;
  return runtime.trace(
    `linear_${extractor.name}_evaluate`,
    [extractor.state.specs, headSpecs(options), labelledSpecs(evaluationShape)],
    (state, [weight, bias], [images, labels, mask]) => {
      const features = extractor.features(state, images!);
      return [[classify({ features, labels: labels!, mask: mask! }, weight!, bias!).sums]];
    },
  );
}
