import { performance } from 'node:perf_hooks';
import { setTimeout } from 'node:timers/promises';
import type { S3Client } from '@aws-sdk/client-s3';
import { retrying, type RetryTiming } from './retry.ts';
import { s3Client } from './s3-client.ts';
import { isTransient, s3Error } from './s3-failures.ts';
import type { S3Location } from './s3-location.ts';

/**
 * How long requests are repeated from the first one that failed. It is the store that is away, so one patience is for all
 * requests together: a writer that gave up tidies up after itself, and would else wait anew for each object. Milliseconds.
 */
export interface S3Patience {
  /** Until the store has answered once: a mistake in the address is likelier than an outage. */
  readonly first: number;
  /** From then on: a restart of the server, or a network that comes back. Below the default of the hang watch. */
  readonly later: number;
}

const defaultPatience: S3Patience = { first: 10_000, later: 120_000 };
const defaultTiming: RetryTiming = {
  now: () => performance.now(),
  random: Math.random,
  wait: (milliseconds) => setTimeout(milliseconds),
};

/** Requests to one location: repeated after transient failures, and failing with the errors that a user sees. */
export class S3Requests {
  readonly client: S3Client;
  readonly #location: S3Location;
  readonly #patience: S3Patience;
  readonly #timing: RetryTiming;
  #answered = false;
  /** Failures without an answer between them. */
  #outage: { readonly since: number; last: number } | undefined;

  constructor(location: S3Location, patience = defaultPatience, timing = defaultTiming) {
    this.client = s3Client(location);
    this.#location = location;
    this.#patience = patience;
    this.#timing = timing;
  }

  async send<T>(task: () => Promise<T>): Promise<T> {
    return await this.retrying(async () => {
      try {
        const result = await task();
        this.#answered = true;
        this.#outage = undefined;
        return result;
      } catch (thrown) {
        if (isTransient(thrown)) this.#noteFailure();
        else this.#outage = undefined;
        throw thrown;
      }
    }, isTransient);
  }

  async retrying<T>(task: () => Promise<T>, isWorthIt: (thrown: unknown) => boolean): Promise<T> {
    const until = (failedSince: number): number =>
      Math.min(failedSince, this.#outage?.since ?? failedSince) + this.#limit;
    return await retrying(task, { isTransient: isWorthIt, until, timing: this.#timing });
  }

  /** Where nobody asked for so long, nobody knows whether it is the same outage: it counts as another one. */
  #noteFailure(): void {
    const now = this.#timing.now();
    if (this.#outage && now - this.#outage.last <= this.#limit) this.#outage.last = now;
    else this.#outage = { since: now, last: now };
  }

  get #limit(): number {
    return this.#answered ? this.#patience.later : this.#patience.first;
  }

  /** @param action what `work` tries, in words that fit after "can't" */
  async named<T>(action: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (thrown) {
      throw s3Error(thrown, action, this.#location);
    }
  }
}

/** Reads a body into one buffer of its own, whose first byte is aligned for typed-array views. */
export async function collect(body: AsyncIterable<Uint8Array>, length: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafeSlow(length);
  let end = 0;
  for await (const chunk of body) {
    bytes.set(chunk, end);
    end += chunk.byteLength;
  }
  return bytes.subarray(0, end);
}
