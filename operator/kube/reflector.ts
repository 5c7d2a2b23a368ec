import { backoffDelay } from './backoff.ts';
import type { ObjectChange } from './changes.ts';
import { putObject, removeObject, replaceAll } from './changes.ts';
import type { Clock, Random } from './clock.ts';
import { pause } from './clock.ts';
import { ApiError, KubeTimeoutError } from './errors.ts';
import type { Cache } from './expectations.ts';
import type { ListPage, ListWatch } from './list-watch.ts';
import type { KubeObject } from './objects.ts';
import { compareVersions } from './resource-version.ts';
import type { ReadonlyStore, Store } from './store.ts';

/** Why a watch ended or a list failed: in good order, the version expired, silence, anything else. */
export type Interruption = 'ended' | 'expired' | 'silent' | 'failed';

export interface ReflectorOptions<T extends KubeObject, Index extends string> {
  readonly source: ListWatch<T>;
  /** Written by the reflector alone. */
  readonly store: Store<T, Index>;
  readonly clock: Clock;
  readonly random: Random;
  /** Called for every change, after the store has it. What it throws is reported, and the next change is told. */
  readonly onChange: (change: ObjectChange<T>) => void;
  readonly onHandlerError: (thrown: unknown) => void;
  /** `thrown` is undefined if the watch ended in good order. */
  readonly onInterruption: (reason: Interruption, thrown: unknown) => void;
  /** How long a watch lasts at least, at most twice as long. Default: 5 minutes. */
  readonly watchSeconds?: number;
  /** Leaves out what nobody needs before an object is kept. `managedFields` never are. */
  readonly trim?: (object: T) => T;
}

const pageSize = 500;
const backoff = { baseMs: 250, maxMs: 15_000 };
/** A watch that lasted so long ends a series of failures. Milliseconds. */
const stableMs = 30_000;
/** Servers send a bookmark a minute: a watch without a byte for longer is cut off. Milliseconds. */
const silenceMs = 90_000;

/**
 * Follows the objects of one kind: a list, then a watch from the list's version, for ever.
 *
 * Invariants:
 * - after `synced`, the store is a state that the server had, and catches up with the newest one whatever connections do;
 * - `onChange` tells every difference between consecutive states of the store, in order, deletions that no watch told
 *   included; an object that is replaced by one of its name is deleted, then added;
 * - the store never goes back to an older state, unless the server itself did (a restored backup);
 * - `resourceVersion` is never ahead of the store;
 * - the server sees at most one request at a time and, while requests fail, ever fewer of them.
 */
export class Reflector<T extends KubeObject, Index extends string = never> implements Cache {
  /** Becomes true with the first list, false if the reflector is stopped before. */
  readonly synced: Promise<boolean>;
  readonly #options: ReflectorOptions<T, Index>;
  readonly #settle: (synced: boolean) => void;
  #resourceVersion: string | undefined;
  #mustList = true;

  constructor(options: ReflectorOptions<T, Index>) {
    this.#options = options;
    let settle: (synced: boolean) => void;
    this.synced = new Promise((resolve) => (settle = resolve));
    this.#settle = settle!;
  }

  get store(): ReadonlyStore<T, Index> {
    return this.#options.store;
  }

  get resourceVersion(): string | undefined {
    return this.#resourceVersion;
  }

  get hasSynced(): boolean {
    return this.#resourceVersion !== undefined;
  }

  /** Follows until the signal aborts. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, random, onInterruption } = this.#options;
    let failures = 0;
    while (!signal.aborted) {
      let watchingSince: number | undefined;
      let reason: Interruption = 'ended';
      let thrown: unknown;
      try {
        if (this.#mustList) await this.#list(signal);
        watchingSince = clock.now();
        await this.#watch(signal);
      } catch (error) {
        thrown = error;
        reason = reasonOf(error);
      }
      if (signal.aborted) break;
      if (reason === 'expired') this.#mustList = true;
      onInterruption(reason, thrown);
      const wasStable = watchingSince !== undefined && clock.now() - watchingSince >= stableMs;
      failures = wasStable ? 0 : failures + 1;
      if (wasStable && reason === 'ended') continue;
      const asked = thrown instanceof ApiError ? Math.min(thrown.retryAfterMs ?? 0, backoff.maxMs) : 0;
      await pause(clock, Math.max(asked, backoffDelay(Math.max(1, failures), backoff, random)), signal);
    }
    this.#settle(false);
  }

  async #list(signal: AbortSignal): Promise<void> {
    const { source, store } = this.#options;
    const objects: T[] = [];
    const add = ({ items, ...page }: ListPage<T>): Omit<ListPage<T>, 'items'> => {
      for (const item of items) objects.push(this.#trim(item));
      return page;
    };
    let page = add(await source.list({ limit: pageSize, signal }));
    try {
      while (page.continue !== undefined) {
        page = add(await source.list({ limit: pageSize, continue: page.continue, signal }));
      }
    } catch (thrown) {
      if (reasonOf(thrown) !== 'expired') throw thrown;
      // Pages that come too slowly would expire the next time as well.
      objects.length = 0;
      page = add(await source.list({ signal }));
    }
    if (signal.aborted) return;
    const changes = replaceAll(store, objects);
    this.#resourceVersion = page.resourceVersion;
    this.#mustList = false;
    this.#tell(changes);
    this.#settle(true);
  }

  async #watch(signal: AbortSignal): Promise<void> {
    const { source, store, random, watchSeconds = 300 } = this.#options;
    const timeoutSeconds = Math.round(watchSeconds * (1 + random()));
    const events = source.watch({ resourceVersion: this.#resourceVersion!, timeoutSeconds, silenceMs, signal });
    for await (const { type, object } of events) {
      if (signal.aborted) return;
      let changes: ObjectChange<T>[] = [];
      if (type === 'DELETED') changes = removeObject(store, this.#trim(object));
      else if (type !== 'BOOKMARK') changes = putObject(store, this.#trim(object));
      const version = object.metadata.resourceVersion;
      if (version !== undefined && compareVersions(version, this.#resourceVersion!) > 0)
        this.#resourceVersion = version;
      this.#tell(changes);
    }
  }

  #trim(object: T): T {
    const { trim = (same) => same } = this.#options;
    const { managedFields: _, ...metadata } = object.metadata;
    return trim({ ...object, metadata });
  }

  #tell(changes: readonly ObjectChange<T>[]): void {
    for (const change of changes) {
      try {
        this.#options.onChange(change);
      } catch (thrown) {
        this.#options.onHandlerError(thrown);
      }
    }
  }
}

function reasonOf(thrown: unknown): Interruption {
  if (thrown instanceof ApiError && thrown.isExpired) return 'expired';
  return thrown instanceof KubeTimeoutError ? 'silent' : 'failed';
}
