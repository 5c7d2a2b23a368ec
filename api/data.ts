import { z } from 'zod';
import { field, numberIn, ownField } from './field.ts';

/** Where the images are. */
export const dataSchema = z.strictObject({
  train: field(z.string().min(1).max(4096), {
    description:
      'Training images: a folder (with a folder for each class, or unlabelled) or tar shards such as ' +
      '`train-{000..007}.tar` that hold `key.jpg` and `key.cls`.',
    unit: 'path or URI',
    source: 'original: positional DATA, its train/ folder',
  }),
  val: field(z.string().min(1).max(4096).exactOptional(), {
    description: 'Labelled validation images, in the same forms. Needed by linear evaluation and the kNN monitor.',
    unit: 'path or URI',
    source: 'original: positional DATA, its val/ folder',
  }),
  maxBadImageFraction: field(numberIn(0, 1).default(0.01), {
    description: 'Largest part of the images that may be unreadable and get replaced before the run fails.',
    unit: 'fraction of the images',
    source: ownField,
  }),
});

export type DataSpec = z.output<typeof dataSchema>;
