import { isDeepStrictEqual } from 'node:util';

/** The JSON merge patch (RFC 7386) that makes `after` of `before`; undefined if they are the same. */
export function mergePatchOf(before: object, after: object): object | undefined {
  const patch: Record<string, unknown> = {};
  const old = before as Record<string, unknown>;
  for (const [name, value] of Object.entries(after) as [string, unknown][]) {
    if (isDeepStrictEqual(old[name], value)) continue;
    patch[name] = isObject(old[name]) && isObject(value) ? mergePatchOf(old[name], value) : value;
  }
  for (const name of Object.keys(old)) if (!Object.hasOwn(after, name)) patch[name] = null;
  return Object.keys(patch).length === 0 ? undefined : patch;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
