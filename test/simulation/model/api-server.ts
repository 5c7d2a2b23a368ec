import type { KubeObject } from '../../../operator/kube/objects.ts';
import { admit, checkUpdate } from './admission.ts';
import { applyFields } from './apply.ts';
import { copyJson, deepFreeze, equalJson, mergePatch, type Json } from './json.ts';
import { refusal } from './refusal.ts';

export interface Ref {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

/** One change, as a watch tells it. */
export interface WatchEvent {
  readonly revision: number;
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  /** A deleted object as it was last, with the revision of its end. */
  readonly object: KubeObject;
}

export interface Deletion {
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly propagationPolicy: 'Background' | 'Foreground' | 'Orphan';
  readonly gracePeriodSeconds?: number;
}

export type Subresource = 'status' | undefined;

export function refOf({ kind, metadata }: KubeObject): Ref {
  return { kind, namespace: metadata.namespace ?? '', name: metadata.name };
}

const keyOf = ({ kind, namespace, name }: Ref) => `${kind}/${namespace}/${name}`;

/**
 * The API server and etcd: objects are frozen and shared by all snapshots, every change has a revision and is logged for
 * good, so that a client can be given any older state.
 */
export class ApiServer {
  readonly log: WatchEvent[] = [];
  readonly #objects = new Map<string, KubeObject>();
  /** What each manager applied last, by manager, subresource and UID. */
  readonly #applied = new Map<string, Json>();
  readonly #now: () => number;
  #revision = 0;
  #uids = 0;

  /** @param now virtual time in ms since 1970 */
  constructor(now: () => number) {
    this.#now = now;
  }

  get revision(): number {
    return this.#revision;
  }

  /** Wall time as the API writes it: whole seconds. */
  timestamp(ms = this.#now()): string {
    return `${new Date(ms).toISOString().slice(0, 19)}Z`;
  }

  find<T extends KubeObject>(ref: Ref): T | undefined {
    return this.#objects.get(keyOf(ref)) as T | undefined;
  }

  get<T extends KubeObject>(ref: Ref): T {
    const object = this.find<T>(ref);
    if (object === undefined) throw refusal('NotFound', `${ref.kind} "${ref.name}" not found`);
    return object;
  }

  list<T extends KubeObject>(kind: T['kind']): T[] {
    return [...this.#objects.values()].filter((object) => object.kind === kind) as T[];
  }

  all(): KubeObject[] {
    return [...this.#objects.values()];
  }

  create<T extends KubeObject>(body: T): T {
    const ref = refOf(body);
    if (this.find(ref) !== undefined) throw refusal('AlreadyExists', `${ref.kind} "${ref.name}" already exists`);
    const uid = `uid-${++this.#uids}`;
    const metadata = { ...copyJson(body.metadata), uid, creationTimestamp: this.timestamp() };
    return this.#store('ADDED', admit({ ...copyJson(body), metadata }) as T);
  }

  /** A read, a change and a write of a controller in one: it can't conflict. */
  update<T extends KubeObject>(ref: Ref, change: (object: T) => T, subresource?: Subresource): T {
    const live = this.get<T>(ref);
    return this.#replace(live, change(live), subresource);
  }

  apply<T extends KubeObject>(body: T, manager: string, subresource?: Subresource): T {
    const ref = refOf(body);
    const live = this.find<T>(ref);
    const { uid } = body.metadata;
    if (live === undefined) {
      if (subresource !== undefined) throw refusal('NotFound', `${ref.kind} "${ref.name}" not found`);
      if (uid !== undefined) throw refusal('Conflict', `uid mismatch: no existing ${ref.kind} "${ref.name}" was found`);
      const created = this.create(body);
      this.#applied.set(appliedKey(manager, created, subresource), copyJson(body) as unknown as Json);
      return created;
    }
    if (uid !== undefined && uid !== live.metadata.uid) {
      throw refusal('Conflict', `Precondition failed: UID in precondition: ${uid}, in object: ${live.metadata.uid}`);
    }
    checkVersion(live, body.metadata.resourceVersion);
    const key = appliedKey(manager, live, subresource);
    const wanted = copyJson(body) as unknown as Json;
    const merged = applyFields(live as unknown as Json, this.#applied.get(key), wanted);
    const next = this.#replace(live, merged as unknown as T, subresource);
    this.#applied.set(key, wanted);
    return next;
  }

  patch<T extends KubeObject>(ref: Ref, patch: object, subresource?: Subresource): T {
    const live = this.get<T>(ref);
    checkVersion(live, (patch as { metadata?: { resourceVersion?: string } }).metadata?.resourceVersion);
    return this.#replace(live, mergePatch(live, copyJson(patch)) as unknown as T, subresource);
  }

  delete(ref: Ref, { uid, resourceVersion, propagationPolicy, gracePeriodSeconds }: Deletion): void {
    const live = this.get(ref);
    if (uid !== undefined && uid !== live.metadata.uid) {
      throw refusal('Conflict', `Precondition failed: UID in precondition: ${uid}, in object: ${live.metadata.uid}`);
    }
    checkVersion(live, resourceVersion);
    const blocker = { Background: undefined, Foreground: 'foregroundDeletion', Orphan: 'orphan' }[propagationPolicy];
    const finalizers = [...(live.metadata.finalizers ?? [])];
    if (blocker !== undefined && !finalizers.includes(blocker)) finalizers.push(blocker);
    const grace = live.kind === 'Pod' ? podGrace(live, gracePeriodSeconds) : 0;
    if (finalizers.length === 0 && grace === 0) return this.#remove(live);
    const { deletionTimestamp: until, generation } = live.metadata;
    const earlier = grace < (live.metadata.deletionGracePeriodSeconds ?? Infinity);
    const deletion = {
      deletionTimestamp: until !== undefined && !earlier ? until : this.timestamp(this.#now() + grace * 1000),
      ...(until === undefined && generation !== undefined && { generation: generation + 1 }),
      deletionGracePeriodSeconds: Math.min(grace, live.metadata.deletionGracePeriodSeconds ?? Infinity),
    };
    const changed = {
      ...live,
      metadata: { ...live.metadata, ...deletion, ...(finalizers.length > 0 && { finalizers }) },
    };
    if (!equalJson(changed, live)) this.#store('MODIFIED', changed);
  }

  #replace<T extends KubeObject>(live: T, wanted: T, subresource: Subresource): T {
    const next = checkUpdate(live, wanted, subresource) as T;
    if (equalJson(next, live)) return live;
    const { finalizers = [], deletionTimestamp, deletionGracePeriodSeconds } = next.metadata;
    if (deletionTimestamp !== undefined && finalizers.length === 0 && deletionGracePeriodSeconds === 0) {
      this.#remove(next);
      return next;
    }
    return this.#store('MODIFIED', next);
  }

  #store<T extends KubeObject>(type: 'ADDED' | 'MODIFIED', object: T): T {
    const revision = ++this.#revision;
    const stored = deepFreeze({ ...object, metadata: { ...object.metadata, resourceVersion: String(revision) } });
    this.#objects.set(keyOf(refOf(stored)), stored);
    this.log.push({ revision, type, object: stored });
    return stored;
  }

  #remove(object: KubeObject): void {
    const revision = ++this.#revision;
    this.#objects.delete(keyOf(refOf(object)));
    const last = { ...object, metadata: { ...object.metadata, resourceVersion: String(revision) } };
    this.log.push({ revision, type: 'DELETED', object: deepFreeze(last) });
  }
}

function checkVersion({ kind, metadata }: KubeObject, expected: string | undefined): void {
  if (expected === undefined || expected === metadata.resourceVersion) return;
  throw refusal('Conflict', `the ${kind} "${metadata.name}" has been modified`);
}

function appliedKey(manager: string, { metadata }: KubeObject, subresource: Subresource): string {
  return `${manager}/${subresource ?? ''}/${metadata.uid}`;
}

/** Seconds that a pod gets: none if no kubelet runs it or it has ended. */
function podGrace(pod: KubeObject, requested: number | undefined): number {
  const { spec, status } = pod as {
    spec?: { nodeName?: string; terminationGracePeriodSeconds?: number };
    status?: { phase?: string };
  };
  if (spec?.nodeName === undefined || status?.phase === 'Succeeded' || status?.phase === 'Failed') return 0;
  return requested ?? spec.terminationGracePeriodSeconds ?? 30;
}
