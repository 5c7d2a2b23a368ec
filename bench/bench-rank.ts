/**
 * One rank that trains ResNet-18 with random weights and images on one thread, started by fork. Its parent sends
 * {@link RankOrder}, and then numbers of steps; each is answered by a {@link RankAnswer}.
 */
import { pretrainSchema } from '../api/pretrain.ts';
import { Runtime } from '../trainer/tensorflow/runtime.ts';
import { elementCount } from '../trainer/tensorflow/tensor-spec.ts';
import { StepTrainer } from './step-trainer.ts';

export interface RankOrder {
  readonly rank: number;
  readonly addresses: readonly string[];
  /** Where the ranks exchange tensors in memory, as those of a machine do. */
  readonly exchange?: string | undefined;
  /** Images of this rank in a step. */
  readonly batch: number;
  readonly imageSize: number;
}

export interface RankAnswer {
  /** CPU time of the process for each of the steps, in milliseconds. */
  readonly cpu: readonly number[];
  /** How long each took, in milliseconds. */
  readonly wall: readonly number[];
  /** Of that in collectives, in milliseconds. */
  readonly collective: readonly number[];
  /** Collectives in a step. */
  readonly collectives: number;
  /** Weights that have gradients. */
  readonly trainable: number;
  readonly normLayers: number;
}

async function open(order: RankOrder): Promise<(steps: number) => Promise<RankAnswer>> {
  const { rank, addresses, exchange, batch, imageSize } = order;
  const spec = pretrainSchema.parse({ arch: 'resnet18', batchSize: batch * addresses.length, imageSize });
  const alone = addresses.length === 1;
  const runtime = Runtime.open({ threads: 1, ...(alone ? {} : { cluster: { rank, addresses }, exchange }) });
  const trainer = await StepTrainer.open(runtime, spec, batch);
  const { codec, model, step } = trainer;
  const facts = {
    collectives: step.collectives,
    trainable: codec.groups.trainable.reduce((total, { shape }) => total + elementCount(shape), 0),
    normLayers: model.entries.filter(({ name }) => name.endsWith('.running_mean')).length,
  };
  return async (steps) => {
    const [cpu, wall, collective]: [number[], number[], number[]] = [[], [], []];
    for (let i = 0; i < steps; i++) {
      const [before, start] = [process.cpuUsage(), performance.now()];
      await trainer.train();
      const { user, system } = process.cpuUsage(before);
      cpu.push((user + system) / 1000);
      wall.push(performance.now() - start);
      collective.push(1000 * trainer.collectiveSeconds);
    }
    return { cpu, wall, collective, ...facts };
  };
}

let opened: ReturnType<typeof open> | undefined;
process.on('message', (message: RankOrder | number) => {
  if (typeof message !== 'number') opened = open(message);
  else void opened!.then((run) => run(message)).then((answer) => process.send!(answer));
});
