import { TracingError } from './errors.ts';
import { describeCaller } from './source-location.ts';
import type { TraceSession } from './trace-session.ts';

/** tfjs-node's record of a tensor. */
export interface EagerData {
  readonly shape: readonly number[];
  readonly dtype: number;
  /** Valid when `values` is null. */
  readonly id: number;
  /** Values that are not in TensorFlow yet. */
  readonly values: ArrayBufferView | readonly (string | Uint8Array)[] | null;
}

// What goes into a function is copied several times and stays in memory; anything of this size is a forgotten input.
const mostBytes = 8 * 2 ** 20;

/**
 * Bakes an eager tensor into the function. `read` gets the values that are in TensorFlow already. Large uniform ones
 * cost nothing (they become Fill); others above 8 MiB are refused.
 */
export function eagerConstant(session: TraceSession, data: EagerData, read: () => ArrayBufferView): number {
  const values = data.values ?? read();
  if (!ArrayBuffer.isView(values)) {
    return session.constant(
      data.dtype,
      data.shape,
      values.map((text) => (typeof text === 'string' ? Buffer.from(text) : text)),
    );
  }
  if (values.byteLength > mostBytes && !uniform(values)) {
    throw new TracingError(
      `${session.name}: a tensor of ${Math.round(values.byteLength / 2 ** 20)} MiB from outside the trace was used ` +
        `(${describeCaller()}); pass it as an input`,
    );
  }
  return session.constant(data.dtype, data.shape, values);
}

function uniform(values: ArrayBufferView): boolean {
  const elements = values as unknown as ArrayLike<unknown>;
  for (let i = 1; i < elements.length; i++) if (elements[i] !== elements[0]) return false;
  return true;
}
