/**
 * One rank that trains ResNet-18 with random weights and images on one thread, started by fork. Its parent sends
 * {@link RankOrder}, and then numbers of steps; each is answered by a {@link RankAnswer}.
 */
import { pretrainSchema } from '../api/pretrain.ts';
import { simSiam } from '../trainer/model/simsiam.ts';
import { disposeTrained, StateCodec } from '../trainer/pretrain/state.ts';
import { tracePretrainStep } from '../trainer/pretrain/step.ts';
import { Runtime } from '../trainer/tensorflow/runtime.ts';
import { elementCount } from '../trainer/tensorflow/tensor-spec.ts';

export interface RankOrder {
  readonly rank: number;
  readonly addresses: readonly string[];
  /** Images of this rank in a step. */
  readonly batch: number;
  readonly imageSize: number;
}

export interface RankAnswer {
  /** CPU time of the process for each of the steps. */
  readonly milliseconds: readonly number[];
  /** Collectives in a step. */
  readonly collectives: number;
  /** Weights that have gradients. */
  readonly trainable: number;
  readonly normLayers: number;
}

async function open({ rank, addresses, batch, imageSize }: RankOrder): Promise<(steps: number) => Promise<RankAnswer>> {
  const spec = pretrainSchema.parse({ arch: 'resnet18', batchSize: batch * addresses.length, imageSize });
  const model = simSiam(spec);
  const runtime = Runtime.open({ threads: 1, ...(addresses.length > 1 ? { cluster: { rank, addresses } } : {}) });
  const codec = new StateCodec(runtime, model);
  const step = tracePretrainStep({ runtime, model, spec, batch, imageSize });
  const view = { dtype: 'uint8', shape: [batch, imageSize, imageSize, 3] } as const;
  const pixels = Uint8Array.from({ length: batch * imageSize ** 2 * 3 }, (_, i) => Math.imul(i, 7919) >>> 8);
  const views = runtime.tensors([0, 1].map(() => ({ spec: view, bytes: pixels })));
  const rates = Float32Array.of(0.01, 0.01, 0, 0);
  const controls = runtime.tensors([{ spec: { dtype: 'float32', shape: [4] }, bytes: rates }]);
  let state = await codec.initial(0);
  const { trainable } = codec.groups;
  const facts = {
    collectives: step.collectives,
    trainable: trainable.reduce((total, { shape }) => total + elementCount(shape), 0),
    normLayers: model.entries.filter(({ name }) => name.endsWith('.running_mean')).length,
  };
  return async (steps) => {
    const milliseconds: number[] = [];
    for (let i = 0; i < steps; i++) {
      const before = process.cpuUsage();
      const lists = [state.trainable, state.momenta, state.statistics, state.frozen, views, controls];
      const [weights, momenta, statistics, figures] = await step.call(lists);
      await figures!.read(0);
      const { user, system } = process.cpuUsage(before);
      milliseconds.push((user + system) / 1000);
      disposeTrained(state);
      figures!.dispose();
      state = { ...state, trainable: weights!, momenta: momenta!, statistics: statistics! };
    }
    return { milliseconds, ...facts };
  };
}

let opened: ReturnType<typeof open> | undefined;
process.on('message', (message: RankOrder | number) => {
  if (typeof message !== 'number') opened = open(message);
  else void opened!.then((run) => run(message)).then((answer) => process.send!(answer));
});
