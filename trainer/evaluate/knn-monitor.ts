import type { KnnSpec } from '../../api/run.ts';
import type { Runtime } from '../tensorflow/runtime.ts';
import type { EvaluationData } from './evaluation-data.ts';
import type { FeatureExtractor } from './extractor.ts';
import { extractFeatures, type FeatureSet } from './features.ts';
import { knnAccuracy } from './knn.ts';
import { ridgeProbe } from './ridge-probe.ts';

interface KnnMonitorOptions {
  readonly runtime: Runtime;
  readonly extractor: FeatureExtractor;
  readonly data: EvaluationData;
  readonly spec: KnnSpec;
  /** After each batch, to show that a long evaluation is alive. */
  readonly onBatch: () => void;
}

/** How well features that are not trained on classify, in percent of the queries. */
export interface FeatureScores {
  readonly knnTop1?: number;
  readonly probeTop1?: number;
}

/**
 * Classifies the validation set by a bank of training images: by its nearest neighbours, and by a linear fit.
 * @returns Nothing without labels.
 */
export async function featureScores(options: KnnMonitorOptions): Promise<FeatureScores> {
  const { runtime, spec } = options;
  const found = await features(options);
  if (!found) return {};
  const { bank, queries, classes } = found;
  const { top1 } = await knnAccuracy({ runtime, bank, classes, k: spec.k, temperature: spec.temperature }, queries);
  if (spec.linearProbe === false) return { knnTop1: top1 };
  return { knnTop1: top1, probeTop1: await ridgeProbe({ runtime, bank, classes }, queries) };
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
