import type { DeleteOptions, KubeWriter, ObjectRef } from './client.ts';
import type { Clock, Random } from './clock.ts';
import { ApiError, NotLeaderError } from './errors.ts';
import type { Http, HttpRequest } from './http.ts';
import type { KubeObject } from './objects.ts';
import { pathOf } from './resources.ts';
import { retrying } from './retry.ts';

export interface KubeClientOptions {
  readonly http: Http;
  readonly clock: Clock;
  readonly random: Random;
  /** Asked before each write, tries again included. Default: yes. */
  readonly isLeader?: () => boolean;
}

const fieldManager = 'simsiam-operator';

/**
 * Reads and changes single objects of a real API server.
 *
 * Every write throws NotLeaderError once this process doesn't lead: a turn that was held up for long (a busy event loop, a
 * slow server) must not write after another process took over.
 */
export class KubeClient implements KubeWriter {
  readonly #options: KubeClientOptions;

  constructor(options: KubeClientOptions) {
    this.#options = options;
  }

  /** Undefined if there is none. */
  async get<T extends KubeObject>(ref: ObjectRef): Promise<T | undefined> {
    try {
      return await this.#send<T>({ method: 'GET', path: pathOf(ref, ref.namespace, ref.name) });
    } catch (thrown) {
      if (hasStatus(thrown, 404)) return undefined;
      throw thrown;
    }
  }

  /**
   * After a connection that broke, whether the object was made isn't known. Then this throws rather than try again: the
   * next reconcile sees the object, or meets `AlreadyExists`.
   */
  create<T extends KubeObject>(object: T): Promise<T> {
    const path = pathOf(object, object.metadata.namespace);
    return this.#send<T>({ method: 'POST', path, query: { fieldManager }, body: object }, false);
  }

  apply<T extends KubeObject>(object: T): Promise<T> {
    return this.#apply(object, '');
  }

  applyStatus<T extends KubeObject>(object: T): Promise<T> {
    return this.#apply(object, '/status');
  }

  patch<T extends KubeObject>(
    ref: ObjectRef,
    patch: object,
    { subresource }: { readonly subresource?: 'status' } = {},
  ): Promise<T> {
    return this.#send<T>({
      method: 'PATCH',
      path: pathOf(ref, ref.namespace, ref.name) + (subresource === undefined ? '' : `/${subresource}`),
      query: { fieldManager },
      contentType: 'application/merge-patch+json',
      body: patch,
    });
  }

  async delete(ref: ObjectRef, options: DeleteOptions): Promise<void> {
    const { uid, resourceVersion, propagationPolicy, gracePeriodSeconds } = options;
    const body = {
      apiVersion: 'v1',
      kind: 'DeleteOptions',
      preconditions: { uid, ...(resourceVersion === undefined ? {} : { resourceVersion }) },
      propagationPolicy,
      ...(gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }),
    };
    try {
      await this.#send({ method: 'DELETE', path: pathOf(ref, ref.namespace, ref.name), body });
    } catch (thrown) {
      if (!hasStatus(thrown, 404)) throw thrown;
    }
  }

  #apply<T extends KubeObject>(object: T, subresource: '' | '/status'): Promise<T> {
    const { namespace, name } = object.metadata;
    return this.#send<T>({
      method: 'PATCH',
      path: pathOf(object, namespace, name) + subresource,
      query: { fieldManager, force: true },
      contentType: 'application/apply-patch+yaml',
      body: object,
    });
  }

  #send<T>(request: HttpRequest, isIdempotent = true): Promise<T> {
    const { http, clock, random, isLeader = () => true } = this.#options;
    const task = async (): Promise<T> => {
      if (request.method !== 'GET' && !isLeader()) {
        throw new NotLeaderError(`${request.method} ${request.path}: not sent, for this process doesn't lead any more`);
      }
      return http.json<T>(request);
    };
    return retrying(task, { clock, random, isIdempotent });
  }
}

function hasStatus(thrown: unknown, status: number): boolean {
  return thrown instanceof ApiError && thrown.status === status;
}
