import type { KnnSpec } from '../../api/run.ts';
import type { Runtime, TensorList } from '../tensorflow/runtime.ts';
import type { EvaluationData } from './evaluation-data.ts';
import type { FeatureExtractor } from './extractor.ts';
import { extractFeatures, type FeatureSet } from './features.ts';
import { knnAccuracy } from './knn.ts';
import { classifierTop1, ridgeProbe } from './ridge-probe.ts';

interface KnnMonitorOptions {
  readonly runtime: Runtime;
  readonly extractor: FeatureExtractor;
  readonly data: EvaluationData;
  readonly spec: KnnSpec;
  /** The online probe's weight and bias, if there is one. */
  readonly classifier?: TensorList | undefined;
  /** After each batch, to show that a long evaluation is alive. */
  readonly onBatch: () => void;
}

/** How well features that are not trained on classify, in percent of the queries. */
export interface FeatureScores {
  readonly knnTop1?: number;
  readonly probeTop1?: number;
  readonly onlineTop1?: number;
}

/**
 * Classifies the validation set by a bank of training images: by its nearest neighbours, and by a linear fit; and by a
 * classifier that is given.
 * @returns Nothing without labels.
 */
export async function featureScores(options: KnnMonitorOptions): Promise<FeatureScores> {
  const { runtime, spec, classifier } = options;
  const found = await features(options);
  if (!found) return {};
  const { bank, queries, classes } = found;
  const { top1 } = await knnAccuracy({ runtime, bank, classes, k: spec.k, temperature: spec.temperature }, queries);
  return {
    knnTop1: top1,
    ...(spec.linearProbe !== false && { probeTop1: await ridgeProbe({ runtime, bank, classes }, queries) }),
    ...(classifier && { onlineTop1: await classifierTop1(runtime, classifier, queries) }),
  };
}

/**
 * kNN top-1 alone, which does without a covariance of the features: those of a baseline may be very many.
 * @returns undefined without labels.
 */
export async function knnTop1(options: KnnMonitorOptions): Promise<number | undefined> {
  const { spec, ...rest } = options;
  return (await featureScores({ ...rest, spec: { ...spec, linearProbe: false } })).knnTop1;
}

async function features({
  runtime,
  extractor,
  data,
  spec,
  onBatch,
}: KnnMonitorOptions): Promise<{ bank: FeatureSet; queries: FeatureSet; classes: number } | undefined> {
  const { queries, classes, shape } = data;
  if (classes === 0 || !queries) return undefined;
  const common = { runtime, extractor, shape, onBatch };
  return {
    bank: await extractFeatures({ ...common, loader: data.bank(spec.bankSize), of: 'all' }),
    queries: await extractFeatures({ ...common, loader: queries(), of: 'own' }),
    classes,
  };
}
