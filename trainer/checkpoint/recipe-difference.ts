import type { Recipe } from '../../api/recipe.ts';
import { canonicalJson } from '../../api/recipe.ts';

/** A field in which two recipes differ. `undefined` where one doesn't have it. */
export interface RecipeDifference {
  /** As people write it: `spec.pretrain.epochs`. */
  readonly field: string;
  readonly stored: unknown;
  readonly wanted: unknown;
}

/** The differing fields of two recipes, each as deep as both have it, in the order of the wanted one. */
export function recipeDifferences(stored: Recipe, wanted: Recipe): RecipeDifference[] {
  return differences(stored, wanted, '');
}

/** Whether a finished run of the one becomes one of the other by training longer. */
export function isExtension(differing: readonly RecipeDifference[]): boolean {
  return differing.every(
    ({ field, stored, wanted }) =>
      ['spec.pretrain.epochs', 'spec.linear.epochs'].includes(field) && Number(wanted) > Number(stored),
  );
}

/** `spec.pretrain.epochs is 100 there and 200 here`. */
export function describeDifference({ field, stored, wanted }: RecipeDifference): string {
  return `${field} is ${shown(stored)} there and ${shown(wanted)} here`;
}

function differences(stored: unknown, wanted: unknown, path: string): RecipeDifference[] {
  if (isMapping(stored) && isMapping(wanted)) {
    const names = new Set([...Object.keys(wanted), ...Object.keys(stored)]);
    return [...names].flatMap((name) =>
      differences(stored[name], wanted[name], path === '' ? name : `${path}.${name}`),
    );
  }
  if (canonicalJson(stored) === canonicalJson(wanted)) return [];
  return [{ field: `spec.${path}`, stored, wanted }];
}

function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function shown(value: unknown): string {
  const text = value === undefined ? 'not set' : JSON.stringify(value);
  return text.length <= 80 ? text : `${text.slice(0, 77)}…`;
}
