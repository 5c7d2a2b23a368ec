import type { RunResult, Scores } from '../../api/run-result.ts';
import { rawPixels, type FeatureExtractor } from '../evaluate/extractor.ts';
import { knnTop1 } from '../evaluate/knn-monitor.ts';
import { disposeBackbone } from '../evaluate/linear-state.ts';
import { backboneExtractor } from '../evaluate/network-extractor.ts';
import { simSiam } from '../model/simsiam.ts';
import { StateCodec, disposeTrained } from '../pretrain/state.ts';
import type { RankContext } from './context.ts';
import { fineTunedOf, runLinear, scoreOf, startOf } from './linear-stage.ts';
import type { RunData } from './run-data.ts';

/** Accuracies without pre-training; `undefined` when a stop came in between. */
type Baselines = NonNullable<RunResult['baselines']>;

/**
 * What raw pixels and the untrained backbone reach with the same kNN and, where the run asks for it, the same linear
 * evaluation or fine-tuning, which is then supervised training from scratch. All ranks call it.
 */
export async function measureBaselines(context: RankContext, data: RunData): Promise<Baselines | undefined> {
  const { runtime, run, send } = context;
  const { imageSize, normalize } = run.spec.pretrain;
  send({ type: 'phase', phase: 'Baselines' });
  const pixels = rawPixels(runtime, { imageSize, normalize });
  const ofPixels = await scores(context, data, pixels);
  if (!ofPixels) return undefined;
  const untrained = await untrainedBackbone(context);
  try {
    const ofUntrained = await scores(context, data, untrained);
    return ofUntrained && { rawPixels: ofPixels, untrained: ofUntrained };
  } finally {
    untrained.state.dispose();
  }
}

/** At its initial weights, but with residual gammas at 1: at 0, images would pass through the shortcuts alone. */
export async function untrainedBackbone({
  runtime,
  run,
}: Pick<RankContext, 'runtime' | 'run'>): Promise<FeatureExtractor> {
  const spec = { ...run.spec.pretrain, zeroInitResidual: false };
  const model = simSiam(spec);
  const state = await new StateCodec(runtime, model).initial(spec.seed);
  const extractor = backboneExtractor({ model, spec, state }, 'untrained');
  disposeTrained(state);
  state.frozen.dispose();
  return extractor;
}

async function scores(context: RankContext, data: RunData, extractor: FeatureExtractor): Promise<Scores | undefined> {
  const { runtime, run, send } = context;
  const evaluation = data.evaluation();
  const onBatch = (): void => send({ type: 'alive' });
  const knn = await knnTop1({ runtime, extractor, data: evaluation, spec: run.spec.pretrain.knn, onBatch });
  const knnScore = knn === undefined ? {} : { knnTop1: knn };
  if (!run.spec.linear.baselines || run.spec.linear.epochs === 0) return knnScore;
  const backbone = await fineTunedOf(context, extractor)?.start(undefined);
  const from = { ...startOf(context, extractor, evaluation.classes), ...(backbone && { backbone }) };
  const linear = await runLinear({ context, data, extractor, from, shown: false });
  for (const state of [from, linear.state]) disposeBackbone(state.backbone);
  return linear.outcome === 'stopped' ? undefined : { ...knnScore, ...scoreOf(linear) };
}
