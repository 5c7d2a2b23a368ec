import type { KubeObject, ObjectMeta } from './objects.ts';

/** `namespace/name`; `/name` for what has no namespace. */
export type ObjectKey = string;

export function keyOf(metadata: Pick<ObjectMeta, 'namespace' | 'name'>): ObjectKey {
  return `${metadata.namespace ?? ''}/${metadata.name}`;
}

/** The last known state of the objects of one kind. They are shared: nobody changes them. */
export interface ReadonlyStore<T extends KubeObject, Index extends string = never> {
  readonly size: number;
  get(namespace: string, name: string): T | undefined;
  /** All objects, in no particular order. */
  values(): IterableIterator<T>;
  /** The objects that the index has under a value, in no particular order. */
  by(index: Index, value: string): readonly T[];
}

/** An index: the values that an object is found by. */
export type Indexer<T> = (object: T) => readonly string[];

/**
 * Objects of one kind by namespace and name, with indexes.
 *
 * Invariant: `by(index, value)` is exactly the objects that are in the store and whose indexer gives that value.
 */
export class Store<T extends KubeObject, Index extends string = never> implements ReadonlyStore<T, Index> {
  readonly #objects = new Map<ObjectKey, T>();
  readonly #indexers: readonly (readonly [Index, Indexer<T>])[];
  readonly #indexes: ReadonlyMap<Index, Map<string, Map<ObjectKey, T>>>;

  constructor(indexers: Readonly<Record<Index, Indexer<T>>>) {
    this.#indexers = Object.entries(indexers) as [Index, Indexer<T>][];
    this.#indexes = new Map(this.#indexers.map(([index]) => [index, new Map()]));
  }

  get size(): number {
    return this.#objects.size;
  }

  get(namespace: string, name: string): T | undefined {
    return this.#objects.get(keyOf({ namespace, name }));
  }

  values(): IterableIterator<T> {
    return this.#objects.values();
  }

  by(index: Index, value: string): readonly T[] {
    return [...(this.#indexes.get(index)?.get(value)?.values() ?? [])];
  }

  /** Puts an object in the place of the one of its namespace and name, and returns that. */
  put(object: T): T | undefined {
    const previous = this.remove(object.metadata);
    const key = keyOf(object.metadata);
    this.#objects.set(key, object);
    for (const [index, valuesOf] of this.#indexers) {
      const entries = this.#indexes.get(index)!;
      for (const value of valuesOf(object)) {
        const found = entries.get(value);
        if (found === undefined) entries.set(value, new Map([[key, object]]));
        else found.set(key, object);
      }
    }
    return previous;
  }

  /** Takes out the object of a namespace and name, and returns it. */
  remove(metadata: Pick<ObjectMeta, 'namespace' | 'name'>): T | undefined {
    const key = keyOf(metadata);
    const object = this.#objects.get(key);
    if (object === undefined) return undefined;
    this.#objects.delete(key);
    for (const [index, valuesOf] of this.#indexers) {
      const entries = this.#indexes.get(index)!;
      for (const value of valuesOf(object)) {
        const found = entries.get(value);
        found?.delete(key);
        if (found?.size === 0) entries.delete(value);
      }
    }
    return object;
  }
}
