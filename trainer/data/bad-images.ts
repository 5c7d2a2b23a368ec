import type { Dataset } from './dataset.ts';
import { TooManyBadImagesError } from './errors.ts';
import type { BadImage } from './render-task.ts';

const namesInMessage = 5;

/** A share of a set within the limit exceeds what is allowed by chance less often than once in so many. */
const rarely = Math.log(10_000);

/**
 * How many of the `responsible` images that a rank reads may be bad, in a set of `size`. The limit is for the set, of which
 * a rank knows its share alone: so it is what is expected there with room for chance (Bernstein's bound), and a set within
 * the limit isn't refused because two of its bad images meet in a small share. No share may have more than the whole set,
 * so who reads all of it has no such room.
 */
export function allowedBadImages(responsible: number, size: number, maxFraction: number): number {
  const expected = maxFraction * responsible;
  const chance = Math.sqrt(2 * rarely * expected * (1 - responsible / size)) + rarely / 3;
  return Math.floor(Math.min(maxFraction * size, expected + chance));
}

/** Counts the images that a loader found unreadable, each one once, and stops when they are too many. */
export class BadImages {
  readonly #dataset: Dataset;
  readonly #responsible: number;
  readonly #maxFraction: number;
  readonly #onFound: (images: number) => void;
  readonly #reasons = new Map<number, string>();

  /**
   * @param responsible how many images of the set this loader reads
   * @param maxFraction of the set
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

  /** @throws TooManyBadImagesError above the limit */
  add(images: readonly BadImage[]): void {
    const before = this.count;
    for (const { index, reason } of images) this.#reasons.set(index, reason);
    if (this.count > before) this.#onFound(this.count - before);
    const allowed = allowedBadImages(this.#responsible, this.#dataset.size, this.#maxFraction);
    if (this.count > allowed) {
      const share = this.#responsible < this.#dataset.size ? ' that this rank reads' : '';
      throw new TooManyBadImagesError(
        `${this.count} of the ${this.#responsible} images of ${this.#dataset.uri}${share} can't be decoded, ` +
          `more than the ${allowed} that data.maxBadImageFraction ${this.#maxFraction} allows; ` +
          `mend or remove them, or raise it: ${this.#firstOnes()}`,
      );
    }
  }

  /** What to throw where all that was tried in the place of an image is bad as well. */
  irreplaceable(index: number, tries: number): TooManyBadImagesError {
    return new TooManyBadImagesError(
      `${this.#dataset.name(index)} of ${this.#dataset.uri} can't be decoded, and ${tries} tries found no readable image ` +
        `to take its place; mend or remove what can't be decoded: ${this.#firstOnes()}`,
    );
  }

  #firstOnes(): string {
    return this.examples.join(', ') + (this.count > namesInMessage ? ', …' : '');
  }
}
