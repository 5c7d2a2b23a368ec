import type { RunResult } from '../../api/run-result.ts';

/** What the figures of the stage `linear` are of: `linear`, or `fine-tuned` where the backbone was trained too. */
export function linearKind({ fineTuned }: Pick<NonNullable<RunResult['linear']>, 'fineTuned'>): string {
  return fineTuned ? 'fine-tuned' : 'linear';
}

/** `linear top-1`, `fine-tuned top-1, 10 % of the labels`. */
export function linearName(linear: Pick<NonNullable<RunResult['linear']>, 'fineTuned' | 'labelFraction'>): string {
  const { labelFraction = 1 } = linear;
  const part = labelFraction < 1 ? `, ${Number((100 * labelFraction).toPrecision(3))} % of the labels` : '';
  return `${linearKind(linear)} top-1${part}`;
}
