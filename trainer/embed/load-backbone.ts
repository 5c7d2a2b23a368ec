import { pretrainSchema } from '../../api/pretrain.ts';
import type { Architecture } from '../../api/run.ts';
import { assertSameTensors } from '../checkpoint/tensors.ts';
import type { FeatureExtractor } from '../evaluate/extractor.ts';
import { backboneExtractor } from '../evaluate/network-extractor.ts';
import { architectureOf, backboneOf } from '../interchange/network.ts';
import { readNetwork } from '../interchange/read-network.ts';
import { ENCODER, simSiam } from '../model/simsiam.ts';
import { outlineOf } from '../pretrain/checkpoint-tensors.ts';
import { StateCodec } from '../pretrain/state.ts';
import type { Runtime } from '../tensorflow/runtime.ts';
import { BackboneError } from './errors.ts';
import type { BackboneChoice } from './task.ts';

export interface LoadedBackbone {
  /** Dispose its `state`. */
  readonly extractor: FeatureExtractor;
  readonly arch: Architecture;
  readonly imageSize: number;
}

/** What pre-training has by default, for each stem. */
const usualImageSize = { imagenet: 224, cifar: 32 } as const;

/**
 * The backbone of a checkpoint in eval mode. Depth, stem and width follow from its tensors; image size and
 * normalisation from the run that it lies in, else they are the defaults.
 *
 * @throws BackboneError, CheckpointMismatchError, and what reading a network throws
 */
export async function loadBackbone(
  runtime: Runtime,
  { checkpoint, arch: wanted, imageSize }: Pick<BackboneChoice, 'checkpoint' | 'arch' | 'imageSize'>,
): Promise<LoadedBackbone> {
  const { tensors, recipe } = await readNetwork(checkpoint);
  const backbone = backboneOf(tensors);
  const arch = architectureOf(backbone);
  if (wanted !== undefined && wanted !== arch) {
    throw new BackboneError(`${checkpoint} is a ${arch}, not a ${wanted}: leave out --arch`);
  }
  const first = backbone.find(({ name }) => name === 'conv1.weight')!;
  const stem = first.shape[2] === 3 ? 'cifar' : 'imagenet';
  const spec = { ...(recipe ?? pretrainSchema.parse({})), arch, stem, width: first.shape[0] ?? 0 } as const;
  const network = simSiam(spec);
  // Counters never enter the graph, and older files have none.
  const entries = network.backbone.entries.filter(({ role }) => role !== 'counter');
  const named = backbone
    .map((tensor) => ({ ...tensor, name: ENCODER + tensor.name }))
    .filter(({ name }) => !name.endsWith('.num_batches_tracked'));
  assertSameTensors(entries.map(outlineOf), named, checkpoint);
  const model = { ...network, entries };
  const state = await new StateCodec(runtime, model).network(new Map(named.map(({ name, bytes }) => [name, bytes])));
  return {
    extractor: backboneExtractor({ model, spec, state }),
    arch,
    imageSize: imageSize ?? recipe?.imageSize ?? usualImageSize[stem],
  };
}
