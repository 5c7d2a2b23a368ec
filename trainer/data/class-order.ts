/**
 * Below this part of the changes that a mixed order has, a set counts as sorted. Chance doesn't get there: the smallest sets
 * that can be told have two classes of about ten images, which it sorts seven times in a million, and in larger ones it
 * strays less from what is expected.
 */
const sortedPart = 0.1;

/**
 * Whether images lie by class: whether the class changes much more rarely from an image to the next than in a mixed
 * order, where it does so n·(1−Σp²) times, p being the classes' parts of the n images. Where a shard ends doesn't matter,
 * since lanes don't see it. Sorted sets of ten images a class or fewer aren't told, since images that were packed in small
 * groups of a class, which are mixed well enough, look the same.
 *
 * @param labels in the order in which the images lie
 */
export function liesByClass(labels: ArrayLike<number>): boolean {
  const sizes = new Map<number, number>();
  let changes = 0;
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i]!;
    sizes.set(label, (sizes.get(label) ?? 0) + 1);
    if (i > 0 && label !== labels[i - 1]) changes += 1;
  }
  let expected = labels.length;
  for (const size of sizes.values()) expected -= size ** 2 / labels.length;
  return changes < sortedPart * expected;
}
