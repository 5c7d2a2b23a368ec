import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { messageOf } from '../api/errors.ts';
import { UnsupportedStoreError } from './errors.ts';
import { FileStore } from './file-store.ts';
import type { ObjectStore } from './object-store.ts';

const laterSchemes: readonly string[] = ['s3', 'gs', 'az'];

/**
 * Opens the store of `spec.storage`. Nothing is read or created yet.
 *
 * @param storage `uri`: a path (relative ones start at the working directory) or `file:///path`
 * @throws UnsupportedStoreError for any other kind of URI
 */
export function openStore(storage: { readonly uri: string }): ObjectStore {
  const { uri } = storage;
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):\/\//.exec(uri)?.[1]?.toLowerCase();
  if (scheme === undefined) return new FileStore(resolve(uri));
  if (scheme === 'file') return new FileStore(pathOf(uri));
  throw new UnsupportedStoreError(
    laterSchemes.includes(scheme)
      ? `spec.storage.uri: ${uri}: ${scheme}:// is not yet supported; use a path or file:///path`
      : `spec.storage.uri: ${uri}: ${scheme}:// is not a kind of store; use a path or file:///path`,
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
