import type { KubeWriter } from '../../../operator/kube/client.ts';
import type { Selection } from '../../../operator/kube/kube-list-watch.ts';
import type { ListWatch, WatchEvent, WatchRequest } from '../../../operator/kube/list-watch.ts';
import type { KubeObject } from '../../../operator/kube/objects.ts';

/** A request that changes something. */
export interface Write {
  readonly verb: string;
  readonly kind: string;
  readonly name: string;
  readonly subresource?: string | undefined;
  readonly body: object;
}

/** Remembers what is written; its lists have what it was made with, and its watches tell nothing. */
export class FakeServer implements KubeWriter {
  readonly writes: Write[] = [];
  readonly selections: Selection[] = [];
  readonly #objects: readonly KubeObject[];
  readonly #refuse: (write: Write) => Error | undefined;
  readonly #waiting: (() => void)[] = [];
  #version = 100;

  constructor(objects: readonly KubeObject[], refuse: (write: Write) => Error | undefined = () => undefined) {
    this.#objects = objects;
    this.#refuse = refuse;
  }

  /** Resolves when there are so many writes. */
  async until(count: number): Promise<void> {
    while (this.writes.length < count) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  listWatch<T extends KubeObject>(selection: Selection): ListWatch<T> {
    this.selections.push(selection);
    const items = this.#objects.filter(({ kind }) => kind === selection.kind) as T[];
    return {
      list: () => Promise.resolve({ items, resourceVersion: '50' }),
      watch: ({ signal }: WatchRequest) => silence<WatchEvent<T>>(signal),
    };
  }

  create<T extends KubeObject>(object: T): Promise<T> {
    return this.#write({ verb: 'create', kind: object.kind, name: object.metadata.name, body: object }, object);
  }

  apply<T extends KubeObject>(object: T): Promise<T> {
    return this.#write({ verb: 'apply', kind: object.kind, name: object.metadata.name, body: object }, object);
  }

  applyStatus<T extends KubeObject>(object: T): Promise<T> {
    const write = { verb: 'apply', kind: object.kind, name: object.metadata.name, subresource: 'status', body: object };
    return this.#write(write, object);
  }

  patch<T extends KubeObject>(
    ref: { readonly apiVersion: string; readonly kind: string; readonly namespace: string; readonly name: string },
    patch: object,
    options?: { readonly subresource?: 'status' },
  ): Promise<T> {
    const { apiVersion, kind, namespace, name } = ref;
    const write = { verb: 'patch', kind, name, subresource: options?.subresource, body: patch };
    return this.#write(write, { apiVersion, kind, metadata: { namespace, name } } as T);
  }

  async delete({ kind, name }: { readonly kind: string; readonly name: string }, options: object): Promise<void> {
    await this.#write({ verb: 'delete', kind, name, body: options }, undefined);
  }

  #write<T>(write: Write, answer: T): Promise<T> {
    this.writes.push(write);
    for (const resolve of this.#waiting.splice(0)) resolve();
    const refusal = this.#refuse(write);
    if (refusal !== undefined) return Promise.reject(refusal);
    const object = answer as KubeObject | undefined;
    if (object === undefined) return Promise.resolve(answer);
    const metadata = { ...object.metadata, resourceVersion: String(++this.#version) };
    return Promise.resolve({ ...object, metadata } as T);
  }
}

/** Yields nothing until the signal aborts. */
function silence<T>(signal: AbortSignal): AsyncIterable<T> {
  const end = new Promise<IteratorResult<T>>((resolve) => {
    signal.addEventListener('abort', () => resolve({ done: true, value: undefined }));
  });
  return { [Symbol.asyncIterator]: () => ({ next: () => end }) };
}
