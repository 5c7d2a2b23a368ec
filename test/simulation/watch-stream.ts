import type { WatchEvent } from '../../operator/kube/list-watch.ts';
import type { KubeObject } from '../../operator/kube/objects.ts';

type Result = IteratorResult<WatchEvent<KubeObject>>;

/** The client's end of a watch: events are pushed into it, a reader iterates over them. */
export class WatchStream implements AsyncIterableIterator<WatchEvent<KubeObject>> {
  readonly #waiting: WatchEvent<KubeObject>[] = [];
  #reader: { resolve: (result: Result) => void; reject: (error: unknown) => void } | undefined;
  #end: { readonly error?: Error } | undefined;

  push(event: WatchEvent<KubeObject>): void {
    if (this.#end !== undefined) return;
    if (this.#reader === undefined) this.#waiting.push(event);
    else this.#reader.resolve({ done: false, value: event });
    this.#reader = undefined;
  }

  /** Ends the watch, in good order or with an error. */
  end(error?: Error): void {
    if (this.#end !== undefined) return;
    this.#end = error === undefined ? {} : { error };
    const reader = this.#reader;
    this.#reader = undefined;
    if (error === undefined) reader?.resolve({ done: true, value: undefined });
    else reader?.reject(error);
  }

  next(): Promise<Result> {
    const event = this.#waiting.shift();
    if (event !== undefined) return Promise.resolve({ done: false, value: event });
    if (this.#end?.error !== undefined) return Promise.reject(this.#end.error);
    if (this.#end !== undefined) return Promise.resolve({ done: true, value: undefined });
    return new Promise((resolve, reject) => (this.#reader = { resolve, reject }));
  }

  return(): Promise<Result> {
    this.end();
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
