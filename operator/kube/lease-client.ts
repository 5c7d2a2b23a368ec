import { ApiError } from './errors.ts';
import type { Http } from './http.ts';
import type { LeaseSpec } from './lease-spec.ts';
import type { Lease } from './objects.ts';
import { pathOf } from './resources.ts';

/** One lease of the API server. A version that isn't the newest any more is refused, which decides who of several leads. */
export interface LeaseClient {
  /** Undefined if there is none. */
  read(): Promise<Lease | undefined>;
  /** @throws ApiError 409 if there is one */
  create(spec: LeaseSpec): Promise<Lease>;
  /** @throws ApiError 409 if `lease` isn't the newest version, 404 if it is gone */
  replace(lease: Lease): Promise<Lease>;
}

const apiVersion = 'coordination.k8s.io/v1';
const kind = 'Lease';

/** Nothing is tried twice here: the election tries anyway, and knows until when that makes sense. */
export class KubeLeaseClient implements LeaseClient {
  readonly #http: Http;
  readonly #namespace: string;
  readonly #name: string;

  constructor(http: Http, namespace: string, name: string) {
    this.#http = http;
    this.#namespace = namespace;
    this.#name = name;
  }

  async read(): Promise<Lease | undefined> {
    try {
      return await this.#send('GET');
    } catch (thrown) {
      if (thrown instanceof ApiError && thrown.status === 404) return undefined;
      throw thrown;
    }
  }

  create(spec: LeaseSpec): Promise<Lease> {
    return this.#send('POST', { apiVersion, kind, metadata: { namespace: this.#namespace, name: this.#name }, spec });
  }

  replace(lease: Lease): Promise<Lease> {
    return this.#send('PUT', lease);
  }

  #send(method: 'GET' | 'POST' | 'PUT', body?: object): Promise<Lease> {
    const path = pathOf({ apiVersion, kind }, this.#namespace, method === 'POST' ? undefined : this.#name);
    return this.#http.json({ method, path, timeoutMs: 5000, ...(body === undefined ? {} : { body }) });
  }
}
