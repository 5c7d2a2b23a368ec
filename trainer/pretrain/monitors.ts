import { effectiveRankSamples, measureEffectiveRank, type EffectiveRank } from '../evaluate/effective-rank.ts';
import type { EvaluationData } from '../evaluate/evaluation-data.ts';
import { featureScores } from '../evaluate/knn-monitor.ts';
import { backboneExtractor, projectionExtractor } from '../evaluate/network-extractor.ts';
import { simSiam } from '../model/simsiam.ts';
import type { RankContext } from '../rank/context.ts';
import type { PretrainState } from './state.ts';

/** What is measured at the end of an epoch, over all ranks; absent in epochs without it. */
export interface MonitorFigures {
  readonly rank?: EffectiveRank;
  /** Percent. */
  readonly knnTop1?: number;
  /** Percent. */
  readonly probeTop1?: number;
  /** Percent, of the online probe. */
  readonly onlineTop1?: number;
}

/** Measures the representation while it is trained, in eval mode and without changing it. */
export class Monitors {
  readonly #context: RankContext;
  readonly #data: EvaluationData;

  constructor(context: RankContext, data: EvaluationData) {
    this.#context = context;
    this.#data = data;
  }

  /** All ranks call it after the same step. */
  async measure(epoch: number, state: PretrainState): Promise<MonitorFigures> {
    const { run, runtime, send } = this.#context;
    const spec = run.spec.pretrain;
    const { everyEpochs } = spec.knn;
    if (everyEpochs === 0 || ((epoch + 1) % everyEpochs !== 0 && epoch + 1 !== spec.epochs)) return {};
    const network = { model: simSiam(spec), spec, state };
    const onBatch = (): void => send({ type: 'alive' });
    const projection = projectionExtractor(network);
    const backbone = backboneExtractor(network);
    const classifier = state.probe?.slice(0, 2);
    try {
      const images = effectiveRankSamples(spec.dim, this.#data.trainSize);
      const loader = this.#data.train(images);
      const rank = await measureEffectiveRank({
        runtime,
        extractor: projection,
        loader,
        shape: this.#data.shape,
        onBatch,
      });
      const options = { runtime, extractor: backbone, data: this.#data, spec: spec.knn, classifier, onBatch };
      const scores = await featureScores(options);
      return { rank, ...scores };
    } finally {
      projection.state.dispose();
      backbone.state.dispose();
      classifier?.dispose();
    }
  }
}
