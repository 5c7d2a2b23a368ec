import { SimSiamError } from '../../api/errors.ts';
import { exitCode } from '../../api/exit-codes.ts';

/** What the API server says in a Status object, as far as it is of use. */
export interface ApiFailure {
  /** HTTP status code. */
  readonly status: number;
  /** Machine-readable, such as `AlreadyExists`; empty if the server gave none. */
  readonly reason: string;
  readonly message: string;
  /** Reasons of the parts, such as `ResourceVersionTooLarge`. */
  readonly causes: readonly string[];
  /** How long the server asks to wait before the next try, in milliseconds. */
  readonly retryAfterMs?: number;
}

/** The API server answered, and said no. */
export class ApiError extends SimSiamError {
  override readonly code = 'KUBE_API';
  override readonly exitCode = exitCode.internal;
  readonly status: number;
  readonly reason: string;
  readonly causes: readonly string[];
  readonly retryAfterMs: number | undefined;

  /** @param request such as `GET /api/v1/pods` */
  constructor(request: string, { status, reason, message, causes, retryAfterMs }: ApiFailure) {
    super(`${request}: the API server answers ${status} ${reason}: ${message}`);
    this.status = status;
    this.reason = reason;
    this.causes = causes;
    this.retryAfterMs = retryAfterMs;
  }

  /** Whether the same request may succeed later: too many requests, or a trouble of the server's. */
  get isTransient(): boolean {
    return this.status === 429 || (this.status >= 500 && this.status !== 501);
  }

  /** Whether a version or a token to go on from is no longer known, so that only a new list helps. */
  get isExpired(): boolean {
    return this.status === 410 || this.causes.includes('ResourceVersionTooLarge');
  }
}

/** The API server can't be reached, or the connection broke: whether the request was carried out isn't known. */
export class KubeConnectionError extends SimSiamError {
  override readonly code = 'KUBE_CONNECTION';
  override readonly exitCode = exitCode.peersLost;

  constructor(request: string, message: string, options?: ErrorOptions) {
    super(`${request}: the API server can't be reached: ${message}`, options);
  }
}

/** The API server took too long: whether the request was carried out isn't known. */
export class KubeTimeoutError extends SimSiamError {
  override readonly code = 'KUBE_TIMEOUT';
  override readonly exitCode = exitCode.peersLost;

  /** @param what that didn't come, such as `no answer` */
  constructor(request: string, what: string, ms: number) {
    super(`${request}: ${what} of the API server for ${ms / 1000} s`);
  }
}

/** The kubeconfig, or what it names, can't be used. */
export class KubeConfigError extends SimSiamError {
  override readonly code = 'KUBE_CONFIG';
  override readonly exitCode = exitCode.badInput;
}

/** A write was held back: another process leads, or may lead by now. */
export class NotLeaderError extends SimSiamError {
  override readonly code = 'KUBE_NOT_LEADER';
  override readonly exitCode = exitCode.peersLost;
}
