import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { before, describe, test } from 'node:test';

import { floatsOf } from '../support/arrays.ts';
import { freeAddresses } from '../tensorflow/cluster.ts';
import type { RankFigures, StepState } from './step-program.ts';

/**
 * Of a tensor, relative, after one step, with that of some batches where it is least: in one of them rounding may turn a
 * ReLU on or off whose input is next to 0, which moves gradients by far more; in all of them it doesn't. Two ranks add in another order than one: batch statistics, losses and gradients are
 * all sums of two halves. Measured: 8e-6, 4e-7 and 8e-6 in the worst tensor, which is about as far as one and two threads are
 * apart where batch norm's sums depend on threads. What is wrong is wrong by fifty times that and more: least where only
 * the correction of the running variance is.
 */
const afterOne = { weights: 3e-5, statistics: 2e-6, momenta: 5e-5 } as const;

/** Of loss and output std, how many times the noise of threads. */
const factor = 5;

/** Nothing is better than the rounding of one float32 operation. */
const rounding = 2 ** -23;

/**
 * Relative, over all tensors. Batch norm over few images and ReLU make much of rounding within some steps: two threads
 * are from one 5e-6, 4e-7 and 7e-4 apart after three, two ranks 2e-7, 4e-7 and 2e-5. Whole batches instead of parts are
 * 2e-2, 2e-1 and 2 from it, a rate that doesn't grow 1e-2, 3e-2 and 1.
 */
const afterThree = { weights: 1e-3, statistics: 1e-3, momenta: 1e-1 } as const;

/** The norm of a tensor that is zero but for rounding: the mean in front of the predictor's first batch norm is. */
const zeroNorm = 1e-5;

async function startRank(rank: number, threads: number, addresses: readonly string[]): Promise<RankFigures> {
  const program = new URL('step-program.js', import.meta.url);
  const env = {
    ...process.env,
    TF_NUM_INTRAOP_THREADS: String(threads),
    CUDA_VISIBLE_DEVICES: '-1',
    TF_CPP_MIN_LOG_LEVEL: '2',
  };
  const child = fork(program, [String(rank), String(threads), ...addresses], { env, serialization: 'advanced' });
  const failed = once(child, 'exit').then(([code, signal]) => {
    throw new Error(`rank ${rank} ended without figures: ${code ?? signal}`);
  });
  const [figures] = await Promise.race([once(child, 'message'), failed]);
  await failed.catch(() => {});
  return figures as RankFigures;
}

const norm = (values: Float32Array): number => Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));

/** ‖a − b‖ / ‖a‖ of each tensor that isn't zero. */
function deviations(a: StepState, b: StepState, kind: keyof StepState): Map<string, number> {
  const result = new Map<string, number>();
  for (const [name, bytes] of a[kind]) {
    const [own, other] = [floatsOf(bytes), floatsOf(b[kind].get(name)!)];
    if (norm(own) > zeroNorm) result.set(name, norm(own.map((value, i) => value - other[i]!)) / norm(own));
  }
  return result;
}

/** ‖a − b‖ / ‖a‖ of all tensors together. */
function distance(a: StepState, b: StepState, kind: keyof StepState): number {
  let [difference, length] = [0, 0];
  for (const [name, bytes] of a[kind]) {
    const [own, other] = [floatsOf(bytes), floatsOf(b[kind].get(name)!)];
    difference += norm(own.map((value, i) => value - other[i]!)) ** 2;
    length += norm(own) ** 2;
  }
  return Math.sqrt(difference / length);
}

describe('two ranks with half the batch each are one rank with the whole batch', { timeout: 1_200_000 }, () => {
  let one: RankFigures;
  let threaded: RankFigures;
  let ranks: readonly RankFigures[];
  before(async () => {
    one = await startRank(0, 1, []);
    threaded = await startRank(0, 2, []);
    const addresses = await freeAddresses(2);
    ranks = await Promise.all(addresses.map((_, rank) => startRank(rank, 1, addresses)));
  });

  for (const figure of ['loss', 'outputStd'] as const) {
    test(`${figure}, to the noise of one against two threads`, () => {
      const noise = Math.max(Math.abs(threaded[figure] - one[figure]), rounding);
      for (const rank of ranks) {
        const difference = Math.abs(rank[figure] - one[figure]);
        assert.ok(difference <= factor * noise, `${difference} apart, noise ${noise}`);
      }
      assert.notEqual(one[figure], 0);
    });
  }

  for (const kind of ['weights', 'statistics', 'momenta'] as const) {
    test(`${kind} after one step, to what rounding makes of them`, () => {
      const all = one.after.map((after, batch) => deviations(after, ranks[0]!.after[batch]!, kind));
      const [found] = all;
      assert.ok(found!.size > 40, `only ${found!.size} tensors`);
      for (const name of found!.keys()) {
        const deviation = Math.min(...all.map((of) => of.get(name) ?? Infinity));
        assert.ok(deviation <= afterOne[kind], `${name}: ${deviation} relative`);
      }
    });
  }

  for (const kind of ['weights', 'statistics', 'momenta'] as const) {
    test(`${kind} after three steps of a warm-up, each of a batch in two parts, to what rounding makes of them`, () => {
      const found = distance(one.warmedUp, ranks[0]!.warmedUp, kind);
      assert.ok(found <= afterThree[kind], `${found} relative`);
    });
  }

  test('the rate grows from step to step of a warm-up alike', () => {
    // 0.8 for 256 images, of which a batch has 16.
    for (const { warmUpRates } of [one, ...ranks]) assert.deepEqual(warmUpRates, [0.05 / 3, (0.05 * 2) / 3, 0.05]);
  });

  test('both hold the same, to the last bit', () => {
    assert.deepEqual(ranks[1]!.after, ranks[0]!.after);
    assert.deepEqual(ranks[1]!.warmedUp, ranks[0]!.warmedUp);
  });

  test('the same step gives the same twice, to the last bit', () => {
    for (const { again, after } of [one, threaded, ...ranks]) assert.deepEqual(again, after[0]);
  });

  test('many steps take no more memory and threads than some', () => {
    for (const { footprints } of ranks) {
      const [some, many] = footprints;
      // All that a step makes is about 1.6 MB: kept, it would be 1.6 GB, a tenth of it 160 MB.
      assert.ok(many!.bytes - some!.bytes < 64 * 2 ** 20, `${many!.bytes - some!.bytes} bytes more`);
      assert.ok(many!.threads - some!.threads <= 4, `${some!.threads} threads, then ${many!.threads}`);
    }
  });
});
