/** Lets so many tasks run at a time and the others wait, in order. */
export class InTurn {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(together: number) {
    this.#free = together;
  }

  async take<T>(task: () => Promise<T>): Promise<T> {
    if (this.#free === 0) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#free -= 1;
    try {
      return await task();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free += 1;
      else next();
    }
  }
}
