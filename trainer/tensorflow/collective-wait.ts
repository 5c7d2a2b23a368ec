import { requireSession } from './active-session.ts';
import { tracingBackend } from './interception.ts';
import { cast, rawOp } from './raw-op.ts';
import { tf } from './tfjs.ts';
import type { TensorMetadata, TraceSession } from './trace-session.ts';

/** A monotonic clock before and after a collective, in seconds: float64 scalars of the trace (native/clock.h). */
export interface CollectiveTimes {
  readonly from: TensorMetadata;
  readonly to: TensorMetadata;
}

/**
 * Adds clocks before and after a collective: the last rank to come to it hardly waits, all others wait for that one. On a
 * GPU nothing is added: there a clock on the host tells when work was handed over, not when it was done.
 *
 * @param input id of what goes into it
 * @param output id of what comes out
 */
export function timeCollective(session: TraceSession, input: number, output: number): void {
  if (session.gpu) return;
  const clock = (after: number): TensorMetadata =>
    session.operation('SimsiamClock', [], [], 1, { controls: [after] })[0] as TensorMetadata;
  session.collectiveTimes.push({ from: clock(input), to: clock(output) });
}

/**
 * Seconds that this rank has spent in the collectives that were traced so far, each counted for itself where several run
 * side by side: float32 [1]. Of all ranks the one with the fewest is the one that the others wait for. NaN where it
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
  return cast(tf.sum(rawOp('Sub', [packed('to'), packed('from')]), 0, true), 'float32');
}
