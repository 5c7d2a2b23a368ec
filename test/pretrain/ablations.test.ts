import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';

import { ablationSchema } from '../../api/ablation.ts';
import { pretrainSchema } from '../../api/pretrain.ts';
import type { AblationSpec } from '../../api/run.ts';
import { objectiveOf } from '../../trainer/model/objective.ts';
import { simSiam } from '../../trainer/model/simsiam.ts';
import { StateCodec } from '../../trainer/pretrain/state.ts';
import { metric, tracePretrainStep } from '../../trainer/pretrain/step.ts';
import { CounterRandom } from '../../trainer/random.ts';
import { Runtime } from '../../trainer/tensorflow/runtime.ts';

const [batch, imageSize] = [4, 16];
const runtime = Runtime.open({ threads: 1 });
after(() => runtime.close());

interface Moved {
  readonly loss: number;
  /** Names of the tensors that a step changed. */
  readonly changed: ReadonlySet<string>;
}

async function oneStep(ablation: Partial<AblationSpec>): Promise<Moved> {
  const spec = {
    ...pretrainSchema.parse({ arch: 'resnet18', stem: 'cifar', zeroInitResidual: false }),
    ...{ width: 2, dim: 8, predictorDim: 4, ablation: ablationSchema.parse(ablation) },
  };
  const model = simSiam(spec);
  const codec = new StateCodec(runtime, model);
  const step = tracePretrainStep({ runtime, model, spec, batch, imageSize });
  const random = new CounterRandom(1);
  const view = { dtype: 'uint8', shape: [batch, imageSize, imageSize, 3] } as const;
  const pixels = (): Uint8Array => Uint8Array.from({ length: batch * imageSize ** 2 * 3 }, () => random.integer(256));
  const views = Array.from({ length: objectiveOf(spec.ablation).views }, () => ({ spec: view, bytes: pixels() }));
  const controls = { spec: { dtype: 'float32', shape: [4] } as const, bytes: Float32Array.of(0.1, 0.1, 0, 0) };
  const state = await codec.initial(0);
  const before = await codec.values(state);
  const [trainable, momenta, statistics, figures] = await step.call([
    ...[state.trainable, state.momenta, state.statistics, state.frozen],
    ...[runtime.tensors(views), runtime.tensors([controls])],
  ]);
  const moved = { trainable: trainable!, momenta: momenta!, statistics: statistics!, frozen: state.frozen };
  const now = await codec.values(moved);
  const changed = [...now.weights].filter(([name, bytes]) => !Buffer.from(bytes).equals(before.weights.get(name)!));
  const loss = (await figures!.readFloats(0))[metric.loss]!;
  step.dispose();
  return { loss, changed: new Set(changed.map(([name]) => name)) };
}

describe('a step of each ablation trains', () => {
  const encoder = 'encoder.layer1.0.conv1.weight';

  for (const [ablation, range] of [
    [{ predictor: 'none' }, [-1, 1]],
    [{ headBatchNorm: 'none' }, [-1, 1]],
    [{ headBatchNorm: 'hidden' }, [-1, 1]],
    [{ headBatchNorm: 'all' }, [-1, 1]],
    [{ similarity: 'crossEntropy' }, [0, Infinity]],
    [{ symmetry: 'asymmetric' }, [-1, 1]],
    [{ symmetry: 'asymmetric2x' }, [-1, 1]],
  ] as const satisfies readonly (readonly [Partial<AblationSpec>, readonly [number, number]])[]) {
    test(JSON.stringify(ablation), async () => {
      const { loss, changed } = await oneStep(ablation);
      assert.ok(loss >= range[0] && loss <= range[1], `loss ${loss}`);
      assert.ok(changed.has(encoder));
      assert.equal(changed.has('predictor.0.weight'), !('predictor' in ablation));
    });
  }

  test('a fixed random predictor keeps its weights while its statistics move', async () => {
    const { changed } = await oneStep({ predictor: 'fixedRandom' });
    assert.ok(changed.has(encoder));
    const ofPredictor = [...changed].filter((name) => name.startsWith('predictor.'));
    assert.deepEqual(ofPredictor.sort(), ['predictor.1.running_mean', 'predictor.1.running_var']);
  });
});
