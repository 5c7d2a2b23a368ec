/** What a process tells at `/metrics`, in Prometheus' text format. */
export class Exposition {
  readonly #lines: readonly string[];

  constructor(text: string) {
    this.#lines = text.split('\n');
  }

  static async fetch(url: string): Promise<Exposition> {
    return new Exposition(await (await fetch(`${url}/metrics`)).text());
  }

  /** A value by its name with its labels; 0 if there is none yet. */
  value(name: string): number {
    const line = this.#lines.find((one) => one.startsWith(`${name} `));
    return Number(line?.split(' ')[1] ?? 0);
  }

  /** Of a histogram without labels, as Prometheus' `histogram_quantile` has it: linear inside a bucket. */
  quantile(name: string, q: number): number {
    const prefix = `${name}_bucket{le="`;
    const rank = q * this.value(`${name}_count`);
    let [lower, below] = [0, 0];
    for (const line of this.#lines) {
      if (!line.startsWith(prefix)) continue;
      const [bound = '', count = ''] = line.slice(prefix.length).split('"} ');
      if (Number(count) < rank) [lower, below] = [Number(bound), Number(count)];
      // Above the last bound nothing is known.
      else if (bound === '+Inf') return Infinity;
      else return lower + ((Number(bound) - lower) * (rank - below)) / (Number(count) - below);
    }
    throw new RangeError(`there is no histogram ${name}`);
  }
}
