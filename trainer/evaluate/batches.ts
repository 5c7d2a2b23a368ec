/**
 * What the evaluations ask of a loader, each rank for its share. All ranks get equally many batches of equally many
 * slots, since they meet in collectives; slots without an image have mask 0 and any valid content.
 */
export interface LabelledBatch {
  /** uint8 [n, s, s, 3]; like the other fields valid until the next batch is asked for. */
  readonly images: Uint8Array;
  /** Classes from 0, [n]; −1 where the image has none. */
  readonly labels: Int32Array;
  /** 1 for an image, 0 for padding, [n]. */
  readonly mask: ArrayLike<number>;
}

export interface IndexedBatch extends LabelledBatch {
  /** Positions in the data set, [n]. */
  readonly indices: Int32Array;
}

/** Shape of every batch of a loader. */
export interface BatchShape {
  /** Slots a batch on this rank. */
  readonly batchSize: number;
  readonly imageSize: number;
}

/** Top-k is counted of so many images; in percent. */
export function percent(correct: number, of: number): number {
  return of === 0 ? 0 : (100 * correct) / of;
}
