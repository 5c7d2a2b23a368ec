import type { LinearSpec } from '../../api/run.ts';
import type { NamedTensor } from '../checkpoint/tensors.ts';
import { cosineLearningRate, scaledLearningRate } from '../optimize/schedule.ts';
import { architectureOf, backboneOf, isParameter } from './network.ts';
import { orderedDict, pyFloat, type PyValue } from './pickler.ts';
import { group, parallel } from './torch-checkpoint.ts';
import { TorchWriter } from './torch-writer.ts';

interface LinearNetwork {
  /** Of any network that has one. */
  readonly backbone: readonly NamedTensor[];
  /** `fc.weight` and `fc.bias`. */
  readonly head: readonly NamedTensor[];
  /** Of the head, and of a backbone that is fine-tuned. */
  readonly momenta: readonly NamedTensor[];
  /** Finished epochs. */
  readonly epoch: number;
  /** Highest top-1 so far, in percent. */
  readonly bestTop1: number;
  readonly recipe: LinearSpec;
}

/**
 * A checkpoint as the original's linear evaluation writes it: `{epoch, arch, state_dict, best_acc1, optimizer}` with
 * torchvision's names after `module.`. Where the backbone is fine-tuned the optimiser has a group for it, before the
 * classifier's.
 *
 * @throws ConvertError where there is no backbone
 */
export function toTorchLinearCheckpoint({
  head,
  momenta,
  epoch,
  bestTop1,
  recipe,
  ...rest
}: LinearNetwork): Uint8Array[] {
  const backbone = backboneOf(rest.backbone);
  const writer = new TorchWriter();
  const named = [...backbone, ...head].map((tensor) => [parallel + tensor.name, writer.tensor(tensor)] as const);
  const tuned = recipe.backboneLearningRate === undefined ? [] : backbone.filter(isParameter);
  const state = [...tuned, ...head].flatMap(({ name }, index) => {
    const momentum = momenta.find((tensor) => tensor.name === name);
    return momentum ? [[index, new Map([['momentum_buffer', writer.tensor(momentum)]])] as const] : [];
  });
  const rate = (base: number): number =>
    cosineLearningRate(scaledLearningRate(base, recipe.batchSize), Math.max(0, epoch - 1), recipe.epochs);
  const ofHead = Array.from(head.keys(), (index) => tuned.length + index);
  const optimizer = new Map<string, PyValue>([
    ['state', new Map<number, PyValue>(state)],
    [
      'param_groups',
      [
        ...(tuned.length > 0 ? [group(recipe, rate(recipe.backboneLearningRate!), [...tuned.keys()])] : []),
        group(recipe, rate(recipe.learningRate), ofHead),
      ],
    ],
  ]);
  return writer.file(
    new Map<string, PyValue>([
      ['epoch', epoch],
      ['arch', architectureOf(backbone)],
      ['state_dict', orderedDict(new Map(named))],
      ['best_acc1', pyFloat(bestTop1)],
      ['optimizer', optimizer],
    ]),
  );
}
