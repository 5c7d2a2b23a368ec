import { ApiError, KubeConnectionError, KubeTimeoutError } from '../../../operator/kube/errors.ts';
import type { ListPage, ListRequest, ListWatch, WatchEvent, WatchRequest } from '../../../operator/kube/list-watch.ts';
import type { ConfigMap } from '../../../operator/kube/objects.ts';
import type { FakeClock } from '../../support/fake-clock.ts';

interface Change {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly object: ConfigMap;
  readonly version: number;
}

type Trouble = 'cut' | 'end' | 'silence';

const pageSize = 2;

export const expired = new ApiError('GET', { status: 410, reason: 'Expired', message: 'too old', causes: [] });

/** What lists and watches of an API server are, with its whole past, and with faults when they are asked for. */
export class ModelServer implements ListWatch<ConfigMap> {
  readonly #clock: FakeClock;
  readonly #changes: Change[] = [];
  /** States by version. */
  readonly #states: ReadonlyMap<string, ConfigMap>[] = [new Map()];
  readonly #watches = new Set<{ wake: () => void; trouble?: Trouble | undefined; bookmark?: boolean }>();
  #compacted = 0;
  /** How many requests from now on fail. */
  failing = 0;
  requests = 0;
  /** How long requests take, in milliseconds. */
  latencyMs = 10;

  constructor(clock: FakeClock) {
    this.#clock = clock;
  }

  get version(): number {
    return this.#states.length - 1;
  }

  stateAt(version: number): ReadonlyMap<string, ConfigMap> {
    return this.#states[version]!;
  }

  /** Creates the object of a name, or changes it, or replaces it by another one without saying so in between. */
  put(name: string): void {
    const known = this.stateAt(this.version).get(name);
    const version = this.version + 1;
    const metadata = { name, namespace: 'n', uid: known?.metadata.uid ?? `${version}`, resourceVersion: `${version}` };
    const object: ConfigMap = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { ...metadata, managedFields: [{ manager: 'm' }] },
    };
    this.#commit({ type: known === undefined ? 'ADDED' : 'MODIFIED', object, version });
  }

  delete(name: string): void {
    const known = this.stateAt(this.version).get(name);
    if (known === undefined) return;
    const version = this.version + 1;
    const object = { ...known, metadata: { ...known.metadata, resourceVersion: `${version}` } };
    this.#commit({ type: 'DELETED', object, version });
  }

  /** Forgets the past: watches and pages of older versions expire. */
  compact(): void {
    this.#compacted = this.version;
  }

  bookmark(): void {
    for (const watch of this.#watches) {
      watch.bookmark = true;
      watch.wake();
    }
  }

  disturb(trouble: Trouble): void {
    for (const watch of this.#watches) {
      watch.trouble ??= trouble;
      watch.wake();
    }
  }

  async list({ limit, continue: token }: ListRequest): Promise<ListPage<ConfigMap>> {
    await this.#request();
    const [version, start] = token === undefined ? [this.version, 0] : (JSON.parse(token) as [number, number]);
    if (token !== undefined && version < this.#compacted) throw expired;
    const all = [...this.stateAt(version).values()];
    const end = limit === undefined ? all.length : start + Math.min(pageSize, limit);
    return {
      items: all.slice(start, end),
      resourceVersion: `${version}`,
      ...(end < all.length ? { continue: JSON.stringify([version, end]) } : {}),
    };
  }

  async *watch({ resourceVersion, silenceMs, signal }: WatchRequest): AsyncGenerator<WatchEvent<ConfigMap>> {
    await this.#request();
    let seen = Number(resourceVersion);
    if (seen < this.#compacted) throw expired;
    const watch = { wake: () => {}, trouble: undefined as Trouble | undefined, bookmark: false };
    this.#watches.add(watch);
    const stop = (): void => watch.wake();
    signal.addEventListener('abort', stop);
    try {
      for (;;) {
        if (signal.aborted || watch.trouble === 'end') return;
        if (watch.trouble === 'cut') throw new KubeConnectionError('WATCH', 'cut');
        if (watch.trouble === 'silence') {
          await this.#wait(silenceMs);
          throw new KubeTimeoutError('WATCH', 'not a byte', silenceMs);
        }
        const next = this.#changes[seen];
        if (next !== undefined) {
          seen = next.version;
          yield { type: next.type, object: next.object };
        } else if (watch.bookmark) {
          watch.bookmark = false;
          const metadata = { resourceVersion: `${seen}` } as ConfigMap['metadata'];
          yield { type: 'BOOKMARK', object: { apiVersion: 'v1', kind: 'ConfigMap', metadata } };
        } else {
          await new Promise<void>((resolve) => {
            watch.wake = resolve;
          });
        }
      }
    } finally {
      signal.removeEventListener('abort', stop);
      this.#watches.delete(watch);
    }
  }

  #commit(change: Change): void {
    const state = new Map(this.stateAt(this.version));
    if (change.type === 'DELETED') state.delete(change.object.metadata.name);
    else state.set(change.object.metadata.name, change.object);
    this.#changes.push(change);
    this.#states.push(state);
    for (const watch of this.#watches) watch.wake();
  }

  async #request(): Promise<void> {
    this.requests++;
    await this.#wait(this.latencyMs);
    if (this.failing === 0) return;
    this.failing--;
    throw new KubeConnectionError('GET', 'refused');
  }

  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#clock.after(ms, resolve);
    });
  }
}
