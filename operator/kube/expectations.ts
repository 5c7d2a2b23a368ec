import type { Clock } from './clock.ts';
import type { KubeObject, ObjectMeta } from './objects.ts';
import { compareVersions } from './resource-version.ts';
import type { ReadonlyStore } from './store.ts';

/** A cache as expectations see it: a reflector. */
export interface Cache {
  /** The version up to which the cache has seen all changes; undefined before the first list. */
  readonly resourceVersion: string | undefined;
  readonly store: Pick<ReadonlyStore<KubeObject>, 'get'>;
}

export interface ExpectationsOptions {
  readonly clock: Clock;
  /** Caches by kind. Writes of other kinds are not waited for. */
  readonly caches: Readonly<Record<string, Cache>>;
  /** After so long a write is waited for no more, in milliseconds. Default: 2 minutes, longer than a silent watch lasts. */
  readonly timeoutMs?: number;
  /** Called for each write that was not seen in time. */
  readonly onTimeout?: (key: string, kind: string) => void;
}

interface Expectation {
  readonly kind: string;
  readonly deadline: number;
  readonly isSeen: (cache: Cache) => boolean;
}

/**
 * Remembers own writes until the caches show them, so that nothing is decided from a state older than them: no second
 * create, no patch of what is already patched (the idea of KEP-5647).
 *
 * Invariant: while `waitMs(key)` is undefined and no write of the key timed out, every cache has seen every write that
 * was told for the key.
 */
export class Expectations {
  readonly #options: Required<ExpectationsOptions>;
  readonly #expected = new Map<string, Expectation[]>();

  constructor({ clock, caches, timeoutMs = 120_000, onTimeout = () => {} }: ExpectationsOptions) {
    this.#options = { clock, caches, timeoutMs, onTimeout };
  }

  /** An object that was created, applied or patched for the key, as the API server answered. */
  wrote(key: string, { kind, metadata }: KubeObject): void {
    const version = metadata.resourceVersion;
    if (version === undefined) throw new TypeError(`the answer to a write of a ${kind} has no resourceVersion`);
    this.#expect(key, kind, (cache) => {
      return cache.resourceVersion !== undefined && compareVersions(cache.resourceVersion, version) >= 0;
    });
  }

  /** An object whose deletion was requested for the key: seen when it is gone or marked for deletion. */
  deleted(key: string, kind: string, { namespace, name, uid }: ObjectMeta): void {
    this.#expect(key, kind, ({ store }) => {
      const cached = store.get(namespace ?? '', name)?.metadata;
      return cached === undefined || cached.uid !== uid || cached.deletionTimestamp !== undefined;
    });
  }

  /** Undefined if the caches have seen all writes of the key; else after how many milliseconds to ask again at the latest. */
  waitMs(key: string): number | undefined {
    const { clock, caches, onTimeout } = this.#options;
    const now = clock.now();
    const open = (this.#expected.get(key) ?? []).filter(({ kind, deadline, isSeen }) => {
      if (isSeen(caches[kind]!)) return false;
      if (now < deadline) return true;
      onTimeout(key, kind);
      return false;
    });
    if (open.length === 0) {
      this.#expected.delete(key);
      return undefined;
    }
    this.#expected.set(key, open);
    return Math.min(...open.map(({ deadline }) => deadline)) - now;
  }

  /** The key's object is gone. */
  forget(key: string): void {
    this.#expected.delete(key);
  }

  #expect(key: string, kind: string, isSeen: Expectation['isSeen']): void {
    if (!Object.hasOwn(this.#options.caches, kind)) return;
    const expectation = { kind, deadline: this.#options.clock.now() + this.#options.timeoutMs, isSeen };
    this.#expected.set(key, [...(this.#expected.get(key) ?? []), expectation]);
  }
}
