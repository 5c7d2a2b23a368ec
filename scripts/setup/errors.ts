import { isAbsolute, relative } from 'node:path';

import { systemCode } from '../../storage/errors.ts';

/** Set-up can't go on. The message is one line: what is missing or wrong, and how to mend it. */
export class SetupError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'SetupError';
  }
}

/** What the file system refuses and a user can mend. */
const mends: Readonly<Record<string, string>> = {
  EACCES: 'give this user access to',
  EPERM: 'give this user access to',
  EROFS: 'make it possible to write to',
  ENOSPC: 'free some space in',
  EDQUOT: 'free some space in',
  ENOTDIR: 'remove the file in the place of',
  EEXIST: 'remove the file in the place of',
};

/** Makes the one line of what the file system refused; another thrown thing stays as it is. */
export function setupErrorOf(thrown: unknown, { root, cache }: { root: string; cache: string }): unknown {
  const mend = mends[systemCode(thrown)];
  if (mend === undefined) return thrown;
  const { message, path } = thrown as NodeJS.ErrnoException;
  // A failed write names no path. It is large files that find no room, and those are the cache's.
  const inCheckout = path !== undefined && isWithin(root, path) && !isWithin(cache, path);
  const place = inCheckout ? `the checkout ${root}` : `the cache folder ${cache}, or name another one in SIMSIAM_CACHE`;
  return new SetupError(`${message}: ${mend} ${place}`, { cause: thrown });
}

function isWithin(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return !way.startsWith('..') && !isAbsolute(way);
}
