import { messageOf, SimSiamError } from '../../api/errors.ts';
import { exitCode } from '../../api/exit-codes.ts';

/** A function was written in a way that can't be traced: a value was read, a symbolic tensor left its trace. */
export class TracingError extends SimSiamError {
  readonly code = 'TRACING';
  readonly exitCode = exitCode.internal;
}

/** A function was called with tensors that it wasn't traced for, or a thing was used after its end. */
export class TensorUseError extends SimSiamError {
  readonly code = 'TENSOR_USE';
  readonly exitCode = exitCode.internal;
}

/** TensorFlow, our addon or tfjs-node's can't be loaded. */
export class NativeAddonError extends SimSiamError {
  readonly code = 'NATIVE_ADDON';
  readonly exitCode = exitCode.internal;
}

/** Where a failure comes from, as far as TensorFlow says. */
export interface FailurePlace {
  /** The op's type: `Conv2D`. */
  readonly op?: string | undefined;
  /** Where our code added the op to the function: `resnet.ts:71`. */
  readonly tracedAt?: string | undefined;
}

function describePlace(place: FailurePlace): string {
  const parts = [...(place.op ? [`op ${place.op}`] : []), ...(place.tracedAt ? [`traced at ${place.tracedAt}`] : [])];
  return parts.length === 0 ? '' : ` (${parts.join(', ')})`;
}

/** TensorFlow refused to build or failed to execute something. */
export class TensorFlowError extends SimSiamError {
  /** TensorFlow's status: `TF_INVALID_ARGUMENT`, `TF_RESOURCE_EXHAUSTED` and so on. */
  readonly code: string;
  readonly exitCode = exitCode.internal;
  readonly op: string | undefined;
  readonly tracedAt: string | undefined;

  constructor(code: string, what: string, place: FailurePlace = {}, options?: ErrorOptions) {
    super(`TensorFlow: ${what}${describePlace(place)} [${code}]`, options);
    this.code = code;
    this.op = place.op;
    this.tracedAt = place.tracedAt;
  }
}

/** The {@link TensorFlowError} of something that the addon threw. */
export function tensorFlowError(thrown: unknown, place: FailurePlace = {}, where = ''): TensorFlowError {
  return new TensorFlowError(nativeCode(thrown), `${where}${messageOf(thrown)}`, place, { cause: thrown });
}

/** The `code` of something that the addon threw (see native.ts). */
export function nativeCode(thrown: unknown): string {
  return (thrown as { code?: string }).code ?? 'TF_UNKNOWN';
}

/**
 * A collective ended because another rank died, stopped answering or never came. TensorFlow's collectives stay aborted
 * afterwards: the process can only save what it has and end.
 */
export class PeerLostError extends SimSiamError {
  readonly code = 'PEER_LOST';
  readonly exitCode = exitCode.peersLost;
  /** TensorFlow's status: `TF_UNAVAILABLE` (connection lost), `TF_DEADLINE_EXCEEDED` (timeout), `TF_ABORTED`. */
  readonly status: string;

  constructor(status: string, what: string, place: FailurePlace = {}, options?: ErrorOptions) {
    super(`Another rank is lost: ${what}${describePlace(place)} [${status}]; look at what ended that rank`, options);
    this.status = status;
  }
}
