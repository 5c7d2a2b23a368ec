import { createHash } from 'node:crypto';
import { stringify } from 'yaml';
import { type StoredText, workerPorts } from '../../api/worker.ts';
import { ApiError } from '../../operator/kube/errors.ts';
import type { RunObject } from '../../operator/kube/objects.ts';
import type { ObjectReader, ObjectStore, StoredObject } from '../../storage/object-store.ts';
import { openStore } from '../../storage/open-store.ts';
import type { Cluster } from './cluster.ts';
import { RunStateError } from './errors.ts';
import { mayPass } from './follow.ts';
import { firstWorker } from './workers.ts';

/** What is never written anew. */
const immutable = /\/(?:history|checkpoints)\//;
const timeoutMs = 30_000;

/**
 * The store of a run on a cluster, to be read: while worker 0 runs, through the API server and that worker, which hands
 * out figures; else the run's storage itself, with the caller's own credentials. The manifest is the API server's.
 */
export class RunStore implements ObjectReader {
  readonly uri: string;
  readonly #cluster: Cluster;
  readonly #name: string;
  readonly #kept = new Map<string, StoredObject>();
  /** Of worker 0, as it was last found. */
  #pod: string | undefined;
  #storage: Promise<ObjectStore> | undefined;

  private constructor(cluster: Cluster, { metadata, spec }: RunObject) {
    this.#cluster = cluster;
    this.#name = metadata.name;
    this.uri = spec.storage.uri;
  }

  /** @throws RunNotFoundError */
  static async open(cluster: Cluster, name: string): Promise<RunStore> {
    return new RunStore(cluster, await cluster.run(name));
  }

  /** @throws RunNotFoundError, ApiError and the storage errors; RunStateError where nothing can tell */
  async get(key: string): Promise<StoredObject | undefined> {
    const kept = this.#kept.get(key);
    if (kept !== undefined) return kept;
    const object = key === 'run.yaml' ? objectOf(manifestOf(await this.#run())) : await this.#find(key);
    if (object !== undefined && immutable.test(key)) this.#kept.set(key, object);
    return object;
  }

  #run(): Promise<RunObject> {
    return this.#cluster.run(this.#name);
  }

  async #find(key: string): Promise<StoredObject | undefined> {
    if (this.#pod !== undefined) {
      try {
        return await this.#ask(this.#pod, key);
      } catch (thrown) {
        // It may have ended, or another one have taken its place.
        if (!(thrown instanceof ApiError || mayPass(thrown))) throw thrown;
        this.#pod = undefined;
      }
    }
    const run = await this.#run();
    this.#pod = firstWorker(await this.#cluster.pods(this.#name, run.metadata.uid))?.pod;
    if (this.#pod !== undefined) return this.#ask(this.#pod, key);
    this.#storage ??= openStorage(run);
    return (await this.#storage).get(key);
  }

  async #ask(pod: string, key: string): Promise<StoredObject | undefined> {
    try {
      const path = `/stored/${key}`;
      const { text } = await this.#cluster.fromPod<StoredText>(pod, workerPorts.http, path, timeoutMs);
      return text === undefined ? undefined : objectOf(text);
    } catch (thrown) {
      // The worker's own words, not the API server's: it hands out no such file.
      if (thrown instanceof ApiError && thrown.status === 404 && thrown.reason === '') return undefined;
      throw thrown;
    }
  }
}

async function openStorage({ metadata, spec }: RunObject): Promise<ObjectStore> {
  const { uri } = spec.storage;
  if (/^s3:/i.test(uri)) return openStore(spec.storage);
  throw new RunStateError(
    `worker 0 of ${metadata.name} doesn't run, and ${uri} is a path inside its pods: name the folder where you have it`,
  );
}

function manifestOf({ apiVersion, kind, metadata: { name, namespace }, spec }: RunObject): string {
  return stringify({ apiVersion, kind, metadata: { name, namespace }, spec });
}

function objectOf(text: string): StoredObject {
  const bytes = Buffer.from(text);
  return { bytes, version: createHash('sha256').update(bytes).digest('hex') };
}
