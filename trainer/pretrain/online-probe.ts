import type { PretrainSpec } from '../../api/run.ts';
import { assertSameTensors, bytesOf, floatsOf, type NamedTensor } from '../checkpoint/tensors.ts';
import { headStep, initialHead, type LabelledFeatures } from '../evaluate/linear-head.ts';
import { featureDimension } from '../model/resnet.ts';
import { scaledLearningRate } from '../optimize/schedule.ts';
import { CounterRandom, purpose } from '../random.ts';
import type { Runtime, TensorList, TensorSpec } from '../tensorflow/runtime.ts';
import { byteLength } from '../tensorflow/tensor-spec.ts';
import { tf, type Tensor } from '../tensorflow/tfjs.ts';

/**
 * The online linear probe: a classifier of the backbone's features that learns while the backbone does, from the first
 * view of each batch. Its steps are its own, of SGD at a constant rate without decay, and no gradient reaches the backbone.
 * Its tensors are those of a classifier and their momenta: weight [d, classes], bias [classes], and the same again.
 */
export interface OnlineProbe {
  readonly dimension: number;
  readonly classes: number;
  readonly learningRate: number;
  readonly momentum: number;
}

/** The run's; undefined where it wants none. */
export function onlineProbeOf(spec: PretrainSpec, classes: number): OnlineProbe | undefined {
  const rate = spec.knn.onlineProbeLearningRate;
  if (rate === undefined) return undefined;
  const learningRate = scaledLearningRate(rate, spec.batchSize);
  return { dimension: featureDimension(spec), classes, learningRate, momentum: spec.momentum };
}

export function probeSpecs({ dimension, classes }: OnlineProbe): TensorSpec[] {
  const head: TensorSpec[] = [
    { dtype: 'float32', shape: [dimension, classes] },
    { dtype: 'float32', shape: [classes] },
  ];
  return [...head, ...head];
}

/** At the start of a run: weight N(0, 0.01) by the seed, the rest 0. */
export function initialProbe(runtime: Runtime, probe: OnlineProbe, seed: number): TensorList {
  const { weight, bias } = initialHead(probe.dimension, probe.classes, new CounterRandom(seed, purpose.linearHead));
  const specs = probeSpecs(probe);
  const zeros = specs.slice(2).map((spec) => new Uint8Array(byteLength(spec)));
  return runtime.tensors([weight, bias, ...zeros].map((bytes, i) => ({ spec: specs[i]!, bytes })));
}

/** While tracing: the probe's tensors after a step, which is one message. Images with label −1 don't count. */
export function probeStep(
  { learningRate, momentum }: OnlineProbe,
  [weight, bias, weightMomentum, biasMomentum]: readonly Tensor[],
  { features, labels }: Pick<LabelledFeatures, 'features' | 'labels'>,
): Tensor[] {
  const { parameters, momenta } = headStep(
    {
      ...{ features, labels, mask: tf.cast(tf.greaterEqual(labels, 0), 'float32') },
      ...{ head: [weight!, bias!], momenta: [weightMomentum!, biasMomentum!] },
      ...{ learningRate: tf.scalar(learningRate), signal: tf.scalar(0) },
    },
    { optimizer: 'sgd', momentum, weightDecay: 0 },
  );
  return [...parameters, ...momenta];
}

/**
 * By which `optimizer.safetensors` has them: the probe is no part of the model. In the graph's layout, unlike what is
 * for other programs.
 */
export const probeNames = ['probe.weight', 'probe.bias', 'probe.weight.momentum', 'probe.bias.momentum'] as const;

export function isProbeTensor({ name }: Pick<NamedTensor, 'name'>): boolean {
  return (probeNames as readonly string[]).includes(name);
}

export async function probeTensors(state: TensorList): Promise<NamedTensor[]> {
  const values = await state.readAll();
  return probeNames.map((name, i) => ({ name, dtype: 'F32', shape: state.specs[i]!.shape, bytes: values[i]! }));
}

/** @throws CheckpointMismatchError where the checkpoint's probe is of other classes */
export function probeFromTensors(
  runtime: Runtime,
  probe: OnlineProbe,
  optimizer: readonly NamedTensor[],
  where: string,
): TensorList {
  const found = optimizer.filter(isProbeTensor);
  const specs = probeSpecs(probe);
  const expected = probeNames.map((name, i) => ({ name, dtype: 'F32' as const, shape: specs[i]!.shape }));
  assertSameTensors(expected, found, `${where}/optimizer.safetensors`);
  const bytesOfName = (name: string): Uint8Array => found.find((tensor) => tensor.name === name)!.bytes;
  // Copied, since a tensor's bytes may lie anywhere in a file's.
  return runtime.tensors(
    probeNames.map((name, i) => ({ spec: specs[i]!, bytes: bytesOf(floatsOf(bytesOfName(name))) })),
  );
}
