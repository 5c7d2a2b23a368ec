import { pretrainFigures } from './figures.ts';
import type { Snapshot } from './snapshot.ts';

/** Figures of pre-training one after the other: those that worker 0 kept, else those that were seen. */
export interface Series {
  readonly step: number;
  readonly loss: readonly number[];
  readonly outputStd: readonly number[];
}

export const noSeries: Series = { step: -1, loss: [], outputStd: [] };
/** Four hours at one step shown every two seconds. */
const longest = 7200;

/** The curve of a snapshot that has one, else the series with what the snapshot has, if it shows another step. Pure. */
export function advanceSeries(series: Series, snapshot: Snapshot): Series {
  const { curve = [] } = snapshot;
  if (curve.length > 0) {
    return {
      step: curve.at(-1)!.step,
      loss: curve.map(({ loss }) => loss),
      outputStd: curve.map(({ outputStd }) => outputStd),
    };
  }
  const { step, loss, outputStd } = pretrainFigures(snapshot);
  if (step === undefined || loss === undefined || step === series.step) return series;
  return {
    step,
    loss: [...series.loss, loss].slice(-longest),
    outputStd: [...series.outputStd, outputStd ?? series.outputStd.at(-1) ?? 0].slice(-longest),
  };
}
