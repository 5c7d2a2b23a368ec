import assert from 'node:assert/strict';
import { after, test } from 'node:test';

import { DivergedError } from '../../trainer/evaluate/errors.ts';
import type { IndexedBatch } from '../../trainer/evaluate/batches.ts';
import { evaluateLinearly, type LinearEvaluationOptions } from '../../trainer/evaluate/linear-evaluation.ts';
import { initialHead } from '../../trainer/evaluate/linear-head.ts';
import { initialLinearState, type LinearRecord, type LinearState } from '../../trainer/evaluate/linear-state.ts';
import { CounterRandom } from '../../trainer/random.ts';
import { Runtime } from '../../trainer/tensorflow/runtime.ts';
import { batches, imageSize, loader, lookup, normals } from './support.ts';

const runtime = Runtime.open({ threads: 1 });
after(() => runtime.close());

const classes = 6;
const dimension = 12;
const size = 45; // not a multiple of any batch below
const labelOf = (index: number): number => index % classes;

/** Features around a centre for each class. */
const random = new CounterRandom(5);
const centres = normals(random, classes * dimension);
const table = normals(random, size * dimension, 0.4).map(
  (x, i) => x + centres[labelOf(Math.floor(i / dimension)) * dimension + (i % dimension)]!,
);

function options(batchSize: number, changes: Partial<LinearEvaluationOptions> = {}): LinearEvaluationOptions {
  const order = (epoch: number) => new CounterRandom(9, epoch).permutation(size);
  return {
    runtime,
    extractor: lookup(runtime, table, dimension),
    classes,
    trainShape: { batchSize, imageSize },
    evaluationShape: { batchSize: 7, imageSize },
    optimizer: 'sgd',
    momentum: 0.9,
    weightDecay: 1e-4,
    train: {
      stepsPerEpoch: Math.ceil(size / batchSize),
      async *epoch(epoch, fromStep = 0): AsyncGenerator<IndexedBatch> {
        yield* [...batches(order(epoch), labelOf, { batchSize })].slice(fromStep);
      },
    },
    validation: () => loader(order(0), labelOf, { batchSize: 7 }),
    epochs: 4,
    learningRate: 0.3,
    from: initialLinearState(initialHead(dimension, classes, new CounterRandom(3))),
    clock: () => 0,
    stopRequested: () => false,
    ...changes,
  };
}

/** A run with what it told on the way. */
async function run(given: LinearEvaluationOptions) {
  const records: LinearRecord[] = [];
  const losses: number[] = [];
  const { outcome, state } = await evaluateLinearly({
    ...given,
    onStep: (report) => void losses.push(report.loss),
    onEpoch: async (record) => void records.push(record),
  });
  return { outcome, state, records, losses };
}

test('both optimisers learn classes that can be separated, and each epoch counts every image once', async () => {
  for (const [optimizer, learningRate] of [
    ['sgd', 0.3],
    ['lars', 30],
  ] as const) {
    const images: number[] = [];
    const result = await evaluateLinearly({
      ...options(8, { optimizer, learningRate, epochs: 12 }),
      onStep: (report) => void images.push(report.images),
    });
    assert.equal(result.outcome, 'finished');
    assert.deepEqual(images.slice(0, 6), [8, 8, 8, 8, 8, 5]);
    assert.ok(result.state.best!.top1 > 95, `${optimizer}: ${result.state.best!.top1}`);
    assert.ok(result.state.best!.top5 >= result.state.best!.top1);
  }
});

test('a record has the epoch, its rate by the cosine, the mean loss over the images and the accuracy', async () => {
  const { records, losses, state } = await run(options(8, { epochs: 2 }));
  assert.deepEqual(
    records.map(({ epoch, learningRate }) => [epoch, learningRate]),
    [
      [0, 0.3],
      [1, 0.15],
    ],
  );
  const weights = [8, 8, 8, 8, 8, 5];
  const mean = weights.reduce((sum, weight, i) => sum + (weight * losses[i]!) / size, 0);
  assert.ok(Math.abs(records[0]!.loss - mean) < 1e-5);
  const hits = (records[1]!.top1 * size) / 100;
  assert.ok(Math.abs(hits - Math.round(hits)) < 1e-9);
  assert.equal(state.epoch, 2);
});

test('a run that stopped after any step, or went through a checkpoint after an epoch, ends bit-equal', async () => {
  const whole = await run(options(16, { epochs: 3 }));
  const steps = 3 * 3;
  for (let cut = 1; cut <= steps; cut++) {
    let asked = 0;
    const first = await run(options(16, { epochs: 3, stopRequested: () => ++asked === cut }));
    assert.equal(first.outcome, 'stopped');
    assert.equal(first.losses.length, cut);
    const rest = await run(options(16, { epochs: 3, from: structuredClone(first.state) }));
    assert.equal(rest.outcome, 'finished');
    assert.deepEqual(rest.state, whole.state);
    assert.deepEqual([...first.records, ...rest.records], whole.records);
    assert.deepEqual([...first.losses, ...rest.losses], whole.losses);
  }
  const snapshots: LinearState[] = [];
  await evaluateLinearly({
    ...options(16, { epochs: 3 }),
    onEpoch: async (_record, _isBest, snapshot) => void snapshots.push(await snapshot()),
  });
  const resumed = await run(options(16, { epochs: 3, from: snapshots[0]! }));
  assert.deepEqual(resumed.state, whole.state);
  assert.deepEqual(resumed.records, whole.records.slice(1));
});

test('a finished evaluation has nothing left to do', async () => {
  const { state } = await run(options(16, { epochs: 1 }));
  const again = await run(options(16, { epochs: 1, from: state }));
  assert.equal(again.outcome, 'finished');
  assert.deepEqual(again.state, state);
  assert.deepEqual(again.records, []);
});

test('the best epoch is the first one with the highest top-1', async () => {
  const best: boolean[] = [];
  const top1: number[] = [];
  const { state } = await evaluateLinearly({
    ...options(16, { epochs: 8 }),
    onEpoch: async (record, isBest) => {
      best.push(isBest);
      top1.push(record.top1);
    },
  });
  assert.deepEqual(
    best,
    top1.map((value, i) => top1.slice(0, i).every((before) => value > before)),
  );
  assert.equal(state.best!.epoch, top1.indexOf(Math.max(...top1)));
});

test('the same run twice is bit-equal', async () => {
  const [a, b] = [
    await run(options(8, { optimizer: 'lars', learningRate: 30 })),
    await run(options(8, { optimizer: 'lars', learningRate: 30 })),
  ];
  assert.deepEqual(a, b);
});

test('a loss that is no number ends the run', async () => {
  await assert.rejects(run(options(8, { learningRate: 1e38 })), DivergedError);
});
