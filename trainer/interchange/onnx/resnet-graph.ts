import type { OnnxNode } from './proto.ts';

/** PyTorch's default, which the networks here are trained with. */
const epsilon = 1e-5;

/** The graph of a ResNet in eval mode, node by node. Initializers have the names of its tensors. */
export class ResnetGraph {
  readonly nodes: OnnxNode[] = [];
  readonly #names: ReadonlySet<string>;
  readonly #kernelOf: (convolution: string) => number;

  /**
   * @param names of the tensors of the backbone, torchvision's
   * @param kernelOf the side of a convolution's kernel
   */
  constructor(names: ReadonlySet<string>, kernelOf: (convolution: string) => number) {
    this.#names = names;
    this.#kernelOf = kernelOf;
  }

  /** From images [n, 3, h, w] to features [n, d]. */
  build(input: string, output: string): void {
    // The stem for small images is a 3×3 convolution at stride 1 without max-pool.
    const isSmall = this.#kernelOf('conv1') === 3;
    let x = this.#normalized(input, 'conv1', 'bn1', isSmall ? 1 : 2);
    x = this.#add('Relu', 'relu', [x]);
    if (!isSmall) {
      const attributes = { kernel_shape: { ints: [3, 3] }, strides: { ints: [2, 2] }, pads: { ints: [1, 1, 1, 1] } };
      x = this.#add('MaxPool', 'maxpool', [x], attributes);
    }
    for (const stage of [1, 2, 3, 4]) {
      for (let index = 0; this.#names.has(`layer${stage}.${index}.conv1.weight`); index++) {
        x = this.#block(x, `layer${stage}.${index}`, stage > 1 && index === 0 ? 2 : 1);
      }
    }
    x = this.#add('GlobalAveragePool', 'avgpool', [x]);
    this.nodes.push({ op: 'Flatten', name: 'flatten', inputs: [x], output, attributes: { axis: { int: 1 } } });
  }

  /** torchvision's: a bottleneck has its stride in the 3×3 convolution. */
  #block(input: string, name: string, stride: number): string {
    const isBottleneck = this.#names.has(`${name}.conv3.weight`);
    const count = isBottleneck ? 3 : 2;
    let x = input;
    for (let i = 1; i <= count; i++) {
      const isStrided = i === (isBottleneck ? 2 : 1);
      x = this.#normalized(x, `${name}.conv${i}`, `${name}.bn${i}`, isStrided ? stride : 1);
      if (i < count) x = this.#add('Relu', `${name}.relu${i}`, [x]);
    }
    const hasProjection = this.#names.has(`${name}.downsample.0.weight`);
    const skipped = hasProjection
      ? this.#normalized(input, `${name}.downsample.0`, `${name}.downsample.1`, stride)
      : input;
    return this.#add('Relu', `${name}.relu`, [this.#add('Add', `${name}.add`, [x, skipped])]);
  }

  #normalized(input: string, convolution: string, norm: string, stride: number): string {
    const kernel = this.#kernelOf(convolution);
    const margin = kernel >> 1;
    const x = this.#add('Conv', convolution, [input, `${convolution}.weight`], {
      kernel_shape: { ints: [kernel, kernel] },
      strides: { ints: [stride, stride] },
      pads: { ints: [margin, margin, margin, margin] },
    });
    const statistics = ['weight', 'bias', 'running_mean', 'running_var'].map((field) => `${norm}.${field}`);
    return this.#add('BatchNormalization', norm, [x, ...statistics], { epsilon: { float: epsilon } });
  }

  /** Adds a node; its output has its name. */
  #add(op: string, name: string, inputs: readonly string[], attributes: OnnxNode['attributes'] = {}): string {
    const output = `${name}.out`;
    this.nodes.push({ op, name, inputs, output, attributes });
    return output;
  }
}
