import { randomUUID } from 'node:crypto';
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { PreconditionFailedError } from './errors.ts';
import { assertKey, isKeySegment } from './keys.ts';
import type { ListedObject, ObjectStore, PutOptions, StoredObject } from './object-store.ts';
import type { RetryTiming } from './retry.ts';
import { isConflict, isMissingObject, isMissingUpload, isPreconditionFailed } from './s3-failures.ts';
import type { S3Location } from './s3-location.ts';
import { putInParts } from './s3-multipart.ts';
import { joined, pieceBytes } from './s3-pieces.ts';
import { collect, type S3Patience, S3Requests } from './s3-requests.ts';

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
  readonly #requests: S3Requests;

  constructor(location: S3Location, patience?: S3Patience, timing?: RetryTiming) {
    this.uri = location.uri;
    this.#location = location;
    this.#requests = new S3Requests(location, patience, timing);
  }

  async get(key: string): Promise<StoredObject | undefined> {
    assertKey(key);
    return await this.#requests.named(`read ${key}`, async () => {
      try {
        return await this.#requests.send(async () => {
          const { Body, ContentLength, ETag } = await this.#requests.client.send(
            new GetObjectCommand(this.#place(key)),
          );
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
    return await this.#requests.named(`write ${key}`, async () => {
      const tag = randomUUID();
      try {
        return { version: await this.#requests.retrying(() => this.#write(key, parts, ifMatch, tag), isConflict) };
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
    return await this.#requests.named(`list ${prefix === '' ? 'its objects' : prefix}`, async () => {
      const { bucket, prefix: root } = this.#location;
      const found: ListedObject[] = [];
      let ContinuationToken: string | undefined;
      do {
        const query = { Bucket: bucket, Prefix: root + prefix, ...(ContinuationToken ? { ContinuationToken } : {}) };
        const page = await this.#requests.send(() => this.#requests.client.send(new ListObjectsV2Command(query)));
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
    await this.#requests.named(`delete ${key}`, async () => {
      try {
        await this.#requests.send(() => this.#requests.client.send(new DeleteObjectCommand(this.#place(key))));
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
      return await putInParts(this.#requests.client, { ...object, size, parts, condition }, (task) =>
        this.#requests.send(task),
      );
    }
    const whole = { ...object, ...condition, Body: joined(parts) };
    return (await this.#requests.send(() => this.#requests.client.send(new PutObjectCommand(whole)))).ETag!;
  }

  /** The object's version if this write made it. */
  async #versionWith(key: string, tag: string): Promise<string | undefined> {
    try {
      const { ETag, Metadata } = await this.#requests.send(() =>
        this.#requests.client.send(new HeadObjectCommand(this.#place(key))),
      );
      return Metadata?.[writeTag] === tag ? ETag : undefined;
    } catch (thrown) {
      if (isMissingObject(thrown)) return undefined;
      throw thrown;
    }
  }

  #place(key: string): { Bucket: string; Key: string } {
    return { Bucket: this.#location.bucket, Key: this.#location.prefix + key };
  }
}
