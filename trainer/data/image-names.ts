/** Extensions of images that are read, lower case, without the dot. */
export const imageExtensions: ReadonlySet<string> = new Set(['jpg', 'jpeg', 'png', 'webp']);

/** By bytes rather than by language, so that the order is the same on every machine. */
export function byCodeUnits(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

export function isImageName(name: string): boolean {
  return imageExtensions.has(name.slice(name.lastIndexOf('.') + 1).toLowerCase());
}
