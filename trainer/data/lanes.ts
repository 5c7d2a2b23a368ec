import { CounterRandom, purpose } from '../random.ts';
import { TooFewImagesError, UnevenBatchError } from './errors.ts';

/**
 * The order of pre-training. A lane is a slot of the global batch. The data set is cut into as many contiguous,
 * near-equal parts as there are lanes; each lane walks over its own part once an epoch, in an order drawn from
 * (seed, epoch, lane). So a batch is a pure function of (seed, epoch, step) whatever the number of ranks, and a rank
 * reads its own lanes' part of the shards alone, except to replace an image of a lane that has hardly a readable one.
 */
export interface LanePlan {
  /** Images of the data set. */
  readonly size: number;
  /** Global batch = number of lanes. */
  readonly batchSize: number;
  readonly seed: number;
  /** Mixes the data set before it is cut, for sets that are sorted by class. */
  readonly mixed: boolean;
}

/** Part of the lanes that a rank takes: [first, end). */
export interface LaneRange {
  readonly first: number;
  readonly end: number;
}

/** @throws TooFewImagesError when the set doesn't fill one batch */
export function stepsOfEpoch({ size, batchSize }: Pick<LanePlan, 'size' | 'batchSize'>): number {
  if (size < batchSize) {
    throw new TooFewImagesError(
      `${size} training images don't fill a batch of ${batchSize}: lower spec.pretrain.batchSize or add images`,
    );
  }
  return Math.floor(size / batchSize);
}

/** @throws UnevenBatchError when the ranks don't divide the lanes */
export function lanesOfRank(batchSize: number, rank: number, world: number): LaneRange {
  if (batchSize % world !== 0) {
    throw new UnevenBatchError(
      `a batch of ${batchSize} can't be split over ${world} ranks: choose a multiple of ${world}`,
    );
  }
  const lanes = batchSize / world;
  return { first: rank * lanes, end: (rank + 1) * lanes };
}

/** Positions [from, to) of the data set's order that belong to a lane. */
export function laneBounds(plan: Pick<LanePlan, 'size' | 'batchSize'>, lane: number): { from: number; to: number } {
  return {
    from: Math.floor((lane * plan.size) / plan.batchSize),
    to: Math.floor(((lane + 1) * plan.size) / plan.batchSize),
  };
}

/** The data set's order, before it is cut: one permutation for all epochs, or undefined for the order as it lies. */
export function baseOrder(plan: LanePlan): Uint32Array | undefined {
  return plan.mixed ? new CounterRandom(plan.seed, purpose.order).permutation(plan.size) : undefined;
}

/** What a lane visits in an epoch: an image index a step. The images left over, one at most, come in other epochs. */
export function laneOrder(plan: LanePlan, base: Uint32Array | undefined, epoch: number, lane: number): Int32Array {
  const { from, to } = laneBounds(plan, lane);
  const order = new CounterRandom(plan.seed, purpose.order, epoch, lane).permutation(to - from);
  const steps = stepsOfEpoch(plan);
  return Int32Array.from({ length: steps }, (_, step) => imageAt(base, from + (order[step] ?? 0)));
}

/** The images of one step: what each lane's order has at it. */
export function batchIndices(orders: readonly Int32Array[], step: number): Int32Array {
  return Int32Array.from(orders, (order) => order[step] ?? -1);
}

/** Tries to replace an unreadable image by another of its lane, which may have no other, or none that can be read. */
const triesInLane = 10;

/** The image that stands in for an unreadable one of a lane, at the first, second, … try: of the lane, then of the whole set. */
export function replacementOf(
  plan: LanePlan,
  base: Uint32Array | undefined,
  lane: number,
  bad: { readonly epoch: number; readonly index: number; readonly attempt: number },
): number {
  const { from, to } = bad.attempt < triesInLane ? laneBounds(plan, lane) : { from: 0, to: plan.size };
  const random = new CounterRandom(plan.seed, purpose.replacement, bad.epoch, bad.index, bad.attempt);
  return imageAt(base, from + random.integer(to - from));
}

function imageAt(base: Uint32Array | undefined, position: number): number {
  return base === undefined ? position : (base[position] ?? 0);
}
