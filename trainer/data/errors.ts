import { SimSiamError } from '../../api/errors.ts';
import { exitCode } from '../../api/exit-codes.ts';

/** The data set can't be trained on as it is: exit code 65. */
export class DataError extends SimSiamError {
  readonly code: string = 'DATA_UNUSABLE';
  readonly exitCode = exitCode.badData;
}

/** Nothing lies at the URI, or a shard of the pattern is missing. */
export class DataMissingError extends DataError {
  override readonly code = 'DATA_MISSING';
}

/** The folder or the shards hold no image. */
export class DataEmptyError extends DataError {
  override readonly code = 'DATA_EMPTY';
}

/** A tar shard is truncated, damaged or holds what this program doesn't understand. */
export class ShardError extends DataError {
  override readonly code = 'DATA_SHARD';
}

/** Labels are missing, or name a class that the training set lacks. */
export class LabelError extends DataError {
  override readonly code = 'DATA_LABEL';
}

/** Fewer images than one global batch. */
export class TooFewImagesError extends DataError {
  override readonly code = 'DATA_TOO_FEW';
}

/** More images than `data.maxBadImageFraction` allows can't be decoded. */
export class TooManyBadImagesError extends DataError {
  override readonly code = 'DATA_TOO_MANY_BAD';
}

/** A data URI of a kind that isn't supported, or malformed: exit code 64. */
export class DataUriError extends SimSiamError {
  readonly code = 'DATA_URI';
  readonly exitCode = exitCode.badInput;
}

/** The global batch can't be split evenly over the ranks: exit code 64. */
export class UnevenBatchError extends SimSiamError {
  readonly code = 'DATA_UNEVEN_BATCH';
  readonly exitCode = exitCode.badInput;
}

/** The disk or network below the data set failed; another try may succeed: exit code 74. */
export class DataReadError extends SimSiamError {
  readonly code = 'DATA_READ';
  readonly exitCode = exitCode.storage;
}

/** The addon is missing or doesn't load: exit code 70. */
export class AugmentAddonError extends SimSiamError {
  readonly code = 'AUGMENT_ADDON';
  readonly exitCode = exitCode.internal;
}

/** A data set can't be packed, fetched or unpacked there: exit code 64. */
export class PackError extends SimSiamError {
  readonly code = 'DATASET_PACK';
  readonly exitCode = exitCode.badInput;
}
