import type { BadImages } from './bad-images.ts';
import type { BatchRenderer } from './batch-renderer.ts';
import type { ViewRecipe } from './render-task.ts';

/** Replacements that are tried for one slot before the data set is given up. */
const mostAttempts = 20;

/**
 * Renders `indices` to slots 0, 1, …; puts another image in the slot of each bad one until all slots are filled.
 * Returns the images that are in the slots.
 *
 * @param replacement the image for a slot whose image `index` is bad, at try 0, 1, …
 */
export async function renderReplacingBad(
  renderer: BatchRenderer,
  recipe: ViewRecipe,
  indices: Int32Array,
  target: { readonly out: Uint8Array; readonly batch: number },
  badImages: BadImages,
  replacement: (slot: number, index: number, attempt: number) => number,
): Promise<Int32Array> {
  const rendered = indices.slice();
  let bad = await renderer.render(recipe, indices, Int32Array.from(indices.keys()), target);
  // What is tried in their place is counted where its own turn comes, which may be on another rank.
  badImages.add(bad);
  for (let attempt = 0; bad.length > 0; attempt++) {
    if (attempt === mostAttempts) {
      throw badImages.irreplaceable(indices[bad[0]?.slot ?? 0] ?? 0, mostAttempts);
    }
    const slots = Int32Array.from(bad, ({ slot }) => slot);
    for (const slot of slots) rendered[slot] = replacement(slot, indices[slot] ?? 0, attempt);
    const others = Int32Array.from(slots, (slot) => rendered[slot] ?? 0);
    bad = await renderer.render(recipe, others, slots, target);
  }
  return rendered;
}
