import type { PretrainSpec } from '../../api/run.ts';
import { architectures, expansion } from './architectures.ts';
import { sequential, type Layer } from './layer.ts';
import { batchNorm, type BatchNorm } from './layers/batch-norm.ts';
import { convolution } from './layers/convolution.ts';
import { globalAveragePool, maxPool, toComputeType } from './layers/elementwise.ts';

/** The part of the specification that shapes the backbone. */
export type BackboneSpec = Pick<PretrainSpec, 'arch' | 'stem' | 'width' | 'zeroInitResidual'>;

/** Channels of the pooled features: 512 or 2048 at the default width. */
export function featureDimension({ arch, width }: BackboneSpec): number {
  return width * 8 * expansion[architectures[arch].block];
}

/**
 * torchvision's ResNet without its classifier: [n, s, s, 3] float32 → [n, {@link featureDimension}] float32.
 * The `cifar` stem is a 3×3 convolution at stride 1 without max-pool (SimSiam appendix D).
 */
export function resnet(spec: BackboneSpec, prefix: string): Layer {
  const { blocks, block } = architectures[spec.arch];
  const layers: Layer[] = [toComputeType, ...stem(spec, prefix)];
  let inputs = spec.width;
  blocks.forEach((count, stage) => {
    const channels = spec.width << stage;
    for (let index = 0; index < count; index++) {
      const stride = stage > 0 && index === 0 ? 2 : 1;
      layers.push(
        residualBlock({ name: `${prefix}layer${stage + 1}.${index}`, inputs, channels, stride, block, spec }),
      );
      inputs = channels * expansion[block];
    }
  });
  return sequential([...layers, globalAveragePool]);
}

function stem({ stem, width }: BackboneSpec, prefix: string): Layer[] {
  const [kernel, stride] = stem === 'cifar' ? [3, 1] : [7, 2];
  return [
    convolution({ name: `${prefix}conv1`, kernel, inputs: 3, outputs: width, stride }),
    batchNorm({ name: `${prefix}bn1`, channels: width, relu: true }),
    ...(stem === 'cifar' ? [] : [maxPool]),
  ];
}

interface BlockOptions {
  readonly name: string;
  readonly inputs: number;
  readonly channels: number;
  readonly stride: number;
  readonly block: keyof typeof expansion;
  readonly spec: BackboneSpec;
}

/** torchvision's blocks; a bottleneck has its stride in the 3×3 convolution ("v1.5"). */
function residualBlock({ name, inputs, channels, stride, block, spec }: BlockOptions): Layer {
  const outputs = channels * expansion[block];
  const initialScale = spec.zeroInitResidual ? 0 : 1;
  const conv = (index: number, kernel: number, from: number, to: number, stride: number): Layer =>
    convolution({ name: `${name}.conv${index}`, kernel, inputs: from, outputs: to, stride });
  const bn = (index: number, channels: number, initialScale = 1): BatchNorm =>
    batchNorm({ name: `${name}.bn${index}`, channels, initialScale, relu: true });
  const residual = sequential(
    block === 'basic'
      ? [conv(1, 3, inputs, channels, stride), bn(1, channels), conv(2, 3, channels, outputs, 1)]
      : [
          ...[conv(1, 1, inputs, channels, 1), bn(1, channels)],
          ...[conv(2, 3, channels, channels, stride), bn(2, channels)],
          conv(3, 1, channels, outputs, 1),
        ],
  );
  const last = bn(block === 'basic' ? 2 : 3, outputs, initialScale);
  const shortcut = sequential(
    stride === 1 && inputs === outputs
      ? []
      : [
          convolution({ name: `${name}.downsample.0`, kernel: 1, inputs, outputs, stride }),
          batchNorm({ name: `${name}.downsample.1`, channels: outputs }),
        ],
  );
  return {
    entries: [...residual.entries, ...last.entries, ...shortcut.entries],
    apply: (scope, views) => {
      const skipped = shortcut.apply(scope, views);
      return last.apply(scope, residual.apply(scope, views), skipped);
    },
  };
}
