import assert from 'node:assert/strict';
import { test } from 'node:test';

import { fc } from '../support/property.ts';

import {
  baseOrder,
  batchIndices,
  laneBounds,
  laneOrder,
  lanesOfRank,
  replacementOf,
  stepsOfEpoch,
} from '../../trainer/data/lanes.ts';
import type { LanePlan } from '../../trainer/data/lanes.ts';

const plans = fc
  .record({
    batchSize: fc.integer({ min: 1, max: 24 }),
    extra: fc.nat(150),
    seed: fc.nat(),
    mixed: fc.boolean(),
    epoch: fc.nat(5),
  })
  .map(({ batchSize, extra, seed, mixed, epoch }) => ({
    plan: { size: batchSize + extra, batchSize, seed, mixed } satisfies LanePlan,
    epoch,
  }));

function epochOf(plan: LanePlan, epoch: number, lanes = { first: 0, end: plan.batchSize }): Int32Array[] {
  const base = baseOrder(plan);
  const orders = Array.from({ length: lanes.end - lanes.first }, (_, i) =>
    laneOrder(plan, base, epoch, lanes.first + i),
  );
  return Array.from({ length: stepsOfEpoch(plan) }, (_, step) => batchIndices(orders, step));
}

test('an epoch visits each image at most once and leaves N mod B of them out', () => {
  fc.assert(
    fc.property(plans, ({ plan, epoch }) => {
      const seen = epochOf(plan, epoch).flatMap((batch) => [...batch]);
      assert.equal(seen.length, plan.size - (plan.size % plan.batchSize));
      assert.equal(new Set(seen).size, seen.length);
      assert.ok(seen.every((index) => index >= 0 && index < plan.size));
    }),
  );
});

test('the ranks of any world size put together see the same batches', () => {
  fc.assert(
    fc.property(plans, fc.integer({ min: 1, max: 6 }), ({ plan: { batchSize, ...rest }, epoch }, world) => {
      const plan = { ...rest, batchSize: batchSize * world, size: rest.size * world };
      const alone = epochOf(plan, epoch);
      const ranks = Array.from({ length: world }, (_, rank) =>
        epochOf(plan, epoch, lanesOfRank(plan.batchSize, rank, world)),
      );
      const together = alone.map((_, step) => ranks.flatMap((batches) => [...(batches[step] ?? [])]));
      assert.deepEqual(
        together,
        alone.map((batch) => [...batch]),
      );
    }),
  );
});

test('a lane keeps to its own part of the order', () => {
  fc.assert(
    fc.property(plans, ({ plan, epoch }) => {
      const lie = { ...plan, mixed: false };
      for (let lane = 0; lane < plan.batchSize; lane++) {
        const { from, to } = laneBounds(lie, lane);
        assert.ok(laneOrder(lie, undefined, epoch, lane).every((index) => index >= from && index < to));
        for (const attempt of [0, 1, 9]) {
          const index = replacementOf(lie, undefined, lane, { epoch, index: 1, attempt });
          assert.ok(index >= from && index < to);
        }
      }
    }),
  );
});

test('where the lane has no readable image, one of the whole set stands in, drawn by the counter alone', () => {
  const plan = { size: 12, batchSize: 8, seed: 1, mixed: false };
  const drawn = (lane: number): number[] =>
    Array.from({ length: 200 }, (_, i) =>
      replacementOf(plan, undefined, lane, { epoch: i, index: 3, attempt: 10 + (i % 10) }),
    );
  assert.equal(new Set(drawn(2)).size, plan.size);
  assert.deepEqual(drawn(2), drawn(5));
});

test('an image that one epoch leaves out comes in another', () => {
  const plan = { size: 15, batchSize: 4, seed: 1, mixed: true };
  const seen = new Set(
    Array.from({ length: 12 }, (_, epoch) => epochOf(plan, epoch))
      .flat()
      .flatMap((b) => [...b]),
  );
  assert.equal(seen.size, 15);
});

test('epochs and seeds differ', () => {
  const plan = { size: 64, batchSize: 4, seed: 1, mixed: true };
  const orders = [epochOf(plan, 0), epochOf(plan, 1), epochOf({ ...plan, seed: 2 }, 0)].map((e) => e.join());
  assert.equal(new Set(orders).size, 3);
});

test('a mixed set spreads its classes over the lanes', () => {
  const plan = { size: 1000, batchSize: 10, seed: 1, mixed: true };
  const firstHundred = (index: number) => index < 100;
  const inFirstLane = epochOf(plan, 0).filter((batch) => firstHundred(batch[0] ?? 0)).length;
  assert.ok(inFirstLane < 30, `${inFirstLane} of the first lane's 100 images are the first 100`);
});

test('fewer images than a batch are refused, with both numbers', () => {
  assert.throws(() => stepsOfEpoch({ size: 31, batchSize: 32 }), {
    code: 'DATA_TOO_FEW',
    exitCode: 65,
    message: /31 training images .* batch of 32/,
  });
});

test('a batch that the ranks do not divide is refused', () => {
  assert.throws(() => lanesOfRank(10, 0, 4), { code: 'DATA_UNEVEN_BATCH', exitCode: 64, message: /10 .* 4 ranks/ });
});
