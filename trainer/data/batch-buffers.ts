import { prefetchBuffers } from './prefetch.ts';

/** Shared memory for the batches of a loader, uint8 [views, batch, size, size, 3] each, kept over the epochs. */
export class BatchBuffers {
  readonly #views: number;
  readonly #bytesOfView: number;
  #buffers: Uint8Array[] | undefined;
  #taken = false;

  constructor(views: number, batch: number, size: number) {
    this.#views = views;
    this.#bytesOfView = batch * size * size * 3;
  }

  /** Lends the buffers to one epoch at a time. */
  async *during<T>(
    body: (buffers: readonly Uint8Array[]) => AsyncGenerator<T, void>,
  ): AsyncGenerator<T, void, undefined> {
    if (this.#taken) throw new Error('a loader gives one epoch at a time: end the first one');
    this.#taken = true;
    try {
      this.#buffers ??= Array.from(
        { length: prefetchBuffers },
        () => new Uint8Array(new SharedArrayBuffer(this.#views * this.#bytesOfView)),
      );
      yield* body(this.#buffers);
    } finally {
      this.#taken = false;
    }
  }

  /** A view's part of a buffer. */
  view(buffer: Uint8Array, position: number): Uint8Array {
    return buffer.subarray(position * this.#bytesOfView, (position + 1) * this.#bytesOfView);
  }
}
