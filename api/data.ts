import { z } from 'zod';
import { field, numberIn, ownField } from './field.ts';
import { secretRefSchema } from './storage.ts';

/** Where the images are. */
export const dataSchema = z.strictObject({
  train: field(z.string().min(1).max(4096), {
    description:
      'Training images: a folder (with a folder for each class, or unlabelled) or tar shards such as ' +
      '`train-{000..007}.tar` that hold `key.jpg` and `key.cls`; a path, file:///path or s3://bucket/prefix.',
    unit: 'path or URI',
    source: 'original: positional DATA, its train/ folder',
  }),
  val: field(z.string().min(1).max(4096).exactOptional(), {
    description:
      'Labelled validation images, in the same forms. Needed by linear evaluation; the kNN monitor does without.',
    unit: 'path or URI',
    source: 'original: positional DATA, its val/ folder',
  }),
  endpoint: field(z.string().min(1).max(4096).exactOptional(), {
    description:
      'Address of a store of s3:// data that is compatible with S3; unset: AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL, else Amazon S3.',
    unit: 'URL',
    source: ownField,
  }),
  region: field(z.string().min(1).max(253).exactOptional(), {
    description: 'Region of that store; unset: as AWS tools find it, us-east-1 with an endpoint.',
    source: ownField,
  }),
  credentialsSecretRef: field(secretRefSchema.exactOptional(), {
    description:
      'Secret whose keys, such as AWS_ACCESS_KEY_ID, are credentials for s3:// data; on one machine: SIMSIAM_DATA_AWS_ACCESS_KEY_ID ' +
      'and SIMSIAM_DATA_AWS_SECRET_ACCESS_KEY in the environment. Unset: those of the storage.',
    source: ownField,
  }),
  cacheGiB: field(numberIn(0, 1_000_000).default(0), {
    description:
      'Room on the disk below SIMSIAM_CACHE in which each rank keeps images of s3:// data, for train and for val each; 0 keeps none.',
    unit: 'GiB',
    source: ownField,
  }),
  maxBadImageFraction: field(numberIn(0, 1).default(0.01), {
    description:
      'Largest part of the images that may be unreadable and get replaced before the run fails; each rank judges by the images that it reads, with some room for chance.',
    unit: 'fraction of the images',
    source: ownField,
  }),
});

export type DataSpec = z.output<typeof dataSchema>;
