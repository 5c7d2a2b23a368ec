import type { Tensor } from '../tensorflow/tfjs.ts';

/** The same batch under each augmentation: float tensors of equal shape, forwarded separately layer by layer. */
export type Views = readonly Tensor[];

/**
 * What happens to an entry of the state in a training step: `trainable` is updated by the optimiser, `frozen` never
 * changes, `statistic` is a running statistic of batch norm, `counter` is PyTorch's `num_batches_tracked`, which the
 * step count implies and which therefore never enters the graph.
 */
export type Role = 'trainable' | 'frozen' | 'statistic' | 'counter';

/** How PyTorch's layout maps to TensorFlow's: OIHW ↔ HWIO, [out, in] ↔ [in, out], or the same. */
export type Layout = 'convolution' | 'linear' | 'plain';

/** How an entry starts; the random ones follow PyTorch's layer defaults and torchvision's ResNet. */
export type Initial =
  | { readonly kind: 'constant'; readonly value: number }
  | { readonly kind: 'normal'; readonly std: number }
  | { readonly kind: 'uniform'; readonly bound: number };

/** One entry of PyTorch's `state_dict`. */
export interface StateEntry {
  /** PyTorch's name without `module.`: `encoder.layer1.0.conv1.weight`. */
  readonly name: string;
  /** PyTorch's shape. */
  readonly shape: readonly number[];
  readonly role: Role;
  readonly layout: Layout;
  readonly initial: Initial;
}

/** What a layer sees of the training step that runs it. All tensors are symbolic. */
export interface Scope {
  /** True: batch statistics, over all ranks, and running statistics move. False: running statistics are used. */
  readonly training: boolean;
  /** What convolutions and the batch norms between them compute in; weights and statistics stay float32. */
  readonly computeType: 'float32' | 'bfloat16';
  /** A trainable or frozen entry, float32 in TensorFlow's layout. */
  parameter(name: string): Tensor;
  /** The current value of a running statistic, float32 [channels]. */
  statistic(name: string): Tensor;
  /** Replaces a running statistic, for later views and for the next step. */
  updateStatistic(name: string, value: Tensor): void;
}

/** A part of the network: its entries in `state_dict` order and its forward pass. */
export interface Layer {
  readonly entries: readonly StateEntry[];
  apply(scope: Scope, views: Views): Views;
}

/** Layers one after the other. */
export function sequential(layers: readonly Layer[]): Layer {
  return {
    entries: layers.flatMap((layer) => layer.entries),
    apply: (scope, views) => layers.reduce((current, layer) => layer.apply(scope, current), views),
  };
}

/** A layer without state that treats each view alike. */
export function stateless(forward: (x: Tensor, scope: Scope) => Tensor): Layer {
  return { entries: [], apply: (scope, views) => views.map((x) => forward(x, scope)) };
}
