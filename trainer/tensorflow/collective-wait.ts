import { requireSession } from './active-session.ts';
import { symbolicId, tracingBackend } from './interception.ts';
import { addOp, cast, rawOp } from './raw-op.ts';
import { tf } from './tfjs.ts';
import type { TensorMetadata, TraceSession } from './trace-session.ts';

/** A monotonic clock before and after a collective, in seconds: float64 scalars of the trace (native/clock.h). */
export interface CollectiveTimes {
  readonly from: TensorMetadata;
  readonly to: TensorMetadata;
}

/**
 * Runs a collective between two readings of the clock: the last rank to come to it hardly waits, all others wait for that
 * one. What goes in and what comes out waits for the clock, which would else be read whenever a thread has nothing better to
 * do. On a GPU nothing is added: there a clock on the host tells when work was handed over, not when it was done.
 *
 * @param run adds the collective
 */
export function timed(session: TraceSession, x: tf.Tensor, run: (x: tf.Tensor) => tf.Tensor): tf.Tensor {
  if (session.gpu) return run(x);
  const [begun, from] = read(session, x);
  const [result, to] = read(session, run(begun));
  session.collectiveTimes.push({ from, to });
  return result;
}

/** A tensor as it is, once the clock was read after it was there, and what was read. */
function read(session: TraceSession, x: tf.Tensor): [tf.Tensor, TensorMetadata] {
  const [clock] = session.operation('SimsiamClock', [], [], 1, { controls: [symbolicId(session, x)] });
  const [passed] = addOp('Identity', [x], {}, 1, { controls: [clock!.id], shapes: [x.shape] });
  return [passed!.tensor, clock!];
}

/**
 * Seconds in which this rank was in any of the collectives that were traced so far, those in which it was in several at
 * once counted once: float32 [1]. Of all ranks the one with the fewest is the one that the others wait for. NaN where it
 * isn't known: on GPUs with several ranks.
 */
export function collectiveSeconds(): tf.Tensor {
  const { collectives, collectiveTimes } = requireSession('collectiveSeconds');
  if (collectiveTimes.length === 0) return tf.fill([1], collectives.length === 0 ? 0 : NaN);
  const backend = tracingBackend();
  const packed = (end: keyof CollectiveTimes): tf.Tensor =>
    rawOp(
      'Pack',
      collectiveTimes.map((times) => backend.createOutputTensor(times[end])),
    );
  return unionLength(packed('from'), packed('to'));
}

/**
 * Length of the union of intervals: float32 [1].
 * @param from where they begin: float64 [n]
 * @param to where they end, none before it begins: float64 [n]
 */
export function unionLength(from: tf.Tensor, to: tf.Tensor): tf.Tensor {
  const count = from.size;
  // From the first one on, which float32 holds to the microsecond.
  const since = (times: tf.Tensor): tf.Tensor => cast(tf.sub(times, tf.min(from)), 'float32');
  const order = tf.topk(tf.neg(since(from)), count).indices;
  // tfjs would read the places to check them.
  const inOrder = (times: tf.Tensor): tf.Tensor => rawOp('GatherV2', [times, order, tf.scalar(0, 'int32')]);
  const [begins, ends] = [inOrder(since(from)), inOrder(since(to))];
  const index = tf.range(0, count, 1, 'int32');
  const isEarlier = cast(tf.greater(tf.expandDims(index, 1), index), 'float32');
  // How far those reach that began before: of each only what lies beyond is new.
  const reached = tf.max(tf.mul(isEarlier, ends), 1);
  return tf.sum(tf.relu(tf.sub(ends, tf.maximum(begins, reached))), 0, true);
}
