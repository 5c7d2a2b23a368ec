import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';

import { parseManifest } from '../../api/manifest.ts';
import { simSiam } from '../../trainer/model/simsiam.ts';
import { graphSpecs } from '../../trainer/model/state.ts';
import { Accumulation, inParts } from '../../trainer/pretrain/accumulation.ts';
import { trainLoop, type StepReport, type ViewsBatch } from '../../trainer/pretrain/loop.ts';
import { holdState, StateCodec, type PretrainValues } from '../../trainer/pretrain/state.ts';
import { tracePretrainStep } from '../../trainer/pretrain/step.ts';
import { CounterRandom } from '../../trainer/random.ts';
import { Runtime } from '../../trainer/tensorflow/runtime.ts';
import { tinyRun } from '../rank/fixtures/tiny-run.ts';
import { floatsOf } from '../support/arrays.ts';

/** Images of a part. */
const batch = 4;
const changes = { width: 2, dim: 8, predictorDim: 4, zeroInitResidual: false, weightDecay: 0, batchSize: 2 * batch };
const run = parseManifest(JSON.stringify(tinyRun({ storage: 'nowhere', pretrain: changes })), 'the tiny run');
const spec = run.spec.pretrain;
const { imageSize } = spec;
const runtime = Runtime.open({ threads: 1 });
after(() => runtime.close());

const model = simSiam(spec);
const codec = new StateCodec(runtime, model);
const options = { runtime, model, spec, batch, imageSize };
const whole = tracePretrainStep(options);
const last = tracePretrainStep({ ...options, parts: 2 });
const initial = await codec.initial(0);

function part(seed: number): ViewsBatch {
  const random = new CounterRandom(seed);
  const view = (): Uint8Array => Uint8Array.from({ length: batch * imageSize ** 2 * 3 }, () => random.integer(256));
  return { views: [view(), view()] };
}

async function after1(parts: readonly ViewsBatch[]): Promise<{ values: PretrainValues; report: StepReport }> {
  const accumulation = new Accumulation({ ...options, parts: 2 }, graphSpecs(codec.groups.trainable));
  let report: StepReport | undefined;
  const { state } = await trainLoop({
    context: { run, runtime, stop: new AbortController().signal, clock: () => 0 },
    ...(parts.length > 1 ? { step: last, accumulation } : { step: whole }),
    batches: async function* () {
      yield* parts;
    },
    plan: { stepsPerEpoch: 1, totalSteps: 1 },
    start: { state: holdState(initial), step: 0 },
    checkpointDue: () => false,
    afterStep: async (told) => void (report = told),
  });
  const values = await codec.values(state);
  accumulation.dispose();
  return { values, report: report! };
}

/** ‖a − b‖ / ‖b‖ over all tensors. */
function distance(a: PretrainValues['momenta'], b: (name: string) => Float32Array): number {
  let [difference, norm] = [0, 0];
  for (const [name, bytes] of a)
    b(name).forEach((value, i) => {
      difference += (floatsOf(bytes)[i]! - value) ** 2;
      norm += value ** 2;
    });
  return Math.sqrt(difference / norm);
}

describe('a batch in two parts', { timeout: 600_000 }, () => {
  const [one, two] = [part(1), part(2)];

  test('of the same images is the step of one of them', async () => {
    const alone = await after1([one]);
    const both = await after1([one, one]);
    const { trainable, statistics } = codec.groups;
    const { weights, momenta } = alone.values;
    assert.ok(distance(both.values.momenta, (name) => floatsOf(momenta.get(name)!)) < 2e-5);
    const trained = new Map(trainable.map(({ name }) => [name, both.values.weights.get(name)!]));
    assert.ok(distance(trained, (name) => floatsOf(weights.get(name)!)) < 2e-5);
    assert.ok(Math.abs(both.report.loss - alone.report.loss) < 2e-5);
    // Twice the rows with the same deviations, less one of them all.
    const expected = alone.report.outputStd * Math.sqrt((2 * (batch - 1)) / (2 * batch - 1));
    assert.ok(Math.abs(both.report.outputStd / expected - 1) < 2e-5);
    // The running statistics saw both.
    const moved = statistics.filter(
      ({ name }) => !Buffer.from(both.values.weights.get(name)!).equals(alone.values.weights.get(name)!),
    );
    assert.equal(moved.length, statistics.length);
  });

  test('has the mean of their gradients and losses', async () => {
    const [first, second, both] = [await after1([one]), await after1([two]), await after1([one, two])];
    const mean = (name: string): Float32Array => {
      const [a, b] = [first, second].map(({ values }) => floatsOf(values.momenta.get(name)!));
      return a!.map((value, i) => (value + b![i]!) / 2);
    };
    // Momenta began at 0, without decay: they are the gradients.
    assert.ok(distance(both.values.momenta, mean) < 1e-4);
    assert.ok(distance(both.values.momenta, (name) => floatsOf(first.values.momenta.get(name)!)) > 0.1);
    assert.ok(Math.abs(both.report.loss - (first.report.loss + second.report.loss) / 2) < 2e-5);
  });
});

test('parts that fill no step are left out, and a step is gone on with at its first part', async () => {
  const parts = (from: number): number[] => Array.from({ length: 11 - from }, (_, i) => from + i);
  const loader = {
    stepsPerEpoch: 11,
    epoch: async function* (_: number, fromStep = 0) {
      for (const n of parts(fromStep)) yield { views: [Uint8Array.of(n)] };
    },
  };
  const steps = inParts(loader, 3);
  assert.equal(steps.stepsPerEpoch, 3);
  const seen: number[] = [];
  for await (const { views } of steps.epoch(0, 1)) seen.push(views[0]![0]!);
  assert.deepEqual(seen, [3, 4, 5, 6, 7, 8]);
});
