import { pretrainFigures } from './figures.ts';
import type { Snapshot } from './snapshot.ts';

/** Figures of pre-training that were seen one after the other. */
export interface Series {
  readonly step: number;
  readonly loss: readonly number[];
  readonly outputStd: readonly number[];
}

export const noSeries: Series = { step: -1, loss: [], outputStd: [] };
/** Four hours at one step shown every two seconds. */
const longest = 7200;

/** The series with what a snapshot has, if it shows another step. Pure. */
export function advanceSeries(series: Series, snapshot: Snapshot): Series {
  const { step, loss, outputStd } = pretrainFigures(snapshot);
  if (step === undefined || loss === undefined || step === series.step) return series;
  return {
    step,
    loss: [...series.loss, loss].slice(-longest),
    outputStd: [...series.outputStd, outputStd ?? series.outputStd.at(-1) ?? 0].slice(-longest),
  };
}
