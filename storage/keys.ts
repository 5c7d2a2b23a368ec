import { InvalidKeyError } from './errors.ts';

/** Longest key: one that is a single file name once its `/` are replaced, and far below the limits of S3, GCS, Azure. */
const maxKeyLength = 240;

/** No leading dot: `.` and `..` can't occur, and dot files under a file store stay out of the key space. */
const segment = /^[A-Za-z0-9_-][A-Za-z0-9._-]*$/;

export function isKeySegment(name: string): boolean {
  return segment.test(name);
}

/**
 * Refuses a key that some kind of store couldn't hold, or that would lead out of a file store's root.
 *
 * @throws InvalidKeyError
 */
export function assertKey(key: string): void {
  if (key.length > maxKeyLength || !key.split('/').every(isKeySegment)) {
    throw new InvalidKeyError(
      `${JSON.stringify(key.slice(0, 300))} is not an object key: use at most ${maxKeyLength} characters, ` +
        'segments of A-Z a-z 0-9 . _ - that start without a dot, and single slashes between them',
    );
  }
}
