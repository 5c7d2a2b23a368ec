import type { KnnSpec } from '../../api/run.ts';
import type { Runtime } from '../tensorflow/runtime.ts';
import type { EvaluationData } from './evaluation-data.ts';
import type { FeatureExtractor } from './extractor.ts';
import { extractFeatures } from './features.ts';
import { knnAccuracy } from './knn.ts';

interface KnnMonitorOptions {
  readonly runtime: Runtime;
  readonly extractor: FeatureExtractor;
  readonly data: EvaluationData;
  readonly spec: KnnSpec;
  /** After each batch, to show that a long evaluation is alive. */
  readonly onBatch: () => void;
}

/**
 * kNN top-1 in percent: the validation set classified by a bank of training images.
 * @returns undefined without labels or without a validation set.
 */
export async function knnTop1(options: KnnMonitorOptions): Promise<number | undefined> {
  const { runtime, extractor, data, spec, onBatch } = options;
  if (data.classes === 0 || !data.validation) return undefined;
  const common = { runtime, extractor, shape: data.shape, onBatch };
  const bank = await extractFeatures({ ...common, loader: data.train(spec.bankSize), of: 'all' });
  const queries = await extractFeatures({ ...common, loader: data.validation(), of: 'own' });
  const classifier = { runtime, bank, classes: data.classes, k: spec.k, temperature: spec.temperature };
  return (await knnAccuracy(classifier, queries)).top1;
}
