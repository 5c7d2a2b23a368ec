import { createHash } from 'node:crypto';
import type { SimSiamRun } from './run.ts';

/** The part of a run that decides its results. */
export interface Recipe {
  readonly data: { readonly train: string; readonly val?: string };
  readonly pretrain: SimSiamRun['spec']['pretrain'];
  readonly linear: SimSiamRun['spec']['linear'];
}

/**
 * What of a run decides its results: data and both stages. Where it is stored, how it recovers, which pods it gets and
 * how many threads load its images leave them alone, and may differ when a run is resumed; so may the number of ranks,
 * which only sums the same batches in another order (see trainer/rank/environment.ts).
 */
export function recipeOf({ spec }: SimSiamRun): Recipe {
  const { train, val } = spec.data;
  return {
    data: { train, ...(val !== undefined && { val }) },
    pretrain: spec.pretrain,
    linear: spec.linear,
  };
}

/** SHA-256 of the canonical JSON of the recipe, in hexadecimal. The order of keys in a manifest doesn't matter. */
export function recipeHash(run: SimSiamRun): string {
  return createHash('sha256')
    .update(canonicalJson(recipeOf(run)))
    .digest('hex');
}

/** JSON with sorted keys and no blanks (RFC 8785): equal values give equal bytes. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
