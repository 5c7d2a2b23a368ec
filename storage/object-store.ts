/** A whole object: its bytes and the version that a conditional `put` may name. */
export interface StoredObject {
  readonly bytes: Buffer;
  /** Opaque; equal versions mean equal bytes. */
  readonly version: string;
}

export interface ListedObject {
  readonly key: string;
  /** Bytes. */
  readonly size: number;
}

export interface PutOptions {
  /** Write only if the object's version is still this one; `null`: only if there is no such object. */
  readonly ifMatch?: string | null;
  /** SHA-256 of the bytes in lower-case hex where the caller has it already, so that they aren't hashed twice. */
  readonly sha256?: string;
}

/** What reading a run takes of its store. */
export type ObjectReader = Pick<ObjectStore, 'uri' | 'get'>;

/**
 * Objects by key under one URI. All that the trainer keeps goes through here, so this is also the list of guarantees
 * that a kind of store must give:
 *
 * - an object is whole or absent: readers see the bytes of one `put`, never a mixture or a part, even if the writer was
 *   killed;
 * - when `put` returns, the object survives a crash of the machine;
 * - conditional puts are linearizable between processes: of those that name one version, exactly one wins;
 * - keys are `/`-separated segments (see `keys.ts`) and never lead out of the URI.
 *
 * Failures are the errors of `errors.ts`.
 */
export interface ObjectStore {
  readonly uri: string;

  /** The object, or `undefined` if there is none. */
  get(key: string): Promise<StoredObject | undefined>;

  /**
   * Writes the whole object; a list of parts is written one after the other, without joining them in memory. The caller
   * must leave the bytes alone until the promise settles.
   *
   * @throws PreconditionFailedError if `ifMatch` doesn't hold
   * @throws StorageFullError and the other storage errors; the former object is then still there
   */
  put(key: string, bytes: Uint8Array | readonly Uint8Array[], options?: PutOptions): Promise<{ version: string }>;

  /** Objects whose key starts with `prefix` (any string; `''` is all), in ascending order of their keys. */
  list(prefix: string): Promise<ListedObject[]>;

  /** Removes the object. One that isn't there is no error. */
  delete(key: string): Promise<void>;
}
