import { SimSiamError, messageOf } from '../api/errors.ts';
import { exitCode } from '../api/exit-codes.ts';

/** Something the object store could not do. Every subclass ends the process with 74 unless it says otherwise. */
export abstract class StorageError extends SimSiamError {
  override readonly exitCode: (typeof exitCode)[keyof typeof exitCode] = exitCode.storage;
}

/** No room left: a full disk, a spent quota or a file-size limit. What was committed before is untouched. */
export class StorageFullError extends StorageError {
  readonly code = 'STORAGE_FULL';
}

/** The store is mounted read-only. */
export class StorageReadOnlyError extends StorageError {
  readonly code = 'STORAGE_READ_ONLY';
}

/** This user may not read or write there. */
export class StorageAccessError extends StorageError {
  readonly code = 'STORAGE_ACCESS_DENIED';
}

/** Any other failure of the store: an I/O error, a lost mount, a server that can't be reached, a bucket elsewhere. */
export class StorageUnavailableError extends StorageError {
  readonly code = 'STORAGE_UNAVAILABLE';
}

/** The object changed, appeared or vanished since the version that a conditional `put` names. Nothing was written. */
export class PreconditionFailedError extends StorageError {
  readonly code = 'STORAGE_PRECONDITION_FAILED';
}

/** The key isn't one that every kind of store can hold: a defect of the caller. */
export class InvalidKeyError extends StorageError {
  readonly code = 'STORAGE_KEY_INVALID';
  override readonly exitCode = exitCode.internal;
}

/** There are no credentials for the store, or it refuses them: unknown, wrongly signed, expired. */
export class StorageCredentialsError extends StorageError {
  readonly code = 'STORAGE_CREDENTIALS';
}

/** The store has no such bucket. */
export class StorageBucketMissingError extends StorageError {
  readonly code = 'STORAGE_BUCKET_MISSING';
  override readonly exitCode = exitCode.badInput;
}

/** The URI of a bucket, the endpoint or the file of certificates can't be read. */
export class StorageAddressError extends StorageError {
  readonly code = 'STORAGE_ADDRESS';
  override readonly exitCode = exitCode.badInput;
}

/** `spec.storage.uri` names a kind of store that this version can't open. */
export class UnsupportedStoreError extends StorageError {
  readonly code = 'STORAGE_UNSUPPORTED';
  override readonly exitCode = exitCode.badInput;
}

/** The `code` of a system error (`ENOENT`), or an empty string for anything else. */
export function systemCode(thrown: unknown): string {
  return thrown instanceof Error && 'code' in thrown && typeof thrown.code === 'string' ? thrown.code : '';
}

/**
 * Turns what the file system threw into the error that a user sees.
 *
 * @param action what was tried, in words that fit after "can't": `write pretrain/latest.json`
 * @param uri the store's root
 */
export function storageError(thrown: unknown, action: string, uri: string): StorageError {
  if (thrown instanceof StorageError) return thrown;
  const cause = { cause: thrown };
  switch (systemCode(thrown)) {
    case 'ENOSPC':
    case 'EDQUOT':
    case 'EFBIG':
      return new StorageFullError(`no space left in ${uri}: can't ${action}; free some space and run again`, cause);
    case 'EROFS':
      return new StorageReadOnlyError(`${uri} is read-only: can't ${action}; remount it or choose another URI`, cause);
    case 'EACCES':
    case 'EPERM':
      return new StorageAccessError(`no permission in ${uri}: can't ${action}; give this user access to it`, cause);
    default:
      return new StorageUnavailableError(`can't ${action} in ${uri}: ${messageOf(thrown)}`, cause);
  }
}
