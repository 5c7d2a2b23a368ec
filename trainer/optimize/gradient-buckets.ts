import { differentiable } from '../tensorflow/differentiable.ts';
import { allReduceSum, world } from '../tensorflow/collectives.ts';
import { tf, type Tensor } from '../tensorflow/tfjs.ts';

/**
 * Bytes of a gradient message. Measured on the gRPC ring between two processes: several messages of about 4 MB in
 * flight move three times as much a second as one large one, and small ones are all latency.
 */
const BUCKET_BYTES = 4 * 1024 * 1024;

/**
 * Averages gradients over the ranks while the backward pass still runs: a parameter's gradient joins a bucket as soon
 * as it is complete, and a full bucket is sent at once (as PyTorch's DDP does). The order follows from the graph, so
 * it is the same on every rank.
 */
export class GradientBuckets {
  readonly #watched = new Map<string, Tensor>();
  readonly #averaged = new Map<string, Tensor>();
  readonly #before: ReadonlyMap<string, Tensor> | undefined;
  readonly #parts: number;
  #pending: { name: string; gradient: Tensor }[] = [];

  /** @param before Sums of the gradients of a batch's other `parts` - 1, by the names of the parameters. */
  constructor(before?: ReadonlyMap<string, Tensor>, parts = 1) {
    this.#before = before;
    this.#parts = parts;
  }

  /** The same tensor for every use of a parameter, so that its gradient arrives once and whole. */
  watch(name: string, parameter: Tensor): Tensor {
    const known = this.#watched.get(name);
    if (known) return known;
    const watched = differentiable([parameter], (x) => ({
      value: x.clone(),
      gradient: (dy) => {
        const before = this.#before?.get(name);
        this.#add(name, tf.keep(before ? tf.add(before, dy) : dy));
        return [dy];
      },
    }));
    this.#watched.set(name, watched);
    return watched;
  }

  /** Sends what is left and gives the average of each watched parameter's gradient. */
  finish(): ReadonlyMap<string, Tensor> {
    this.#send();
    return this.#averaged;
  }

  #add(name: string, gradient: Tensor): void {
    this.#pending.push({ name, gradient });
    const bytes = this.#pending.reduce((total, { gradient }) => total + gradient.size * 4, 0);
    if (bytes >= BUCKET_BYTES) this.#send();
  }

  #send(): void {
    if (this.#pending.length === 0) return;
    const averages = allReduceSum(
      this.#pending.map(({ gradient }) => gradient),
      1 / (world() * this.#parts),
    );
    this.#pending.forEach(({ name }, i) => this.#averaged.set(name, tf.keep(averages[i]!)));
    this.#pending = [];
  }
}
