import { DivergedError } from '../evaluate/errors.ts';
import { allReduceMax } from '../tensorflow/collectives.ts';
import { cast, rawOp } from '../tensorflow/raw-op.ts';
import type { GraphFunction, Runtime, TensorList } from '../tensorflow/runtime.ts';
import { tf, type Tensor } from '../tensorflow/tfjs.ts';
import { ReplicasDivergedError } from './errors.ts';
import type { Stage } from '../checkpoint/manifest.ts';
import type { PretrainState } from './state.ts';

type DigestedState = Pick<PretrainState, 'trainable' | 'momenta' | 'statistics' | 'probe'>;

/**
 * Before a checkpoint, the ranks compare their states: a broken replica (a flipped bit, a collective that gave one
 * rank something else) must not be what a run goes on from. All ranks call it after the same step.
 */
export class DigestCheck {
  readonly #compare: GraphFunction;
  readonly #names: readonly string[];
  readonly #stage: Stage;

  /** @param names Of the tensors of the state's lists, in their order: trainable, momenta, statistics, probe. */
  constructor(runtime: Runtime, example: DigestedState, names: readonly string[], stage: Stage = 'pretrain') {
    this.#names = names;
    this.#stage = stage;
    const groups = listsOf(example).map((list) => list.specs);
    this.#compare = runtime.trace(`${stage}_digest`, groups, (...lists) => {
      const digests = lists.flat().map(digest);
      const own = tf.concat([...digests.map(([high]) => high), ...digests.map(([, low]) => low)], 0);
      const [most, negatedLeast] = allReduceMax([own, tf.neg(own)]) as [Tensor, Tensor];
      return [[tf.add(most, negatedLeast)]];
    });
  }

  /**
   * @throws ReplicasDivergedError naming the first tensor that isn't the same on all ranks.
   * @throws DivergedError naming the first one that holds infinities or NaN: the loss shows it one step later, and a
   * checkpoint of it would be worth nothing.
   */
  async assertSound(state: DigestedState, step: number): Promise<void> {
    const [difference] = await this.#compare.call(listsOf(state));
    const differences = await difference!.readFloats(0);
    difference!.dispose();
    const at = differences.findIndex((value) => value !== 0);
    if (at < 0) return;
    const name = this.#names[at % this.#names.length]!;
    if (Number.isFinite(differences[at]!)) throw new ReplicasDivergedError(name);
    throw new DivergedError(
      `${this.#stage}: ${name} is no longer finite after step ${step}: ` +
        `lower ${this.#stage === 'pretrain' ? 'pretrain.learningRate' : 'linear.backboneLearningRate'}, or train in precision fp32`,
    );
  }

  dispose(): void {
    this.#compare.dispose();
  }
}

function listsOf({ trainable, momenta, statistics, probe }: DigestedState): TensorList[] {
  return [trainable, momenta, statistics, ...(probe ? [probe] : [])];
}

/** A tensor's sum in float64, as two float32 numbers that hold 48 bits of it: [1] each. */
function digest(x: Tensor): [Tensor, Tensor] {
  const axes = tf.range(0, x.rank, 1, 'int32');
  const sum = rawOp('Sum', [cast(x, 'float64'), axes], { keep_dims: false });
  const high = cast(sum, 'float32');
  const low = cast(rawOp('Sub', [sum, cast(high, 'float64')]), 'float32');
  return [tf.reshape(high, [1]), tf.reshape(low, [1])];
}
