import type { KubeObject } from './objects.ts';

/** Which object a request is about. */
export interface ObjectRef {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

/** All that the operator changes goes through here; the simulation of test/simulation/ implements it too. */
export interface KubeWriter {
  /** @throws ApiError with reason `AlreadyExists` if there is one of its name */
  create<T extends KubeObject>(object: T): Promise<T>;
  /**
   * Server-side apply with the field manager `simsiam-operator`, forced: fields that are left out are given up. One with a
   * UID makes no object, one with a resourceVersion changes it only as it was seen.
   *
   * @throws ApiError 409 if it is gone or has changed
   */
  apply<T extends KubeObject>(object: T): Promise<T>;
  /**
   * The same on the status subresource. `object` has `status` and of its metadata name, namespace, uid and resourceVersion.
   *
   * @throws ApiError 404 if it is gone, 409 if it has changed or one of another UID has taken its name
   */
  applyStatus<T extends KubeObject>(object: T): Promise<T>;
  /** JSON merge patch (RFC 7386), of the status subresource on request. */
  patch<T extends KubeObject>(ref: ObjectRef, patch: object, options?: { readonly subresource?: 'status' }): Promise<T>;
  /**
   * Succeeds too if it is gone already.
   *
   * @throws ApiError 409 if it has changed since, or if one of another UID has taken its name
   */
  delete(ref: ObjectRef, options: DeleteOptions): Promise<void>;
}

export interface DeleteOptions {
  /** Only this very object. */
  readonly uid: string;
  /** Only as it was seen. */
  readonly resourceVersion?: string;
  readonly propagationPolicy: 'Background' | 'Foreground' | 'Orphan';
  readonly gracePeriodSeconds?: number;
}
