import { CollapseError } from './errors.ts';

/** The output std of a run whose outputs fill the sphere: 1/√d. */
export function healthyOutputStd(dimension: number): number {
  return 1 / Math.sqrt(dimension);
}

/**
 * When a representation counts as collapsed. Both figures are needed: outputs on one line through the origin keep the
 * full standard deviation, and outputs around one point may keep many directions.
 */
export const collapseThresholds = {
  /**
   * Output std as a fraction of 1/√d. Its square is the part of the outputs' energy that is not common to all of them,
   * so below 0.5 all outputs agree in three quarters of it. SimSiam's figure 2 shows about 1 from the first epoch on, and
   * 0 without stop-gradient. On the quickstart's digits the lowest epoch of a healthy run has 0.85 to 0.91, of one without
   * stop-gradient 0.26 (docs/quickstart-recipe.md).
   */
  stdFraction: 0.5,
  /**
   * Effective rank as a fraction of min(samples, d), and at least `minimumRank`. On the digits above healthy runs
   * have 0.13 to 0.17 of it, but a large d has more room than simple images fill, so only the plain cases count.
   */
  rankFraction: 0.01,
  /** One direction and its mirror image are all that a batch norm at the output leaves of a full collapse. */
  minimumRank: 2,
  /** So many epochs in a row: figures of the first steps, and a single bad epoch that mends itself, are no collapse. */
  patience: 2,
} as const;

export type CollapseThresholds = { readonly [K in keyof typeof collapseThresholds]: number };

/** Complete: all outputs are one point. Dimensional: they fill next to none of their dimensions. */
export type CollapseKind = 'complete' | 'dimensional';

/** What is known at the end of an epoch. */
export interface HealthObservation {
  readonly epoch: number;
  /** Mean of the epoch. */
  readonly outputStd: number;
  /** Output dimensions. */
  readonly dimension: number;
  /** With its `limit`; absent in epochs in which it isn't measured. */
  readonly rank?: { readonly effectiveRank: number; readonly limit: number } | undefined;
}

/** Carried from epoch to epoch, and in checkpoints, so that a resumed run alarms at the same epoch. */
export interface CollapseAlarm {
  /** Observations in a row with too low a standard deviation, and with too low a rank. */
  readonly lowStd: number;
  readonly lowRank: number;
  /** What was announced and has not passed since. */
  readonly raised: CollapseKind | null;
}

export const quietAlarm: CollapseAlarm = { lowStd: 0, lowRank: 0, raised: null };

/** Something to tell the user; an alarm that stays is told once. */
export interface CollapseEvent {
  readonly kind: 'raised' | 'cleared';
  /** One line: what was seen, and what to try. */
  readonly message: string;
}

/** The alarm after one more epoch. Pure. */
export function observeHealth(
  alarm: CollapseAlarm,
  seen: HealthObservation,
  thresholds: CollapseThresholds = collapseThresholds,
): { alarm: CollapseAlarm; event: CollapseEvent | null } {
  const lowStd = isLowStd(seen, thresholds) ? alarm.lowStd + 1 : 0;
  const lowRank = seen.rank === undefined ? alarm.lowRank : isLowRank(seen.rank, thresholds) ? alarm.lowRank + 1 : 0;
  const raised = kindOf(lowStd, lowRank, thresholds);
  return { alarm: { lowStd, lowRank, raised }, event: eventOf(alarm.raised, raised, seen) };
}

/**
 * Acts on an event by the run's policy.
 *
 * @returns The warning to show, if any.
 * @throws CollapseError when a collapse is announced and the policy is Fail.
 */
export function applyCollapsePolicy(event: CollapseEvent | null, onCollapse: 'Warn' | 'Fail'): string | null {
  if (event?.kind === 'raised' && onCollapse === 'Fail') throw new CollapseError(event.message);
  return event?.message ?? null;
}

function isLowStd({ outputStd, dimension }: HealthObservation, { stdFraction }: CollapseThresholds): boolean {
  return outputStd < stdFraction * healthyOutputStd(dimension);
}

function isLowRank(rank: { effectiveRank: number; limit: number }, thresholds: CollapseThresholds): boolean {
  return rank.effectiveRank < Math.max(thresholds.minimumRank, thresholds.rankFraction * rank.limit);
}

function kindOf(lowStd: number, lowRank: number, { patience }: CollapseThresholds): CollapseKind | null {
  if (lowStd >= patience) return 'complete';
  if (lowRank >= patience) return 'dimensional';
  return null;
}

function eventOf(before: CollapseKind | null, now: CollapseKind | null, seen: HealthObservation): CollapseEvent | null {
  if (before === now) return null;
  if (now === null) {
    return { kind: 'cleared', message: `epoch ${seen.epoch}: the output is healthy again: ${figures(seen)}` };
  }
  return { kind: 'raised', message: `epoch ${seen.epoch}: ${DESCRIPTION[now]} (${figures(seen)}): ${ADVICE[now]}` };
}

const DESCRIPTION: Readonly<Record<CollapseKind, string>> = {
  complete:
    'the representation collapsed: all images get nearly the same output, and a loss near -1 is no success then',
  dimensional: 'the representation collapsed to a few dimensions, which its standard deviation does not show',
};

/** SimSiam section 4: what prevents a collapse there. */
const ADVICE: Readonly<Record<CollapseKind, string>> = {
  complete:
    'keep ablation.stopGradient on and the predictor rate fixed, lower pretrain.learningRate, and use a batchSize of 64 or more',
  dimensional:
    'keep ablation.stopGradient on, use stronger augmentation, lower pretrain.learningRate, or a smaller dim for a small data set',
};

function figures({ outputStd, dimension, rank }: HealthObservation): string {
  const std = `output std ${outputStd.toPrecision(3)}, healthy ${healthyOutputStd(dimension).toPrecision(3)}`;
  return rank === undefined ? std : `${std}; effective rank ${rank.effectiveRank.toFixed(1)} of ${rank.limit}`;
}
