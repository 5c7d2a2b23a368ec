import type { Dataset } from './dataset.ts';
import { TooManyBadImagesError } from './errors.ts';
import type { BadImage } from './render-task.ts';

const namesInMessage = 5;

/** Counts the images that a loader found unreadable, each one once, and stops when they are too many. */
export class BadImages {
  readonly #dataset: Dataset;
  readonly #responsible: number;
  readonly #maxFraction: number;
  readonly #onFound: (images: number) => void;
  readonly #reasons = new Map<number, string>();

  /**
   * @param responsible how many images of the set this loader reads: the fraction is of these
   * @param onFound told how many more they are, when they are more
   */
  constructor(
    dataset: Dataset,
    responsible: number,
    maxFraction: number,
    onFound: (images: number) => void = () => {},
  ) {
    this.#dataset = dataset;
    this.#responsible = responsible;
    this.#maxFraction = maxFraction;
    this.#onFound = onFound;
  }

  get count(): number {
    return this.#reasons.size;
  }

  /** Name and reason of the first ones found. */
  get examples(): string[] {
    return [...this.#reasons].slice(0, namesInMessage).map(([index, why]) => `${this.#dataset.name(index)} (${why})`);
  }

  /** @throws TooManyBadImagesError above the fraction */
  add(images: readonly BadImage[]): void {
    const before = this.count;
    for (const { index, reason } of images) this.#reasons.set(index, reason);
    if (this.count > before) this.#onFound(this.count - before);
    if (this.count > this.#maxFraction * this.#responsible) {
      throw new TooManyBadImagesError(
        `${this.count} of ${this.#responsible} images of ${this.#dataset.uri} can't be decoded, more than ` +
          `data.maxBadImageFraction ${this.#maxFraction} allows: ${this.examples.join(', ')}` +
          (this.count > namesInMessage ? ', …' : ''),
      );
    }
  }
}
