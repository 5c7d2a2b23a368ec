import { architectures } from '../../api/pretrain.ts';
import type { Architecture, PretrainSpec } from '../../api/run.ts';
import type { NamedTensor } from '../checkpoint/tensors.ts';
import { ConvertError } from './errors.ts';

/** What any of the formats may hold of a network. */
export interface Network {
  /** In `state_dict` order, by PyTorch's names without `module.`. */
  readonly tensors: readonly NamedTensor[];
  /** Momentum buffers by the names of their parameters; none where the file has none. */
  readonly momenta: readonly NamedTensor[];
  /** Finished epochs, where they are known. */
  readonly epoch: number | undefined;
  /** Of the run that made it, where that is known. */
  readonly recipe: PretrainSpec | undefined;
  /** Of a linear evaluation: its highest top-1, in percent, where it is known. */
  readonly bestTop1?: number | undefined;
}

const encoder = 'encoder.';

const classifier = 'fc.';

/** Whether it is what pre-training makes: backbone, projector and predictor. */
export function isPretrained(tensors: readonly NamedTensor[]): boolean {
  const names = new Set(tensors.map(({ name }) => name));
  return names.has(`${encoder}conv1.weight`) && names.has('predictor.0.weight');
}

/**
 * The backbone by torchvision's names, without projector, predictor or classifier: of a SimSiam network, of one for
 * linear evaluation, or of a ResNet as torchvision has it.
 *
 * @throws ConvertError where there is none
 */
export function backboneOf(tensors: readonly NamedTensor[]): NamedTensor[] {
  const prefix = isPretrained(tensors) ? encoder : '';
  const backbone = tensors
    .filter(({ name }) => name.startsWith(prefix))
    .map((tensor) => ({ ...tensor, name: tensor.name.slice(prefix.length) }))
    .filter(({ name }) => !name.startsWith(classifier));
  architectureOf(backbone);
  return backbone;
}

/** Blocks of each stage, as torchvision's ResNets have them; with three convolutions in a block from 50 layers on. */
const blocks: Readonly<Record<Architecture, string>> = {
  resnet18: '2,2,2,2 of 2',
  resnet34: '3,4,6,3 of 2',
  resnet50: '3,4,6,3 of 3',
  resnet101: '3,4,23,3 of 3',
  resnet152: '3,8,36,3 of 3',
};

/**
 * Which ResNet a backbone is, by its names.
 *
 * @throws ConvertError if it is none of those that this program trains
 */
export function architectureOf(backbone: readonly NamedTensor[]): Architecture {
  const names = new Set(backbone.map(({ name }) => name));
  const count = (stage: number): number => {
    let index = 0;
    while (names.has(`layer${stage}.${index}.conv1.weight`)) index += 1;
    return index;
  };
  const found = `${[1, 2, 3, 4].map(count).join(',')} of ${names.has('layer1.0.conv3.weight') ? 3 : 2}`;
  const arch = architectures.find((name) => blocks[name] === found);
  if (arch === undefined || !names.has('conv1.weight')) {
    const some = backbone.slice(0, 3).map(({ name }) => name);
    throw new ConvertError(
      `there is no ResNet of ${architectures.join(', ')} by PyTorch's names` +
        (some.length > 0 ? `: the first tensors are ${some.join(', ')}` : ''),
    );
  }
  return arch;
}

/** Whether a tensor is a parameter, and not a running statistic or a counter. */
export function isParameter({ name }: Pick<NamedTensor, 'name'>): boolean {
  return !/\.(running_mean|running_var|num_batches_tracked)$/.test(name);
}
