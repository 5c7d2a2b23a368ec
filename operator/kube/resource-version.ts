/**
 * Compares versions of objects of one kind: negative if `a` is the older one. All API servers give decimal numbers
 * without leading zeros that grow with every write (KEP-5504 makes it a promise).
 */
export function compareVersions(a: string, b: string): number {
  if (a.length !== b.length) return a.length - b.length;
  return a < b ? -1 : a > b ? 1 : 0;
}
