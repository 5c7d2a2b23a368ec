import type { Architecture } from '../../api/run.ts';

/** Blocks of each of the four stages, and the block's kind (He et al. 2015, table 1). Loads no TensorFlow. */
export const architectures = {
  resnet18: { blocks: [2, 2, 2, 2], block: 'basic' },
  resnet34: { blocks: [3, 4, 6, 3], block: 'basic' },
  resnet50: { blocks: [3, 4, 6, 3], block: 'bottleneck' },
  resnet101: { blocks: [3, 4, 23, 3], block: 'bottleneck' },
  resnet152: { blocks: [3, 8, 36, 3], block: 'bottleneck' },
} as const satisfies Record<Architecture, { blocks: readonly number[]; block: 'basic' | 'bottleneck' }>;

/** A bottleneck gives four times the channels that its 3×3 convolution has. */
export const expansion = { basic: 1, bottleneck: 4 } as const;
