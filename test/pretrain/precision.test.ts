import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';

import { ablationSchema } from '../../api/ablation.ts';
import { pretrainSchema } from '../../api/pretrain.ts';
import { evaluationScope, byName } from '../../trainer/model/scope.ts';
import { normalizePixels } from '../../trainer/model/pixels.ts';
import { simSiam } from '../../trainer/model/simsiam.ts';
import { graphSpecs, groupEntries } from '../../trainer/model/state.ts';
import { StateCodec, type PretrainState } from '../../trainer/pretrain/state.ts';
import { metric, tracePretrainStep } from '../../trainer/pretrain/step.ts';
import { Runtime, type GraphFunction, type TensorList } from '../../trainer/tensorflow/runtime.ts';
import { realDType } from '../../trainer/tensorflow/raw-op.ts';
import { floatsOf } from '../support/arrays.ts';
import { photoViews } from './photo-views.ts';

const [batch, imageSize] = [64, 32];
const runtime = Runtime.open({ threads: 2 });
after(() => runtime.close());

const base = {
  ...pretrainSchema.parse({ arch: 'resnet18', stem: 'cifar', momentum: 0, weightDecay: 0 }),
  ...{ width: 16, dim: 64, predictorDim: 16, ablation: ablationSchema.parse({}) },
};
const model = simSiam(base);
const views = await photoViews(batch, imageSize);

interface Stepped {
  readonly loss: number;
  readonly outputStd: number;
  readonly gradientNorm: number;
  /** By parameter: without momentum and decay the momentum buffer is the gradient. */
  readonly gradients: ReadonlyMap<string, Float32Array>;
}

const codec = new StateCodec(runtime, model);

/** Runs a step; gives its outputs: trainable, momenta, statistics, figures. */
async function call(step: GraphFunction, state: PretrainState): Promise<TensorList[]> {
  const view = { dtype: 'uint8', shape: [batch, imageSize, imageSize, 3] } as const;
  const controls = { spec: { dtype: 'float32', shape: [4] } as const, bytes: Float32Array.of(0.05, 0.05, 0, 0) };
  return await step.call([
    ...[state.trainable, state.momenta, state.statistics, state.frozen],
    ...[runtime.tensors(views.map((bytes) => ({ spec: view, bytes }))), runtime.tensors([controls])],
  ]);
}

const stepOf = (precision: 'fp32' | 'bf16'): GraphFunction =>
  tracePretrainStep({ runtime, model, spec: { ...base, precision }, batch, imageSize });

/** After some steps no gamma is 0 any more, behind which there would be no gradients to compare. */
async function warmState(): Promise<PretrainState> {
  const step = stepOf('fp32');
  let state = await codec.initial(0);
  for (let i = 0; i < 10; i++) {
    const [trainable, , statistics] = await call(step, state);
    state = { ...state, trainable: trainable!, statistics: statistics! };
  }
  step.dispose();
  return state;
}

/** One step from a state on the same images. */
async function stepIn(precision: 'fp32' | 'bf16', state: PretrainState): Promise<Stepped> {
  const step = stepOf(precision);
  const [trainable, momenta, statistics, figures] = await call(step, state);
  for (const list of [trainable!, momenta!, statistics!])
    assert.deepEqual(new Set(list.specs.map(({ dtype }) => dtype)), new Set(['float32']), 'the state stays float32');
  const values = await codec.values({
    ...{ trainable: trainable!, momenta: momenta!, statistics: statistics!, frozen: state.frozen },
  });
  const metrics = await figures!.readFloats(0);
  step.dispose();
  return {
    loss: metrics[metric.loss]!,
    outputStd: metrics[metric.outputStd]!,
    gradientNorm: metrics[metric.gradientNorm]!,
    gradients: new Map([...values.momenta].map(([name, bytes]) => [name, floatsOf(bytes)])),
  };
}

function cosine(a: Float32Array, b: Float32Array): number {
  let [product, squaresA, squaresB] = [0, 0, 0];
  a.forEach((value, i) => {
    product += value * b[i]!;
    squaresA += value * value;
    squaresB += b[i]! * b[i]!;
  });
  return product / Math.sqrt(squaresA * squaresB);
}

/**
 * Residual blocks start as the identity here, as by default. Where they don't, an untrained network makes any rounding
 * large, and its gradients in fp32 and bf16 agree to a cosine of 0.6 to 0.9 only.
 */
describe('bf16 beside fp32', () => {
  test('gradients of all layers point the same way, and the loss is nearly the same', async () => {
    const state = await warmState();
    const [single, half] = [await stepIn('fp32', state), await stepIn('bf16', state)];
    assert.ok(Math.abs(single.loss - half.loss) < 0.02, `losses ${single.loss} and ${half.loss}`);
    assert.ok(Math.abs(single.outputStd / half.outputStd - 1) < 0.02);
    const cosines = [...single.gradients].map(
      ([name, gradient]) => [name, cosine(gradient, half.gradients.get(name)!)] as const,
    );
    assert.ok(cosines.length > 60);
    assert.deepEqual(
      cosines.filter(([, value]) => !(value > 0.9)),
      [],
    );
    const sorted = cosines.map(([, value]) => value).sort((a, b) => a - b);
    assert.ok(sorted[sorted.length >> 1]! > 0.97, `the median is ${sorted[sorted.length >> 1]}`);
    // bfloat16 has 8 bits: a gradient that agreed to the last one would not have been computed in it.
    assert.ok(cosines.some(([, value]) => value < 0.99999));
  });

  test('the gradient norm is the length of all gradients together', async () => {
    const { gradientNorm, gradients } = await stepIn('fp32', await codec.initial(1));
    const squares = [...gradients.values()].map((gradient) => gradient.reduce((sum, value) => sum + value ** 2, 0));
    const expected = Math.sqrt(squares.reduce((a, b) => a + b));
    assert.ok(Math.abs(gradientNorm / expected - 1) < 1e-5, `${gradientNorm}, ${expected}`);
  });

  test('what leaves the backbone, the projector and the predictor is float32', () => {
    const { trainable, frozen, statistics } = groupEntries(model.entries);
    const entries = [...trainable, ...frozen, ...statistics];
    const seen: Record<string, string> = {};
    const traced = runtime.trace(
      'precision_places',
      [graphSpecs(entries), [{ dtype: 'uint8', shape: [batch, imageSize, imageSize, 3] }]],
      (tensors, [images]) => {
        const scope = evaluationScope(byName(entries, tensors), 'bfloat16');
        const inside = model.backbone.apply(scope, [normalizePixels(images!, base.normalize)]);
        const z = model.projector.apply(scope, inside);
        const p = model.predictor.apply(scope, z);
        Object.assign(seen, { features: realDType(inside[0]!), z: realDType(z[0]!), p: realDType(p[0]!) });
        return [[p[0]!]];
      },
    );
    traced.dispose();
    assert.deepEqual(seen, { features: 'float32', z: 'float32', p: 'float32' });
  });
});
