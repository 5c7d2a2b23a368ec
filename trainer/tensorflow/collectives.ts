/**
 * Collectives over all ranks, inside a trace. With one rank they are the identity and add nothing.
 *
 * They have no gradients: use them inside `tf.customGrad` or on gradients. Every rank must trace the same collectives
 * in the same order, in functions of the same names, traced in the same order: their keys follow from that.
 */
import { requireSession } from './active-session.ts';
import { timed } from './collective-wait.ts';
import { TracingError } from './errors.ts';
import { addOp, type AttrValue, cast, realDType } from './raw-op.ts';
import { tf } from './tfjs.ts';
import type { TraceSession } from './trace-session.ts';

/** Number of ranks of the runtime that traces. */
export function world(): number {
  return requireSession('world').group.world;
}

/** Rank of the runtime that traces, from 0. */
export function rank(): number {
  return requireSession('rank').group.rank;
}

/**
 * The sums over all ranks of each tensor, in ONE message: a message costs about a millisecond whatever its size, but
 * beyond some 4 MB several in flight are faster than one. Summed in float32, or in float64 when all of `xs` are; the
 * results have the dtypes of `xs` (float32 or bfloat16, or float64).
 */
export function allReduceSum(xs: readonly tf.Tensor[]): tf.Tensor[] {
  return allReduce('Add', xs);
}

/** The greatest over all ranks of each element, in one message; otherwise as {@link allReduceSum}. */
export function allReduceMax(xs: readonly tf.Tensor[]): tf.Tensor[] {
  return allReduce('Max', xs);
}

/** `[n, …]` of every rank, in the order of the ranks: `[world·n, …]`. n is the same on all ranks. Any numeric dtype. */
export function allGather(x: tf.Tensor): tf.Tensor {
  const session = requireSession('allGather');
  const { world } = session.group;
  if (world === 1) return x;
  const [n, ...rest] = x.shape;
  if (n === undefined)
    throw new TracingError(`${session.name}: allGather takes tensors with a first dimension, not scalars`);
  return collective(session, 'CollectiveGatherV2', x, {}, [world * n, ...rest]);
}

function allReduce(mergeOp: 'Add' | 'Max', xs: readonly tf.Tensor[]): tf.Tensor[] {
  const session = requireSession('allReduce');
  if (session.group.world === 1 || xs.length === 0) return [...xs];
  const accumulator = accumulatorOf(session, xs);
  const flat = xs.map((x) => tf.reshape(cast(x, accumulator), [-1]));
  const joined = flat.length === 1 ? (flat[0] as tf.Tensor) : tf.concat(flat, 0);
  const reduced = collective(
    session,
    'CollectiveReduceV2',
    joined,
    { merge_op: mergeOp, final_op: 'Id', max_subdivs_per_device: -1 },
    joined.shape,
  );
  const parts =
    flat.length === 1
      ? [reduced]
      : tf.split(
          reduced,
          flat.map((x) => x.size),
          0,
        );
  return xs.map((x, i) => cast(tf.reshape(parts[i] as tf.Tensor, x.shape), realDType(x)));
}

function accumulatorOf(session: TraceSession, xs: readonly tf.Tensor[]): 'float32' | 'float64' {
  const dtypes = xs.map(realDType);
  if (dtypes.every((dtype) => dtype === 'float64')) return 'float64';
  const wrong = dtypes.find((dtype) => dtype !== 'float32' && dtype !== 'bfloat16');
  if (wrong === undefined) return 'float32';
  throw new TracingError(`${session.name}: all-reduce takes float32 or bfloat16, or float64 alone, not ${wrong}`);
}

const groupKey = 1;

function collective(
  session: TraceSession,
  op: string,
  x: tf.Tensor,
  attrs: Readonly<Record<string, AttrValue>>,
  shape: readonly number[],
): tf.Tensor {
  const { world, hint, ordered } = session.group;
  const before = session.collectives.at(-1);
  const scalar = (value: number): tf.Tensor => tf.scalar(value, 'int32');
  const keys = [scalar(world), scalar(groupKey), scalar(session.nextInstanceKey())];
  // No timeout of TensorFlow's: for each collective it starts a thread that sleeps until the timeout is over, tens of
  // thousands of threads in a run. GraphFunction.call has one timeout for all collectives of a call instead.
  const common = { communication_hint: hint, timeout_seconds: 0, is_stateless: false, Nordering_token: 0 };
  const controls = ordered && before !== undefined ? [before] : [];
  return timed(session, x, (begun) => {
    const [added] = addOp(op, [begun, ...keys], { ...common, ...attrs }, 1, { controls, shapes: [shape] });
    const { id, tensor } = added as { id: number; tensor: tf.Tensor };
    session.collectives.push(id);
    return tensor;
  });
}
