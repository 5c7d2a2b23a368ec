import { apiVersion, kind } from '../../api/run.ts';
import { systemClock } from '../../operator/kube/clock.ts';
import { ApiError } from '../../operator/kube/errors.ts';
import { Http, type HttpRequest } from '../../operator/kube/http.ts';
import { loadConnection } from '../../operator/kube/kube-config.ts';
import type { KubeObject, Pod, RunObject } from '../../operator/kube/objects.ts';
import { pathOf } from '../../operator/kube/resources.ts';
import { retrying } from '../../operator/kube/retry.ts';
import { NoCrdError, RunExistsError, RunNotFoundError } from './errors.ts';

/** Which cluster and which namespace, as kubectl has the flags. */
export interface ClusterFlags {
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly namespace?: string;
}

/** The label of a run's pods with its name. */
export const runLabel = 'simsiam.dev/run';
/** The label with the UID of the run: one of the same name that is made later is another one. */
export const runUidLabel = 'simsiam.dev/run-uid';

const fieldManager = 'simsiam-cli';
const runKind = { apiVersion, kind };
const podKind = { apiVersion: 'v1', kind: 'Pod' };

/** What the command line does on a cluster. Reads are tried again while that may help. */
export class Cluster {
  readonly http: Http;
  readonly namespace: string;
  /** URL of the API server. */
  readonly server: string;

  constructor(http: Http, namespace: string, server: string) {
    this.http = http;
    this.namespace = namespace;
    this.server = server;
  }

  /** @throws KubeConfigError */
  static connect({ kubeconfig, context, namespace }: ClusterFlags): Cluster {
    const connection = loadConnection({
      ...(kubeconfig !== undefined && { file: kubeconfig }),
      ...(context !== undefined && { context }),
    });
    return new Cluster(new Http(connection, systemClock), namespace ?? connection.namespace, connection.server);
  }

  /** @throws RunNotFoundError */
  async run(name: string): Promise<RunObject> {
    try {
      return await this.#read<RunObject>({ method: 'GET', path: this.#runPath(name) });
    } catch (thrown) {
      throw this.#explain(thrown, name);
    }
  }

  /** The runs of the namespace, or of all, by name. */
  async runs(everywhere: boolean): Promise<readonly RunObject[]> {
    const path = pathOf(runKind, everywhere ? undefined : this.namespace);
    try {
      return (await this.#read<{ items: RunObject[] }>({ method: 'GET', path })).items;
    } catch (thrown) {
      throw this.#explain(thrown);
    }
  }

  /** Pods of a run, of the one with this UID if one is given. */
  async pods(run: string, uid?: string): Promise<readonly Pod[]> {
    const labelSelector = `${runLabel}=${run}${uid === undefined ? '' : `,${runUidLabel}=${uid}`}`;
    const path = pathOf(podKind, this.namespace);
    return (await this.#read<{ items: Pod[] }>({ method: 'GET', path, query: { labelSelector } })).items;
  }

  /**
   * @param dryRun the server checks it and fills in its defaults, and keeps nothing
   * @throws RunExistsError
   */
  async create(run: KubeObject, dryRun: boolean): Promise<RunObject> {
    const query = { fieldManager, fieldValidation: 'Strict', dryRun: dryRun ? 'All' : undefined };
    try {
      return await this.http.json<RunObject>({ method: 'POST', path: this.#runPath(), query, body: run });
    } catch (thrown) {
      throw this.#explain(thrown, run.metadata.name);
    }
  }

  /** JSON merge patch. @throws RunNotFoundError */
  async patch(name: string, body: object): Promise<RunObject> {
    const contentType = 'application/merge-patch+json';
    try {
      return await this.#read<RunObject>({
        ...{ method: 'PATCH', path: this.#runPath(name), query: { fieldManager } },
        ...{ contentType, body },
      });
    } catch (thrown) {
      throw this.#explain(thrown, name);
    }
  }

  /** Deletes this very run; Jobs and pods go after it. */
  async delete(run: RunObject): Promise<void> {
    const body = {
      ...{ apiVersion: 'v1', kind: 'DeleteOptions', propagationPolicy: 'Background' },
      preconditions: { uid: run.metadata.uid },
    };
    await this.http.json({ method: 'DELETE', path: this.#runPath(run.metadata.name), body });
  }

  /** What a pod serves at its HTTP port, through the API server's proxy. */
  async fromPod<T>(pod: string, port: number, path: string, timeoutMs = 3000): Promise<T> {
    const target = `${pathOf(podKind, this.namespace)}/http:${pod}:${port}/proxy${path}`;
    return this.http.json<T>({ method: 'GET', path: target, timeoutMs });
  }

  podPath(pod: string): string {
    return pathOf(podKind, this.namespace, pod);
  }

  close(): void {
    this.http.close();
  }

  #runPath(name?: string): string {
    return pathOf(runKind, this.namespace, name);
  }

  #read<T>(request: HttpRequest): Promise<T> {
    return retrying(() => this.http.json<T>(request), { clock: systemClock, random: Math.random, isIdempotent: true });
  }

  #explain(thrown: unknown, name?: string): unknown {
    if (!(thrown instanceof ApiError)) return thrown;
    if (thrown.reason === 'AlreadyExists' && name !== undefined) return new RunExistsError(name, this.namespace);
    if (thrown.status !== 404) return thrown;
    // Of a kind that it doesn't know the server says nothing but that there is no such page.
    if (thrown.reason === '') return new NoCrdError();
    const isRun = name !== undefined && thrown.message.includes(`"${name}"`);
    return isRun ? new RunNotFoundError(name, this.namespace) : thrown;
  }
}
