/**
 * Collectives over all ranks, inside a trace. With one rank they are the identity and add nothing.
 *
 * They have no gradients: use them inside `tf.customGrad` or on gradients. Every rank must trace the same collectives
 * in the same order, in functions of the same names, traced in the same order: their keys follow from that.
 */
import { requireSession } from './active-session.ts';
import { timed } from './collective-wait.ts';
import { TracingError } from './errors.ts';
import { symbolicId, tracingBackend } from './interception.ts';
import { addOp, type AttrValue, cast, realDType } from './raw-op.ts';
import { tf } from './tfjs.ts';
import type { TensorMetadata, TraceSession } from './trace-session.ts';

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
 * @param factor by which each sum is multiplied, in float32 (default 1)
 */
export function allReduceSum(xs: readonly tf.Tensor[], factor = 1): tf.Tensor[] {
  return allReduce('Add', xs, factor);
}

/** The means over all ranks of each tensor, otherwise as {@link allReduceSum}. */
export function allReduceMean(xs: readonly tf.Tensor[]): tf.Tensor[] {
  return allReduceSum(xs, 1 / world());
}

/** The greatest over all ranks of each element, in one message; otherwise as {@link allReduceSum}. */
export function allReduceMax(xs: readonly tf.Tensor[]): tf.Tensor[] {
  return allReduce('Max', xs, 1);
}

/** `[n, …]` of every rank, in the order of the ranks: `[world·n, …]`. n is the same on all ranks. Any numeric dtype. */
export function allGather(x: tf.Tensor): tf.Tensor {
  const session = requireSession('allGather');
  const { world } = session.group;
  if (world === 1) return x;
  const [n, ...rest] = x.shape;
  if (n === undefined)
    throw new TracingError(`${session.name}: allGather takes tensors with a first dimension, not scalars`);
  const shape = [world * n, ...rest];
  if (session.group.shared) return inMemory(session, 'SimsiamAllGather', [x], {}, [shape])[0] as tf.Tensor;
  return byMessage(session, 'CollectiveGatherV2', x, {}, shape);
}

type MergeOp = 'Add' | 'Max';

function allReduce(mergeOp: MergeOp, xs: readonly tf.Tensor[], factor: number): tf.Tensor[] {
  const session = requireSession('allReduce');
  if (session.group.world === 1 || xs.length === 0) return xs.map((x) => times(x, factor));
  const accumulator = accumulatorOf(session, xs);
  const reduce = session.group.shared ? reduceInMemory : reduceByMessage;
  const reduced = reduce(
    session,
    mergeOp,
    xs.map((x) => cast(x, accumulator)),
    factor,
  );
  return xs.map((x, i) => cast(reduced[i] as tf.Tensor, realDType(x)));
}

function times(x: tf.Tensor, factor: number): tf.Tensor {
  return factor === 1 ? x : tf.mul(x, factor);
}

type Reduce = (session: TraceSession, mergeOp: MergeOp, xs: readonly tf.Tensor[], factor: number) => tf.Tensor[];

const reduceInMemory: Reduce = (session, mergeOp, xs, factor) => {
  const shapes = xs.map(({ shape }) => shape);
  return inMemory(session, 'SimsiamAllReduce', xs, { greatest: mergeOp === 'Max', factor }, shapes);
};

const reduceByMessage: Reduce = (session, mergeOp, xs, factor) => {
  const flat = xs.map((x) => tf.reshape(x, [-1]));
  const joined = flat.length === 1 ? (flat[0] as tf.Tensor) : tf.concat(flat, 0);
  const attrs = { merge_op: mergeOp, final_op: 'Id', max_subdivs_per_device: -1 };
  const reduced = times(byMessage(session, 'CollectiveReduceV2', joined, attrs, joined.shape), factor);
  const parts =
    flat.length === 1
      ? [reduced]
      : tf.split(
          reduced,
          flat.map((x) => x.size),
          0,
        );
  return xs.map((x, i) => tf.reshape(parts[i] as tf.Tensor, x.shape));
};

function accumulatorOf(session: TraceSession, xs: readonly tf.Tensor[]): 'float32' | 'float64' {
  const dtypes = xs.map(realDType);
  if (dtypes.every((dtype) => dtype === 'float64')) return 'float64';
  const wrong = dtypes.find((dtype) => dtype !== 'float32' && dtype !== 'bfloat16');
  if (wrong === undefined) return 'float32';
  throw new TracingError(`${session.name}: all-reduce takes float32 or bfloat16, or float64 alone, not ${wrong}`);
}

/** What the next collective waits for. */
function formerOf({ group, collectives }: TraceSession): number[] {
  return group.ordered ? collectives.slice(-1) : [];
}

/** By a kernel of ours (native/collectives.cc), which itself tells when it began and ended. */
function inMemory(
  session: TraceSession,
  op: string,
  xs: readonly tf.Tensor[],
  attrs: Readonly<Record<string, AttrValue>>,
  shapes: readonly (readonly number[])[],
): tf.Tensor[] {
  const inputs = xs.map((x) => symbolicId(session, x));
  const attributes = Object.entries(attrs).map(([name, value]) => ({ name, value }));
  const options = { controls: formerOf(session), shapes: [...shapes, [], []] };
  const results = session.operation(op, attributes, inputs, shapes.length + 2, options);
  const [from, to] = results.splice(-2) as [TensorMetadata, TensorMetadata];
  session.collectives.push(to.id);
  session.collectiveTimes.push({ from, to });
  return results.map((metadata) => tracingBackend().createOutputTensor(metadata));
}

const groupKey = 1;

function byMessage(
  session: TraceSession,
  op: string,
  x: tf.Tensor,
  attrs: Readonly<Record<string, AttrValue>>,
  shape: readonly number[],
): tf.Tensor {
  const { world, hint } = session.group;
  const scalar = (value: number): tf.Tensor => tf.scalar(value, 'int32');
  const keys = [scalar(world), scalar(groupKey), scalar(session.nextInstanceKey())];
  // No timeout of TensorFlow's: for each collective it starts a thread that sleeps until the timeout is over, tens of
  // thousands of threads in a run. GraphFunction.call has one timeout for all collectives of a call instead.
  const common = { communication_hint: hint, timeout_seconds: 0, is_stateless: false, Nordering_token: 0 };
  const controls = formerOf(session);
  return timed(session, x, (begun) => {
    const [added] = addOp(op, [begun, ...keys], { ...common, ...attrs }, 1, { controls, shapes: [shape] });
    const { id, tensor } = added as { id: number; tensor: tf.Tensor };
    session.collectives.push(id);
    return tensor;
  });
}
