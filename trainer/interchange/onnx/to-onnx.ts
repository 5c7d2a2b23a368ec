import { pretrainSchema } from '../../../api/pretrain.ts';
import type { PretrainSpec } from '../../../api/run.ts';
import type { NamedTensor } from '../../checkpoint/tensors.ts';
import { outline } from '../../checkpoint/tensors.ts';
import { ConvertError } from '../errors.ts';
import { architectureOf } from '../network.ts';
import { encodeModel } from './proto.ts';
import { ResnetGraph } from './resnet-graph.ts';

/** A message of protobuf is smaller than this. */
const maxBytes = 2 ** 31 - 2 ** 16;

/**
 * A backbone in eval mode as an ONNX model: `images`, float32 [batch, 3, height, width], normalised as in PyTorch →
 * `features`, float32 [batch, d]. Batch, height and width may be of any length. Normalisation, depth and image size are
 * in the model's metadata.
 *
 * @param backbone by torchvision's names
 * @param recipe of the run, where it is known; else the defaults
 * @throws ConvertError for tensors that aren't float32, and beyond 2 GiB
 */
export function toOnnx(backbone: readonly NamedTensor[], recipe: PretrainSpec | undefined): Uint8Array[] {
  const weights = backbone.filter(({ name }) => !name.endsWith('.num_batches_tracked'));
  const shapes = new Map(weights.map(({ name, shape }) => [name, shape]));
  for (const tensor of weights) {
    if (tensor.dtype !== 'F32') throw new ConvertError(`${tensor.name} is ${outline(tensor)}: ONNX needs float32 here`);
  }
  if (weights.reduce((sum, { bytes }) => sum + bytes.byteLength, 0) > maxBytes) {
    throw new ConvertError('the model would be larger than 2 GiB, which ONNX has no single file for');
  }
  const graph = new ResnetGraph(new Set(shapes.keys()), (name) => shapes.get(`${name}.weight`)?.[2] ?? 0);
  graph.build('images', 'features');
  const used = new Set(graph.nodes.flatMap(({ inputs }) => inputs));
  const missing = [...used].find((name) => /\.(weight|bias|running_\w+)$/.test(name) && !shapes.has(name));
  if (missing !== undefined) throw new ConvertError(`the network has no ${missing}`);
  const dimension = graph.nodes.findLast(({ op }) => op === 'BatchNormalization')!.inputs[1]!;
  const { normalize, imageSize } = recipe ?? pretrainSchema.parse({});
  const arch = architectureOf(backbone);
  return [
    encodeModel({
      name: arch,
      description: `Backbone of ${arch}, pre-trained by SimSiam. images: RGB in [0, 1], minus mean, divided by std.`,
      nodes: graph.nodes,
      weights: weights.filter(({ name }) => used.has(name)),
      input: { name: 'images', shape: ['batch', 3, 'height', 'width'] },
      output: { name: 'features', shape: ['batch', shapes.get(dimension)?.[0] ?? 0] },
      metadata: {
        ...{ arch, imageSize: String(imageSize) },
        ...{ mean: JSON.stringify(normalize.mean), std: JSON.stringify(normalize.std) },
      },
    }),
  ];
}
