import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { messageOf } from '../api/errors.ts';
import { UnsupportedStoreError } from './errors.ts';
import { FileStore } from './file-store.ts';
import type { ObjectStore } from './object-store.ts';
import { s3Location, type StorageAddress } from './s3-location.ts';

const laterSchemes: readonly string[] = ['gs', 'az'];
const kinds = 'use a path, file:///path or s3://bucket/prefix';

/**
 * Opens the store of `spec.storage`. Nothing is read or created yet.
 *
 * @param storage `uri`: a path (relative ones start at the working directory), `file:///path` or `s3://bucket/prefix`
 * @param env for S3: see `s3-location.ts`; credentials are always this process's own
 * @throws UnsupportedStoreError for any other kind of URI
 * @throws StorageAddressError for an address in S3 that can't be read
 */
export async function openStore(storage: StorageAddress, env = process.env): Promise<ObjectStore> {
  const { uri } = storage;
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):\/\//.exec(uri)?.[1]?.toLowerCase();
  if (scheme === undefined) return new FileStore(resolve(uri));
  if (scheme === 'file') return new FileStore(pathOf(uri));
  if (scheme === 's3') {
    const location = s3Location(storage, env);
    // Loading the client takes a second, which runs without it needn't spend.
    return new (await import('./s3-store.ts')).S3Store(location);
  }
  throw new UnsupportedStoreError(
    laterSchemes.includes(scheme)
      ? `spec.storage.uri: ${uri}: ${scheme}:// is not yet supported; ${kinds}`
      : `spec.storage.uri: ${uri}: ${scheme}:// is not a kind of store; ${kinds}`,
  );
}

function pathOf(uri: string): string {
  try {
    return fileURLToPath(uri);
  } catch (thrown) {
    throw new UnsupportedStoreError(
      `spec.storage.uri: ${uri}: ${messageOf(thrown)}; a file URI has three slashes: file:///path`,
      { cause: thrown },
    );
  }
}
