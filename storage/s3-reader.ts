import type { Readable } from 'node:stream';
import { GetObjectCommand, HeadObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import { PreconditionFailedError } from './errors.ts';
import type { RetryTiming } from './retry.ts';
import { isMissingObject, isPreconditionFailed } from './s3-failures.ts';
import type { S3Location } from './s3-location.ts';
import { collect, type S3Patience, S3Requests } from './s3-requests.ts';

/** An object that somebody else keeps. */
export interface S3Object {
  /** Below the location's prefix. */
  readonly key: string;
  /** Bytes. */
  readonly size: number;
  /** Its ETag. */
  readonly version: string;
}

/** Some bytes of an object. */
export interface S3Range {
  readonly offset: number;
  /** At least 1. */
  readonly length: number;
}

/**
 * Reads what others put under a location, whole or in part. Keys are taken as they are. Requests are repeated after
 * transient failures for as long as {@link S3Patience} says; failures are the errors of `errors.ts`.
 */
export class S3Reader {
  readonly #location: S3Location;
  readonly #requests: S3Requests;

  constructor(location: S3Location, patience?: S3Patience, timing?: RetryTiming) {
    this.#location = location;
    this.#requests = new S3Requests(location, patience, timing);
  }

  get uri(): string {
    return this.#location.uri;
  }

  /** All objects, page by page in the store's order. */
  async *list(): AsyncGenerator<S3Object[], void, undefined> {
    const { bucket: Bucket, prefix: Prefix } = this.#location;
    let ContinuationToken: string | undefined;
    do {
      const query = { Bucket, Prefix, ...(ContinuationToken ? { ContinuationToken } : {}) };
      const page = await this.#requests.named('list its objects', () =>
        this.#requests.send(() => this.#requests.client.send(new ListObjectsV2Command(query))),
      );
      yield (page.Contents ?? []).map(({ Key = '', Size = 0, ETag = '' }) => ({
        ...{ key: Key.slice(Prefix.length), size: Size, version: ETag },
      }));
      ContinuationToken = page.NextContinuationToken;
    } while (ContinuationToken !== undefined);
  }

  /** What there is of an object without its bytes; undefined if there is none. */
  async head(key: string): Promise<S3Object | undefined> {
    return await this.#orMissing('look at', key, async () => {
      const { ContentLength = 0, ETag = '' } = await this.#requests.client.send(
        new HeadObjectCommand(this.#place(key)),
      );
      return { key, size: ContentLength, version: ETag };
    });
  }

  /**
   * An object's bytes; undefined if there is none.
   *
   * @param version refuses the bytes of any other
   * @throws PreconditionFailedError when the object has another version
   */
  async read(key: string, range?: S3Range, version?: string): Promise<Buffer | undefined> {
    const part = range && { Range: `bytes=${range.offset}-${range.offset + range.length - 1}` };
    return await this.#orMissing('read', key, async () => {
      const query = { ...this.#place(key), ...part, ...(version ? { IfMatch: version } : {}) };
      const { Body, ContentLength, ETag } = await this.#requests.client.send(new GetObjectCommand(query));
      // Not every store heeds the condition when it is read.
      if (version !== undefined && (ETag ?? '') !== version) {
        (Body as Readable).destroy();
        throw this.#changed(key);
      }
      return await collect(Body as AsyncIterable<Uint8Array>, ContentLength!);
    });
  }

  #place(key: string): { Bucket: string; Key: string } {
    return { Bucket: this.#location.bucket, Key: this.#location.prefix + key };
  }

  async #orMissing<T>(action: string, key: string, task: () => Promise<T>): Promise<T | undefined> {
    return await this.#requests.named(`${action} ${key}`, async () => {
      try {
        return await this.#requests.send(task);
      } catch (thrown) {
        if (isMissingObject(thrown)) return undefined;
        throw isPreconditionFailed(thrown) ? this.#changed(key) : thrown;
      }
    });
  }

  #changed(key: string): PreconditionFailedError {
    return new PreconditionFailedError(`${key} in ${this.uri} has changed since it was looked at first`);
  }
}
