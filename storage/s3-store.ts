import { randomUUID } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { setTimeout } from 'node:timers/promises';
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { PreconditionFailedError } from './errors.ts';
import { assertKey, isKeySegment } from './keys.ts';
import type { ListedObject, ObjectStore, PutOptions, StoredObject } from './object-store.ts';
import { retrying, type RetryTiming } from './retry.ts';
import { s3Client } from './s3-client.ts';
import {
  isConflict,
  isMissingObject,
  isMissingUpload,
  isPreconditionFailed,
  isTransient,
  s3Error,
} from './s3-failures.ts';
import type { S3Location } from './s3-location.ts';
import { putInParts } from './s3-multipart.ts';
import { joined, pieceBytes } from './s3-pieces.ts';

/** How long a request is repeated after its first failure. Milliseconds. */
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

/** Names the write that made an object, so that one whose answer was lost can be told from another process's. */
const writeTag = 'simsiam-write';

/**
 * Objects in a bucket of Amazon S3 or of a store that is compatible with it and has conditional writes. An object's
 * version is its ETag. Requests are repeated after transient failures, conditional writes too: one that finds its
 * condition broken looks whether the object there is its own.
 */
export class S3Store implements ObjectStore {
  readonly uri: string;
  readonly #location: S3Location;
  readonly #client: S3Client;
  readonly #patience: S3Patience;
  readonly #timing: RetryTiming;
  #answered = false;

  constructor(location: S3Location, patience = defaultPatience, timing = defaultTiming) {
    this.uri = location.uri;
    this.#location = location;
    this.#client = s3Client(location);
    this.#patience = patience;
    this.#timing = timing;
  }

  async get(key: string): Promise<StoredObject | undefined> {
    assertKey(key);
    return await this.#named(`read ${key}`, async () => {
      try {
        return await this.#request(async () => {
          const { Body, ContentLength, ETag } = await this.#client.send(new GetObjectCommand(this.#place(key)));
          return { bytes: await collect(Body as AsyncIterable<Uint8Array>, ContentLength!), version: ETag! };
        });
      } catch (thrown) {
        if (isMissingObject(thrown)) return undefined;
        throw thrown;
      }
    });
  }

  async put(
    key: string,
    bytes: Uint8Array | readonly Uint8Array[],
    { ifMatch }: PutOptions = {},
  ): Promise<{ version: string }> {
    assertKey(key);
    const parts = bytes instanceof Uint8Array ? [bytes] : bytes;
    return await this.#named(`write ${key}`, async () => {
      const tag = randomUUID();
      try {
        return { version: await this.#retrying(() => this.#write(key, parts, ifMatch, tag), isConflict) };
      } catch (thrown) {
        const isBroken = isPreconditionFailed(thrown) || (ifMatch !== undefined && isMissingObject(thrown));
        if (!isBroken && !isMissingUpload(thrown)) throw thrown;
        const version = await this.#versionWith(key, tag);
        if (version !== undefined) return { version };
        if (!isBroken) throw thrown;
        throw new PreconditionFailedError(
          ifMatch === null
            ? `${key} exists in ${this.uri} already`
            : `${key} in ${this.uri} isn't version ${ifMatch} any more`,
        );
      }
    });
  }

  async list(prefix: string): Promise<ListedObject[]> {
    // A prefix that is no start of a key leads nowhere; S3 servers that keep files are not asked about `../`.
    const segments = prefix.split('/');
    const last = segments.pop()!;
    if (!segments.every(isKeySegment) || (last !== '' && !isKeySegment(last))) return [];
    return await this.#named(`list ${prefix === '' ? 'its objects' : prefix}`, async () => {
      const { bucket, prefix: root } = this.#location;
      const found: ListedObject[] = [];
      let ContinuationToken: string | undefined;
      do {
        const query = { Bucket: bucket, Prefix: root + prefix, ...(ContinuationToken ? { ContinuationToken } : {}) };
        const page = await this.#request(() => this.#client.send(new ListObjectsV2Command(query)));
        for (const { Key = '', Size = 0 } of page.Contents ?? []) {
          const key = Key.slice(root.length);
          if (key.split('/').every(isKeySegment)) found.push({ key, size: Size });
        }
        ContinuationToken = page.NextContinuationToken;
      } while (ContinuationToken !== undefined);
      return found.sort((a, b) => (a.key < b.key ? -1 : 1));
    });
  }

  async delete(key: string): Promise<void> {
    assertKey(key);
    await this.#named(`delete ${key}`, async () => {
      try {
        await this.#request(() => this.#client.send(new DeleteObjectCommand(this.#place(key))));
      } catch (thrown) {
        if (!isMissingObject(thrown)) throw thrown;
      }
    });
  }

  /** One write, as one request or in parts. Gives back the ETag. */
  async #write(
    key: string,
    parts: readonly Uint8Array[],
    ifMatch: string | null | undefined,
    tag: string,
  ): Promise<string> {
    const condition =
      ifMatch === undefined ? {} : ifMatch === null ? { IfNoneMatch: '*' as const } : { IfMatch: ifMatch };
    const object = { ...this.#place(key), Metadata: { [writeTag]: tag } };
    const size = parts.reduce((sum, part) => sum + part.byteLength, 0);
    if (size > pieceBytes) {
      return await putInParts(this.#client, { ...object, size, parts, condition }, (task) => this.#request(task));
    }
    const whole = { ...object, ...condition, Body: joined(parts) };
    return (await this.#request(() => this.#client.send(new PutObjectCommand(whole)))).ETag!;
  }

  /** The object's version if this write made it. */
  async #versionWith(key: string, tag: string): Promise<string | undefined> {
    try {
      const { ETag, Metadata } = await this.#request(() => this.#client.send(new HeadObjectCommand(this.#place(key))));
      return Metadata?.[writeTag] === tag ? ETag : undefined;
    } catch (thrown) {
      if (isMissingObject(thrown)) return undefined;
      throw thrown;
    }
  }

  #place(key: string): { Bucket: string; Key: string } {
    return { Bucket: this.#location.bucket, Key: this.#location.prefix + key };
  }

  async #request<T>(task: () => Promise<T>): Promise<T> {
    return await this.#retrying(async () => {
      const result = await task();
      this.#answered = true;
      return result;
    }, isTransient);
  }

  async #retrying<T>(task: () => Promise<T>, isWorthIt: (thrown: unknown) => boolean): Promise<T> {
    const patience = (): number => (this.#answered ? this.#patience.later : this.#patience.first);
    return await retrying(task, { isTransient: isWorthIt, patience, timing: this.#timing });
  }

  async #named<T>(action: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (thrown) {
      throw s3Error(thrown, action, this.#location);
    }
  }
}

/** Reads a body into one buffer of its own, whose first byte is aligned for typed-array views. */
async function collect(body: AsyncIterable<Uint8Array>, length: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafeSlow(length);
  let end = 0;
  for await (const chunk of body) {
    bytes.set(chunk, end);
    end += chunk.byteLength;
  }
  return bytes.subarray(0, end);
}
