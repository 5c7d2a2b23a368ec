import type { GraphFunction, Runtime, TensorList, TensorSpec } from '../tensorflow/runtime.ts';
import type { BatchShape } from './batches.ts';
import type { FeatureExtractor } from './extractor.ts';
import { classify, headStep, type HeadStepOptions } from './linear-head.ts';
import { imageSpec } from './tensors.ts';

export interface LinearFunctionOptions extends HeadStepOptions {
  readonly runtime: Runtime;
  readonly extractor: FeatureExtractor;
  readonly classes: number;
  /** This rank's part of a training batch, and of an evaluation batch. */
  readonly trainShape: BatchShape;
  readonly evaluationShape: BatchShape;
}

/** What a linear evaluation trains, native and immutable: a step makes it anew. */
export interface Trained {
  /** Weight and bias of the classifier, then those of a backbone that is fine-tuned. */
  readonly parameters: TensorList;
  readonly momenta: TensorList;
  /** Running statistics of that backbone. */
  readonly statistics: TensorList;
}

/** A linear evaluation as graph functions. */
export interface LinearFunctions {
  /** (constants, {@link Trained}, batch, {@link controls}) → (Trained, [sums over all ranks, signal]). */
  readonly step: GraphFunction;
  /** (constants, parameters, statistics, batch) → ([sums of this rank]); without collectives, so ranks may have different numbers of batches. */
  readonly evaluate: GraphFunction;
  /** State that isn't trained; its owner is the extractor's. */
  readonly constants: TensorList;
}

const SCALAR: TensorSpec = { dtype: 'float32', shape: [] };

/** Learning rate, that of the backbone, signal: a request to stop, which is added up over the ranks. */
export const controls: readonly TensorSpec[] = [SCALAR, SCALAR, SCALAR];

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

/** A classifier on frozen features: they get no gradient, so an extractor in eval mode stays exactly as it is. */
export function traceFrozen(options: LinearFunctionOptions): LinearFunctions {
  const { runtime, extractor, trainShape, evaluationShape } = options;
  const head = headSpecs(options);
  const step = runtime.trace(
    `linear_${extractor.name}_step`,
    [extractor.state.specs, head, head, [], labelledSpecs(trainShape), controls],
    (state, [weight, bias], [weightMomentum, biasMomentum], _, [images, labels, mask], [learningRate, , signal]) => {
      const features = extractor.features(state, images!);
      const batch = { features, labels: labels!, mask: mask!, learningRate: learningRate!, signal: signal! };
      const updated = headStep(
        { ...batch, head: [weight!, bias!], momenta: [weightMomentum!, biasMomentum!] },
        options,
      );
      return [updated.parameters, updated.momenta, [], [updated.sums, updated.signal]];
    },
  );
  const evaluate = runtime.trace(
    `linear_${extractor.name}_evaluate`,
    [extractor.state.specs, head, [], labelledSpecs(evaluationShape)],
    (state, [weight, bias], _, [images, labels, mask]) => {
      const features = extractor.features(state, images!);
      return [[classify({ features, labels: labels!, mask: mask! }, weight!, bias!).sums]];
    },
  );
  return { step, evaluate, constants: extractor.state };
}
