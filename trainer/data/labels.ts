import { createHash } from 'node:crypto';

import { LabelError } from './errors.ts';

/**
 * For each class of a set its index in the training set's classes.
 *
 * @throws LabelError naming the classes that the training set lacks
 */
export function mapClasses(uri: string, own: readonly string[], training: readonly string[]): number[] {
  const indexOf = new Map(training.map((name, index) => [name, index]));
  const unknown = own.filter((name) => !indexOf.has(name));
  if (unknown.length > 0) {
    const more = unknown.length > 5 ? ` and ${unknown.length - 5} more` : '';
    throw new LabelError(
      `${uri} has ${unknown.length === 1 ? 'a class' : 'classes'} that the training set lacks: ` +
        `${unknown.slice(0, 5).join(', ')}${more}; both must be labelled alike`,
    );
  }
  return own.map((name) => indexOf.get(name) ?? -1);
}

/** SHA-256 over the names and labels of a set in order. */
export function hashIndex(size: number, name: (index: number) => string, label: (index: number) => number): string {
  const hash = createHash('sha256');
  for (let i = 0; i < size; i++) hash.update(`${name(i)}\0${label(i)}\n`);
  return hash.digest('hex');
}
