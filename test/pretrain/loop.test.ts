import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { parseManifest } from '../../api/manifest.ts';
import { trainLoop, type StepReport, type ViewsBatch } from '../../trainer/pretrain/loop.ts';
import { planSteps } from '../../trainer/pretrain/progress.ts';
import type { PretrainState } from '../../trainer/pretrain/state.ts';
import { control } from '../../trainer/pretrain/step.ts';
import { tinyRun } from '../rank/fixtures/tiny-run.ts';
import { FakeTraining } from './fake-training.ts';

const stepsPerEpoch = 3;
// 16 times 8 / 256 is a half.
const pretrain = { epochs: 2, batchSize: 8, learningRate: 16 };
const run = parseManifest(JSON.stringify(tinyRun({ pretrain, storage: 'nowhere' })), 'the tiny run');

interface Driven {
  readonly reports: readonly StepReport[];
  readonly asked: readonly (readonly [epoch: number, fromStep: number])[];
  readonly state: PretrainState;
  readonly step: number;
}

/** Drives the loop over the run's two epochs, or from a step on. */
async function drive(
  training: FakeTraining,
  {
    from = 0,
    stop = new AbortController().signal,
    checkpointDue = () => false,
    afterStep = () => {},
  }: {
    readonly from?: number;
    readonly stop?: AbortSignal;
    readonly checkpointDue?: () => boolean;
    readonly afterStep?: (report: StepReport) => void;
  } = {},
): Promise<Driven> {
  const asked: [number, number][] = [];
  const reports: StepReport[] = [];
  const view = new Uint8Array(16 * 16 * 3);
  const ended = await trainLoop({
    context: { run, runtime: training.runtime, stop, clock: () => 0 },
    step: training.step,
    async *batches(epoch, fromStep): AsyncGenerator<ViewsBatch> {
      asked.push([epoch, fromStep]);
      for (let i = fromStep; i < stepsPerEpoch; i++) yield { views: [view, view] };
    },
    plan: planSteps(run.spec.pretrain, stepsPerEpoch),
    start: { state: training.initial(), step: from },
    checkpointDue,
    afterStep: (report) => {
      reports.push(report);
      return Promise.resolve(afterStep(report));
    },
  });
  return { reports, asked, ...ended };
}

const signalsOf = (reports: readonly StepReport[]): boolean[][] =>
  reports.map(({ stop, checkpoint }) => [stop, checkpoint]);

describe('the loop of training, on a step that computes nothing', () => {
  test('hands each step the rates of its epoch, the encoder before the predictor, and signals of 0', async () => {
    const training = new FakeTraining();
    const { reports, asked, step } = await drive(training);
    const [first, second] = [0.5, 0.25].map((encoder) => [encoder, 0.5, 0, 0]);
    assert.deepEqual(training.controls, [first, first, first, second, second, second]);
    assert.deepEqual(control, { learningRate: 0, predictorLearningRate: 1, stop: 2, checkpoint: 3 });
    assert.deepEqual(asked, [
      [0, 0],
      [1, 0],
    ]);
    assert.equal(step, 6);
    assert.deepEqual(
      reports.map(({ epoch, epochEnd, learningRate, loss }) => [epoch, epochEnd, learningRate, loss]),
      [1, 2, 3, 4, 5, 6].map((i) => [i > 3 ? 1 : 0, i % 3 === 0, i > 3 ? 0.25 : 0.5, -i / 8]),
    );
    const { outputStd, gradientNorm, stop, checkpoint } = reports[0]!;
    assert.deepEqual([outputStd, gradientNorm, stop, checkpoint], [0.25, 2, false, false]);
  });

  test('goes on within an epoch, at its rates', async () => {
    const training = new FakeTraining();
    const { reports, asked } = await drive(training, { from: 4 });
    assert.deepEqual(asked, [[1, 1]]);
    assert.deepEqual(
      reports.map(({ step }) => step),
      [5, 6],
    );
    assert.deepEqual(training.controls, [
      [0.25, 0.5, 0, 0],
      [0.25, 0.5, 0, 0],
    ]);
  });

  test('a stop goes into the next step as its third control, and that step is the last', async () => {
    const stopping = new AbortController();
    const training = new FakeTraining();
    const afterStep = ({ step }: StepReport): void => void (step === 2 && stopping.abort());
    const { reports, step } = await drive(training, { stop: stopping.signal, afterStep });
    assert.deepEqual(
      training.controls.map((controls) => controls.slice(2)),
      [
        [0, 0],
        [0, 0],
        [1, 0],
      ],
    );
    assert.deepEqual(signalsOf(reports), [
      [false, false],
      [false, false],
      [true, false],
    ]);
    assert.equal(step, 3);
  });

  test('a checkpoint that is due goes into the step as its fourth control, and training goes on', async () => {
    const training = new FakeTraining();
    const { reports } = await drive(training, { checkpointDue: () => training.controls.length === 1 });
    assert.deepEqual(
      training.controls.map((controls) => controls.slice(2)),
      [0, 1, 0, 0, 0, 0].map((due) => [0, due]),
    );
    assert.deepEqual(
      reports.map(({ checkpoint }) => checkpoint),
      [false, true, false, false, false, false],
    );
    assert.ok(reports.every(({ stop }) => !stop));
  });

  test("what other ranks want counts as much as this rank's own", async () => {
    const training = new FakeTraining((step) => [step === 4 ? 1 : 0, step === 2 ? 3 : 0]);
    const { reports, step } = await drive(training);
    assert.deepEqual(signalsOf(reports), [
      [false, false],
      [false, true],
      [false, false],
      [true, false],
    ]);
    assert.equal(step, 4);
  });

  test('after each step only its own state is left, and the frozen part of all', async () => {
    const training = new FakeTraining();
    const left: string[][] = [];
    const afterStep = (): void => void left.push(training.alive.map(({ name }) => name).sort());
    const { state } = await drive(training, { afterStep });
    for (const names of left) assert.deepEqual(names, ['frozen', 'momenta', 'statistics', 'trainable']);
    const { trainable, momenta, statistics, frozen } = state;
    assert.deepEqual(new Set<unknown>(training.alive), new Set<unknown>([trainable, momenta, statistics, frozen]));
  });
});
