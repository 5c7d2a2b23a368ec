import type { PretrainSpec } from '../../api/run.ts';
import { pretrainSchema } from '../../api/pretrain.ts';
import { quoted } from '../checkpoint/safetensors-header.ts';
import type { NamedTensor } from '../checkpoint/tensors.ts';
import { outline } from '../checkpoint/tensors.ts';
import { constantLearningRateAt, learningRateAt } from '../optimize/schedule.ts';
import { ConvertError } from './errors.ts';
import { architectureOf, backboneOf, isParameter, isPretrained, type Network } from './network.ts';
import { type PickleDict, type PickleValue, TensorReference } from './pickle-values.ts';
import { orderedDict, type PyDict, pyFloat, type PyValue } from './pickler.ts';
import type { TorchFile } from './torch-reader.ts';
import { TorchWriter } from './torch-writer.ts';

/** What DistributedDataParallel puts before every name. */
export const parallel = 'module.';

/**
 * The network of a file of PyTorch: a checkpoint of the original's scripts or of others that keep a `state_dict` (or
 * `model`), or a bare state_dict. Of a pre-training checkpoint also the optimiser's momentum.
 *
 * @throws ConvertError where there is none
 */
export function fromTorch(file: TorchFile): Network {
  const top = file.value;
  if (!(top instanceof Map)) throw new ConvertError('the file of PyTorch holds no dict, and so no state_dict');
  const tensors = namedTensors(stateDictOf(top), file);
  const optimizer = top.get('optimizer');
  // Linear evaluation optimises its classifier alone.
  const optimized = isPretrained(tensors) ? tensors : tensors.filter(({ name }) => name.startsWith('fc.'));
  const momenta = optimizer instanceof Map && optimized.length > 0 ? momentaOf(optimizer, optimized, file) : [];
  const epoch = top.get('epoch');
  const bestTop1 = numberOf(top.get('best_acc1'), file);
  return { tensors, momenta, epoch: typeof epoch === 'number' ? epoch : undefined, recipe: undefined, bestTop1 };
}

/** A number, or a tensor of one float32, as the original keeps accuracies. */
function numberOf(value: PickleValue | undefined, file: TorchFile): number | undefined {
  if (typeof value === 'number') return value;
  if (!(value instanceof TensorReference) || value.storage.dtype !== 'F32') return undefined;
  const bytes = file.bytesOf(value);
  return bytes.length === 4 ? new DataView(bytes.buffer, bytes.byteOffset).getFloat32(0, true) : undefined;
}

function stateDictOf(top: PickleDict): PickleDict {
  for (const key of ['state_dict', 'model']) {
    const held = top.get(key);
    if (held instanceof Map) return held;
  }
  return top;
}

function namedTensors(stateDict: PickleDict, file: TorchFile): NamedTensor[] {
  const entries = [...stateDict].map(([name, value]) => {
    if (typeof name !== 'string' || !(value instanceof TensorReference)) {
      throw new ConvertError(
        `the file of PyTorch has no state_dict: ${quoted(typeof name === 'string' ? name : 'a key')} is no tensor`,
      );
    }
    return [name, value] as const;
  });
  const isParallel = entries.every(([name]) => name.startsWith(parallel));
  return entries.map(([name, value]) => tensorOf(name.slice(isParallel ? parallel.length : 0), value, file));
}

function tensorOf(name: string, reference: TensorReference, file: TorchFile): NamedTensor {
  return { name, dtype: reference.storage.dtype, shape: reference.shape, bytes: file.bytesOf(reference) };
}

/** PyTorch numbers the parameters through all groups, in the order in which the optimiser got them. */
function momentaOf(optimizer: PickleDict, tensors: readonly NamedTensor[], file: TorchFile): NamedTensor[] {
  const [state, groups] = [optimizer.get('state'), optimizer.get('param_groups')];
  const ids = Array.isArray(groups) ? groups.flatMap(parametersOf) : [];
  const parameters = tensors.filter(isParameter);
  if (!(state instanceof Map) || ids.length !== parameters.length) {
    throw new ConvertError(`its optimizer has ${ids.length} parameters and the network ${parameters.length}`);
  }
  return parameters.flatMap((parameter, i) => {
    const entry = state.get(ids[i]!);
    const momentum = entry instanceof Map ? entry.get('momentum_buffer') : undefined;
    if (!(momentum instanceof TensorReference)) return [];
    const tensor = tensorOf(parameter.name, momentum, file);
    if (outline(tensor) !== outline(parameter)) {
      throw new ConvertError(
        `the momentum of ${parameter.name} is ${outline(tensor)} instead of ${outline(parameter)}`,
      );
    }
    return [tensor];
  });
}

function parametersOf(group: PickleValue): PickleValue[] {
  const ids = group instanceof Map ? group.get('params') : undefined;
  return Array.isArray(ids) ? ids : [];
}

/**
 * A checkpoint as the original's pre-training script writes it: `{epoch, arch, state_dict, optimizer}` with names that
 * begin with `module.`.
 *
 * @throws ConvertError unless the network has backbone, projector and predictor
 */
export function toTorchCheckpoint(network: Network): Uint8Array[] {
  const { tensors, epoch = 0 } = network;
  if (!isPretrained(tensors)) {
    throw new ConvertError('a .pth.tar is of pre-training: it needs encoder.* with the projector, and predictor.*');
  }
  const arch = architectureOf(backboneOf(tensors));
  const writer = new TorchWriter();
  const named = tensors.map((tensor) => [parallel + tensor.name, writer.tensor(tensor)] as const);
  const recipe = network.recipe ?? pretrainSchema.parse({ arch });
  const checkpoint = new Map<string, PyValue>([
    ['epoch', epoch],
    ['arch', arch],
    ['state_dict', orderedDict(new Map(named))],
    ['optimizer', optimizerOf(network, writer, recipe, epoch)],
  ]);
  return writer.file(checkpoint);
}

/** `SGD.state_dict()`: two groups where the predictor has its own learning rate. */
function optimizerOf(network: Network, writer: TorchWriter, recipe: PretrainSpec, epoch: number): PyDict {
  const momenta = new Map(network.momenta.map((tensor) => [tensor.name, tensor]));
  const parameters = network.tensors.filter(isParameter);
  const state = new Map<number, PyValue>();
  parameters.forEach(({ name }, index) => {
    const momentum = momenta.get(name);
    if (momentum) state.set(index, new Map([['momentum_buffer', writer.tensor(momentum)]]));
  });
  const last = Math.max(0, epoch - 1);
  const initial = constantLearningRateAt(recipe, last, 1);
  const current = learningRateAt(recipe, last, 1);
  const indices = parameters.map((_, index) => index);
  const isPredictor = (index: number): boolean => parameters[index]!.name.startsWith('predictor.');
  const groups = recipe.fixPredictorLearningRate
    ? [
        group(
          recipe,
          current,
          indices.filter((index) => !isPredictor(index)),
          false,
        ),
        group(recipe, initial, indices.filter(isPredictor), true),
      ]
    : [group(recipe, current, indices)];
  return new Map<string, PyValue>([
    ['state', state],
    ['param_groups', groups],
  ]);
}

export function group(
  { momentum, weightDecay }: Pick<PretrainSpec, 'momentum' | 'weightDecay'>,
  learningRate: number,
  params: readonly number[],
  isFixed?: boolean,
): PyDict {
  return new Map<string, PyValue>([
    ...(isFixed === undefined ? [] : [['fix_lr', isFixed] as const]),
    ['lr', pyFloat(learningRate)],
    ['momentum', pyFloat(momentum)],
    ['dampening', 0],
    ['weight_decay', pyFloat(weightDecay)],
    ['nesterov', false],
    ['maximize', false],
    ['foreach', null],
    ['differentiable', false],
    ['fused', null],
    ['params', params],
  ]);
}

/** A bare state_dict, by the names that the tensors have. */
export function toTorchStateDict(tensors: readonly NamedTensor[]): Uint8Array[] {
  const writer = new TorchWriter();
  return writer.file(orderedDict(new Map(tensors.map((tensor) => [tensor.name, writer.tensor(tensor)]))));
}
