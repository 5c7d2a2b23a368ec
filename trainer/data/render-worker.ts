// The worker thread of the loaders: reads, decodes and augments a part of a batch at a time.
import { CounterRandom, purpose } from '../random.ts';
import { drawView } from './augmentation.ts';
import type { SampleSource } from './dataset.ts';
import { BadImageError, ImageDecoder } from './decode-image.ts';
import type { DecodedImage } from './decode-image.ts';
import { cachedImage, keepImage } from './decoded-cache.ts';
import type { CacheMemory } from './decoded-cache.ts';
import { augmentAddon } from './native-augment.ts';
import type { BadImage, RenderResult, RenderTask } from './render-task.ts';
import { SampleReader } from './sample-reader.ts';
import { packView, viewParameterCount } from './view-parameters.ts';

const reader = new SampleReader();
const decoder = new ImageDecoder();
const parameters = new Float64Array(viewParameterCount);

/** Renders all views of all images of the task, as far as they can be. */
export default async function render(task: RenderTask): Promise<RenderResult> {
  const bad: BadImage[] = [];
  for (const [i, source] of task.sources.entries()) {
    const index = task.indices[i] ?? 0;
    const slot = task.slots[i] ?? 0;
    try {
      const image = cachedImage(task.cache, index) ?? (await decodeFrom(source, task.cache, index));
      renderViews(task, image, index, slot);
    } catch (error) {
      if (isReadFailure(error)) return { bad, readFailure: error.message };
      if (!(error instanceof BadImageError)) throw error;
      bad.push({ slot, index, reason: error.message });
    }
  }
  return { bad, readFailure: null };
}

function isReadFailure(error: unknown): error is Error {
  return error instanceof Error && 'syscall' in error;
}

async function decodeFrom(source: SampleSource, cache: CacheMemory, index: number): Promise<DecodedImage> {
  const image = await decoder.decode(reader.read(source));
  keepImage(cache, index, image);
  return image;
}

function renderViews({ recipe, out, batch }: RenderTask, image: DecodedImage, index: number, slot: number): void {
  const { augmentation, seed, epoch, size } = recipe;
  const { pixels, width, height } = image;
  for (const [position, view] of recipe.views.entries()) {
    const random = new CounterRandom(seed, purpose.augment, epoch, index, view);
    packView(drawView(augmentation, random, width, height, size), parameters, 0);
    const offset = (position * batch + slot) * size * size * 3;
    augmentAddon().render(pixels, width, height, parameters, 0, size, out, offset);
  }
}
